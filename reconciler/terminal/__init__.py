"""The screen that a person sits at: its size, its keys, styled text, a viewport over it.

Imports no other room. Read `screen.py` first.
"""
