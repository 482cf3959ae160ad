"""What `ps`, `verify` and `describe` tell: read only, from a fresh look.

Imports `loop`, `agents`, `listing`. Read `fleet.py` first.
"""
