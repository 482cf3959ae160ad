"""One module for each kind of thing on a host: how it should look, how to observe it, which steps change it.

Pure. Imports the root, `programs`, `shipped` and `launch`. Read `session.py` and `registry.py` first.
"""
