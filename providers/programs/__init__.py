"""The programs in the panes: what each adds to its launch, and how its screen is read. One module for each.

Pure. Imports the root. Read `base.py` first, then `claude.py`.
"""
