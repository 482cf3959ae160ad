"""Choose the commit in force: fetch it, judge it, trust it, keep it; and follow names and hosts over time.

Imports `git`, `state`, `remote`. Read `intake.py` first.
"""
