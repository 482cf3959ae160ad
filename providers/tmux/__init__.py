"""tmux servers: panes seen in one call, and what is typed into one.

Imports the root, `programs` and `processes`. Read `server.py` first.
"""
