"""Judgements of every prerequisite, as pure functions of what `probes` saw.

Pure. Imports `model`, `helpers`. Read `check.py` first.
"""
