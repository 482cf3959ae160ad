"""From raw observations to what is known of each agent: attribution, readiness, what may end it.

Pure. Imports `model`, `helpers`. Read `observer.py` first, then `agent_view.py`.
"""
