"""The reconciler's memory on this host: what it owns, what happened, the event log, the locks, the kill switch.

Imports `errors`, `helpers`, `model`, `attention`, `status`; and from `specs` and `providers`. Read `store.py` first.
"""
