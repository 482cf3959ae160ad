"""Files of the host: read with "not there" kept apart from "could not read", looked at without ever hanging.

Imports the root. Read `files.py` first.
"""
