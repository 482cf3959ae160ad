"""One line for each agent, and the document that lists them: what one host tells another.

Pure. Imports `errors`, `helpers`, `model`, `status`; and from `providers`. Read `row.py` first.
"""
