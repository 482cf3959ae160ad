"""The responder: one process for a host that writes the heartbeats of agents that do not speak for themselves.

Its own program, always running, so it imports little. Imports `helpers`; and from `providers`. Read `serve.py` first.
"""
