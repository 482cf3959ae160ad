"""Run the resident loop: wait for whatever wakes it, and make a run each time.

Imports `errors`, `helpers`, `model`, `git`, `status`, `plan`, `state`, `context`, `loop`, `source`, `notify`,
`responder`, `run`; and from `specs` and `providers`. Read `watch.py` first.
"""
