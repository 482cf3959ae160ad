"""The files of a new fleet, and the JSON Schemas of the files.

Imports `dataclass`, `values`, `fleet_files`, `yaml_text`, `models`, `editing`, `types`. Read `starter.py` first.
"""
