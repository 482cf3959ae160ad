"""Processes of the host: started with a deadline, read from /proc, measured, identified.

Imports `names`, `program_fault`, `host`, `base`, `evidence`, `launch`, `filesystem`; and from `specs`. Read
`process.py` first.
"""
