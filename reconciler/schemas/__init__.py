"""JSON Schemas of every document that programs read.

Pure. Imports `model`, `status`, `listing`, `delivery`, `inspection`, `doctor`, `conformance`; and from `specs` and
`providers`. Read `registry.py` first.
"""
