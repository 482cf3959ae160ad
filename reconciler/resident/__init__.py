"""Run the resident loop: wait for whatever wakes it, and make a run each time.

Imports `run`. Read `watch.py` first.
"""
