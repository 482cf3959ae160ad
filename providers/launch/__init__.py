"""How an agent is started: its environment, what its program needs in addition, its contract, its scope.

Pure. Imports `framework_files`, `names`, `steps`, `host`, `base`, `programs`, `evidence`, `shipped`; and from `specs`.
Read `environment.py` first.
"""
