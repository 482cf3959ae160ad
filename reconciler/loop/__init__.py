"""One pass through the seven steps, and passes until nothing is left to do.

Imports `plan`, `state`, `context` and the rooms above. Read `converge.py` first.
"""
