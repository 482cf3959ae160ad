"""Answer the dialog that an agent's program shows, for a person or by a rule of the fleet.

Imports `errors`, `helpers`, `attention`, `status`, `remote`, `state`, `delivery`; and from `specs` and `providers`.
Read `answer.py` first, then `verdict.py`.
"""
