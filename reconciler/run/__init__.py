"""Make one whole run, from the options to the result: source, loop, messages, report.

Imports every room above. Read `run.py` first.
"""
