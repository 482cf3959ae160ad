"""`mosaic agent`: one agent of the fleet.

Imports everything. Read `send.py` first.
"""
