"""Determine where a command works: the host, the settings, and which fleet is meant.

Imports `state` and the rooms above. Read `which_fleet.py` first.
"""
