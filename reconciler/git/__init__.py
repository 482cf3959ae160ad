"""Run git: processes with a deadline, refs, objects, our mirror, worktrees, signatures, and the meaning of its errors.

Imports `errors`, `helpers`; and from `specs` and `providers`. Read `process.py` first, then `mirror.py`.
"""
