"""What is shipped with a release and laid out on a host: its number, its files by digest, older layouts.

Imports `names`, `host`, `base`; and from `specs`. Read `manifest.py` first.
"""
