"""The resident loop: what wakes it, and a run for each time.

Imports `run`. Read `watch.py` first.
"""
