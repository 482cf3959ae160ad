"""Turn raw observations into what is known about each agent: attribution, readiness, what may end it.

Pure. Imports `helpers`, `model`; and from `specs` and `providers`. Read `observer.py` first, then `agent_view.py`.
"""
