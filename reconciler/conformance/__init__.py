"""Whether a real agent program does what we rely on: a stage, a fake model behind it, and the questions.

Imports `agents`, `delivery`. Read `run.py` first.
"""
