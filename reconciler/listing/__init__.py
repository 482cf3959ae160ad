"""One line for each agent, and the document that lists them: what one host tells another.

Pure. Imports `model`, `status`. Read `row.py` first.
"""
