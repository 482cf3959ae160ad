"""Text for people, from values: plans, lists, reports, charts.

Pure. Imports the rooms whose values it shows. Read `table.py` first.
"""
