"""Determine where a command works: the host, the settings, and which fleet is meant.

Imports `errors`, `helpers`, `git`, `status`, `state`; and from `specs` and `providers`. Read `which_fleet.py` first.
"""
