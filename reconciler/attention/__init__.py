"""What needs a person: which cases there are, which are new or over, and who is to be notified of which, when.

Pure. Imports `helpers`, `model`; and from `specs` and `providers`. Read `case.py` first.
"""
