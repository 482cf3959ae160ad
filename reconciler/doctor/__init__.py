"""Judgements of every prerequisite, as pure functions of what `probes` saw.

Pure. Imports `helpers`, `status`; and from `specs` and `providers`. Read `check.py` first.
"""
