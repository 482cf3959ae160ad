"""Who sits where: the classes of a fleet, the seats of its type that are filled, who reports to whom.

Imports `dataclass`, `values`, `fleet_files`, `yaml_text`, `library`, `personas`, `editing`, `types`, `loading`,
`scaffold`. Read `org.py` first.
"""
