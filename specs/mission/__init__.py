"""The north star: which goals there are, which are ready, what has changed, and the Markdown made of them.

Imports `dataclass`, `values`, `yaml_text`, `models`. Read `goals.py` first.
"""
