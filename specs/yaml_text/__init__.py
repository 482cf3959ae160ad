"""YAML as text: values that remember where they were written, and the text around them byte for byte.

Imports `dataclass`, `values`. Read `tree.py` first.
"""
