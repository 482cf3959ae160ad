"""Decide what holds an action back: guards, rollout, backoff, suspensions, the floor, losses to other people.

Pure. Imports `model`, `observe`, `status` and `plan`. Read `guards.py` first.
"""
