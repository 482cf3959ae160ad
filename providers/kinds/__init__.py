"""One module for each kind of thing on a host: how it should look, how to observe it, which steps change it.

Pure. Imports `framework_files`, `names`, `screen`, `program_fault`, `steps`, `host`, `base`, `programs`, `evidence`,
`fields`, `material`, `shipped`, `launch`; and from `specs`. Read `session.py` and `registry.py` first.
"""
