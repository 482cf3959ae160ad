"""What an operator writes, as pydantic models: roster, fleet, north star, runtimes; and how an error in one is put.

Imports `specs.values` and `specs.yaml_text`. Read `roster.py` first.
"""
