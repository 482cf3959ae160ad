"""What the programs' screens show: a reader for each program, and beside it its words as tables by version. Pure.

A new version of a program is an entry in `*_words.py` and a recorded screen (docs/add-a-version.md), not code.
"""
