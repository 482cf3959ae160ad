"""The real programs, from npm at pinned versions, in a host whose network is empty."""
