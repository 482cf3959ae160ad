"""The responder: one process per host that writes the heartbeats of agents that do not report for themselves.

Its own program; imports little, because it always runs. Read `serve.py` first.
"""
