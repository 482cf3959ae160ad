"""The files of a new fleet, and the JSON Schemas of the files.

Imports values, models and loading. Read `starter.py` first.
"""
