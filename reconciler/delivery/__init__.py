"""Bring a message into an agent's composer: write it, prove it, and keep it in the outbox until then.

Imports `errors`, `helpers`, `model`, `observe`, `attention`, `status`, `remote`, `state`; and from `specs` and
`providers`. Read `deliver.py` first, then `verdict.py`.
"""
