"""What `ps`, `verify` and `describe` tell: read only, from a fresh look.

Imports `errors`, `helpers`, `model`, `git`, `observe`, `attention`, `status`, `listing`, `plan`, `state`, `context`,
`loop`, `source`, `agents`, `run`; and from `specs` and `providers`. Read `fleet.py` first.
"""
