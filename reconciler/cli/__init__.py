"""What every command line stands on: the entry point, output, the tree of commands, completion, manual pages.

Imports `errors`, `terminal`, `helpers`; and from `providers`. Read `main.py` first.
"""
