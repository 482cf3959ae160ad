"""How an agent is started: environment, additions for its program, the contract it is given, the scope it runs in.

Pure. Imports the root, `programs` and `shipped`. Read `environment.py` first.
"""
