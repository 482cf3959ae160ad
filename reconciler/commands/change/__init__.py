"""Commands that change the fleet: by a commit, or on this host.

Imports everything. Read `common.py` first.
"""
