"""Files of the host: reads tell "absent" from "unreadable", and a look never hangs.

Imports the root. Read `files.py` first.
"""
