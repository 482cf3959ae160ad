"""What is known of the fleet after a run: conditions, events, metrics, the status document.

Pure. Imports `model`, `helpers`, `observe`. Read `status.py` first.
"""
