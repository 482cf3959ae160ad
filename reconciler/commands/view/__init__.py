"""Commands that show and check, and change nothing.

Imports everything. Read `ps.py` first.
"""
