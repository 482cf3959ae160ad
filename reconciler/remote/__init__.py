"""Other hosts over ssh: one question to each, all at the same time, with a deadline.

Imports `git` for what ssh's errors mean, `listing`, `terminal`. Read `ssh.py` first.
"""
