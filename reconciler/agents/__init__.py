"""Handle one agent for a command: find it by name, look at it, read its pane, reset it, force its end.

Imports `loop`, `delivery`, `source`. Read `lookup.py` first.
"""
