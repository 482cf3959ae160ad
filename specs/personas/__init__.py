"""The contract of a class: the shipped text, the operator's own over it, and how the two are compared.

Imports `dataclass`, `values`, `fleet_files`, `yaml_text`, `library`. Read `persona.py` first.
"""
