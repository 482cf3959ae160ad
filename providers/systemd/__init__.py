"""The user's systemd: its D-Bus connection, units and their files, enabling, scopes.

Imports the root, `filesystem` and `processes`. Read `client.py` first.
"""
