"""The reconciler's memory on this host: what it owns, what happened, the event log, the locks, the kill switch.

Imports the rooms above. Read `store.py` first.
"""
