"""Run the seven steps as one pass, and pass after pass until nothing is left to do.

Imports `errors`, `helpers`, `model`, `git`, `observe`, `attention`, `status`, `plan`, `state`, `context`; and from
`specs` and `providers`. Read `converge.py` first.
"""
