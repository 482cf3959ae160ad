"""How an agent is started: its environment, what its program needs in addition, its contract, its scope.

Pure. Imports the root, `programs` and `shipped`. Read `environment.py` first.
"""
