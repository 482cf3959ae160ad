"""The real host behind the `Host` protocol: one look at everything, and the steps carried out.

Imports every room above. Read `local_host.py` first.
"""
