"""Processes of the host: started with a deadline, read from /proc, measured, identified.

Imports the root and `filesystem`. Read `process.py` first.
"""
