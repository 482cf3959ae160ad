"""JSON Schemas of every document that programs read.

Pure. Imports `model`, `attention`, `status`, `listing`, `delivery`, `answering`, `inspection`, `doctor`, `conformance`;
and from `specs` and `providers`. Read `registry.py` first.
"""
