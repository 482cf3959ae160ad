"""From the bytes of a fleet's files to the compiled desired state, with every problem on the way.

Imports `dataclass`, `compiled`, `values`, `fleet_files`, `yaml_text`, `models`, `personas`, `mission`, `types`.
Read `load.py` first, then `compile.py`.
"""
