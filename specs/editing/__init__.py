"""Changing one value of a YAML file and leaving every other byte as it is.

Imports `specs.values` and `specs.yaml_text`. Read `edit.py` first.
"""
