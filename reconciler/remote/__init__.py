"""Other hosts over ssh: one question to each, all at the same time, with a deadline.

Imports `errors`, `terminal`, `helpers`, `git`, `attention`, `listing`; and from `specs` and `providers`. Read `ssh.py`
first.
"""
