"""The user's systemd: its D-Bus connection, units and their files, enabling, scopes.

Imports `names`, `steps`, `host`, `base`, `launch`, `filesystem`, `processes`. Read `client.py` first.
"""
