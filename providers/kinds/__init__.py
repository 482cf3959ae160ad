"""One module for each kind of thing on a host: how it looks when right, how to see it, which steps change it.

Pure. Imports the root, `programs`, `shipped` and `launch`. Read `session.py` and `registry.py` first.
"""
