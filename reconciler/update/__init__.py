"""The installed release on a host: brought to another version, back again, or taken away.

Imports `loop` and the rooms above. Read `update.py` first.
"""
