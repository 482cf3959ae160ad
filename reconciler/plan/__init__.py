"""Plan what turns observed into desired: the diff, what an agent needs, order, guards, rollout, what is held.

Pure. Imports `model`, `observe`, `status`. Read `diff.py` first, then `planner.py` and `needs.py`.
"""
