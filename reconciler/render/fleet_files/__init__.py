"""Text for people about what is in a fleet's repository: roster, mission, contracts, and changes of them.

Pure. Imports `helpers` and the values it shows. Read `roster_text.py` first.
"""
