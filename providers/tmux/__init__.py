"""tmux servers: one call lists a server's panes; others read one pane, or type into it.

Imports the root, `programs` and `processes`. Read `server.py` first.
"""
