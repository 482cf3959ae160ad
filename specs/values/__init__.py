"""Single values and what is said of a bad one: names, durations, places in a file, problems, suggestions.

Imports no other room. Read `problems.py` first.
"""
