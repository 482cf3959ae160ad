"""Run the resident loop: wait for whatever wakes it, and make a run each time.

Imports `errors`, `helpers`, `model`, `git`, `status`, `state`, `context`, `loop`, `source`, `responder`, `run`; and
from `providers`. Read `watch.py` first.
"""
