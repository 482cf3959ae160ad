"""From the bytes of a fleet's files to the compiled desired state, with every problem on the way.

Imports every room above. Read `load.py` first, then `compile.py`.
"""
