"""Files of the host: reads tell "absent" from "unreadable", and a look never hangs.

Imports `host`, `base`. Read `files.py` first.
"""
