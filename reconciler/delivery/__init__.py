"""Bring a message into an agent's composer: write it, prove it, and keep it in the outbox until then.

Imports `state`, `context`, `remote` and the rooms above. Read `deliver.py` first, then `verdict.py`.
"""
