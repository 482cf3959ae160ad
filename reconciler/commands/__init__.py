"""The commands. A command's module is imported when it is called; nothing else imports from here.

Imports everything. Read `mosaic.py` first.
"""
