"""What is known of the fleet after a run: conditions, events, metrics, the status document.

Pure. Imports `errors`, `helpers`, `model`, `attention`; and from `specs` and `providers`. Read `status.py` first.
"""
