"""What every command line stands on: the entry point, output, the tree of commands, completion, manual pages.

Imports `render` and the rooms above; the commands are handed to it. Read `main.py` first.
"""
