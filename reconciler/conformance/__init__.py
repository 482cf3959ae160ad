"""Whether a real agent program does what we rely on: a stage, a fake model behind it, and the questions.

Imports `errors`, `helpers`, `model`, `observe`, `status`, `state`, `context`, `delivery`, `agents`, `doctor`,
`doctor.probes`; and from `specs` and `providers`. Read `run.py` first.
"""
