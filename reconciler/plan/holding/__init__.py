"""What holds an action back: guards, the rollout, backoff, suspensions, the floor, what other people would lose.

Pure. Imports `model`, `observe`, `status` and `plan`. Read `guards.py` first.
"""
