"""Whether anything may need a person: cheap, and imports nothing for the usual answer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.model import AgentView, History
    from reconciler.state.store import Store

_KEPT = ("attention.json", "attention.copy.json", "outbox")  # cases that are open, and messages that may be unconfirmed


def may_need_a_person(store: Store, views: Mapping[str, AgentView], history: History) -> bool:
    """False only if there is no case, and none is open. It costs three looks for files."""
    if any(one.waiting or one.stuck or one.hung or one.no_start for one in views.values()):
        return True
    if any(one.quarantined_since for one in history.agents.values()):
        return True
    return any(os.path.lexists(store.state / name) for name in _KEPT)
