"""File descriptors: a resident loop keeps one for each agent's process."""

from __future__ import annotations

import resource

WANTED = 65536


def allow_many() -> None:
    """Raise our own soft limit as far as the hard one lets us. Past it, D-Bus tells."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(hard, WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
