"""What is shipped with a release and laid out on a host: its number, its files by digest, older layouts.

Imports only the root. Read `manifest.py` first.
"""
