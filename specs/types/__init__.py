"""System types: the seats that a kind of fleet has, shipped or from the fleet's own repository.

Imports `dataclass`, `values`, `fleet_files`, `yaml_text`, `models`, `library`, `personas`. Read `system_type.py` first.
"""
