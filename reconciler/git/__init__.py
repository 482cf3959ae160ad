"""git: processes with a deadline, refs, objects, our mirror, worktrees, signatures, and what its errors mean.

Imports `errors`, `helpers`. Read `process.py` first, then `mirror.py`.
"""
