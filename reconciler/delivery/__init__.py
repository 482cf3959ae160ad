"""A message on its way into an agent's composer: written, proved, kept in the outbox until it can be.

Imports `state`, `context`, `remote` and the rooms above. Read `deliver.py` first, then `verdict.py`.
"""
