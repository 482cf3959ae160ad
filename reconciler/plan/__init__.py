"""Plan what turns observed into desired: the diff, what an agent needs, order, guards, rollout, what is held.

Pure. Imports `helpers`, `plan_values`, `model`, `observe`, `listing`; and from `specs` and `providers`. Read `diff.py`
first, then `planner.py` and `needs.py`.
"""
