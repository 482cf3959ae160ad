"""The installed release on a host: brought to another version, back again, or taken away.

Imports `errors`, `helpers`, `model`, `status`, `plan`, `state`, `loop`; and from `providers`. Read `update.py` first.
"""
