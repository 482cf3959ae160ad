"""One agent for a command: found by its name, looked at, its pane, its reset, an end that is forced.

Imports `loop`, `delivery`, `source`. Read `lookup.py` first.
"""
