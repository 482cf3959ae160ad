"""The commit that is in force: fetched, judged, trusted, kept; what it says of names and hosts over time.

Imports `git`, `state`, `remote`. Read `intake.py` first.
"""
