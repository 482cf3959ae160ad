"""Notify a person of what needs one: the operator's own program, the desktop, terminals, email.

Imports `attention`, `errors`, `helpers`, `status`, `state`; and from `specs` and `providers`. Read `deliveries.py`
first.
"""
