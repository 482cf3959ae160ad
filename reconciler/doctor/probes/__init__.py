"""What the doctor looks at on a host.

Imports the judgements in `doctor`. Read `examine.py` first.
"""
