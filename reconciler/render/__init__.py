"""Text for people, from values: plans, lists, reports, charts.

Pure. Imports `terminal`, `helpers`, `model`, `git`, `attention`, `status`, `listing`, `state`, `loop`, `update`,
`delivery`, `answering`, `agents`, `run`, `inspection`, `doctor`, `conformance`; and from `specs` and `providers`. Read
`table.py`
first.
"""
