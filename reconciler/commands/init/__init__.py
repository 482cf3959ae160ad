"""`mosaic fleet init`: questions, answers, and what is set up on this host.

Imports everything. Read `command.py` first.
"""
