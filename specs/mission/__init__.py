"""The north star: which goals there are, which are ready, what has changed, and the Markdown made of them.

Imports values and models. Read `goals.py` first.
"""
