"""Handle one agent for a command: find it by name, look at it, read its pane, reset it, force its end.

Imports `errors`, `terminal`, `helpers`, `model`, `git`, `observe`, `status`, `plan`, `state`, `context`, `loop`,
`delivery`, `source`; and from `specs` and `providers`. Read `lookup.py` first.
"""
