"""Who sits where: the classes of a fleet, the seats of its type that are filled, who reports to whom.

Imports every room above. Read `org.py` first.
"""
