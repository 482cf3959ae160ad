"""Changing one value of a YAML file and leaving every other byte as it is.

Imports `dataclass`, `values`, `fleet_files`, `yaml_text`, `models`. Read `edit.py` first.
"""
