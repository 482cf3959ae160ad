"""What an operator writes, as pydantic models: roster, fleet, north star, runtimes; and how an error in one is put.

Imports `dataclass`, `compiled`, `values`, `yaml_text`. Read `roster.py` first.
"""
