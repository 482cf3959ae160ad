"""A change of the fleet by a commit: from a verb to edited files to a commit or a proposal.

Imports `errors`, `helpers`, `git`, `plan`, `context`; and from `specs` and `providers`. Read `make_change.py` first.
"""
