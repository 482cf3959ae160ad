"""Choose the commit in force: fetch it, judge it, trust it, keep it; and follow names and hosts over time.

Imports `errors`, `helpers`, `git`, `status`, `listing`, `remote`, `plan`, `state`, `context`, `loop`; and from `specs`
and `providers`. Read `intake.py` first.
"""
