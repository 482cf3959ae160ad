"""The programs in the panes: what each adds to its launch, and how its screen is read. One module for each.

Pure. Imports `screen`, `host`; and from `specs`. Read `base.py` first, then `claude.py`.
"""
