"""Make one whole run, from the options to the result: source, loop, messages, report.

Imports `errors`, `helpers`, `model`, `git`, `observe`, `attention`, `status`, `plan`, `state`, `context`, `loop`,
`delivery`, `source`, `answering`, `agents`, `notify`; and from `specs` and `providers`. Read `run.py` first.
"""
