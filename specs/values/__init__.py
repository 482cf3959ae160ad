"""Single values and what is said of a bad one: names, durations, places in a file, problems, suggestions.

Imports `dataclass`. Read `problems.py` first.
"""
