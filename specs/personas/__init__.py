"""The contract of a class: the shipped text, the operator's own over it, and how the two are compared.

Imports the rooms above and the shipped library. Read `persona.py` first.
"""
