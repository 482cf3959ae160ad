"""Run the seven steps as one pass, and pass after pass until nothing is left to do.

Imports `plan`, `state`, `context` and the rooms above. Read `converge.py` first.
"""
