"""Commands that install, update and take away what is on this host.

Imports everything. Read `install.py` first.
"""
