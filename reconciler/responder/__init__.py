"""The responder: one process for a host that writes the heartbeats of agents that do not speak for themselves.

Its own program; imports little, because it always runs. Read `serve.py` first.
"""
