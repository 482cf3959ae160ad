"""What the doctor looks at on a host.

Imports `errors`, `helpers`, `git`, `status`, `state`, `context`, `loop`, `source`, `doctor`; and from `specs` and
`providers`. Read `examine.py` first.
"""
