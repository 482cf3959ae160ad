"""tmux servers: one call lists a server's panes; others read one pane, or type into it.

Imports `screen`, `steps`, `host`, `base`, `programs`, `processes`. Read `server.py` first.
"""
