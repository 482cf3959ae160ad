"""The screen that a person sits at: its size, its keys, styled text, a viewport over it.

Imports `errors`. Read `screen.py` first.
"""
