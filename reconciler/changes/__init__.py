"""A change of the fleet by a commit: from a verb to edited files to a commit or a proposal.

Imports `git`, `context` and `specs`. Read `make_change.py` first.
"""
