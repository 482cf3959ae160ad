"""JSON Schemas of every document that programs read.

Pure. Imports the rooms that make the documents. Read `registry.py` first.
"""
