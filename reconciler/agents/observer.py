"""Observe one agent as the loop does, for a command that needs to know what it is doing now."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.errors import MosaicError
from reconciler.loop.converge import Context, look
from reconciler.loop.result import RunOptions

if TYPE_CHECKING:
    from reconciler.context.fleet import FleetContext
    from reconciler.model import AgentView
    from specs.compiled import Fleet

EVERY_S = 5.0  # between two looks of `AgentObserver.follow`


class AgentObserver:
    """Looks at the whole host, as a preview does: nothing is changed and nothing is written."""

    def __init__(self, place: FleetContext, fleet: Fleet) -> None:
        from reconciler.context.host import host_context
        from reconciler.loop.host_guard import at_home
        from reconciler.loop.setup import context
        from reconciler.observe.idle_threshold import with_idle_threshold

        self._fleet, _ = with_idle_threshold(fleet, os.environ)
        around = host_context()
        at_home(around.host)
        self._ctx: Context = context(around, place.store, place.settings, RunOptions(dry_run=True))
        self.last: AgentView | None = None

    def view(self, name: str) -> AgentView:
        """The agent's joined record; what cannot be seen is unknown in it. Raises MosaicError."""
        return self.views()[name]

    def views(self) -> Mapping[str, AgentView]:
        """The record of every agent that has anything here, in one look."""
        return look(self._ctx, self._fleet).plan.views

    def follow(self, name: str) -> None:
        """Keep `last` fresh from now on, in the background: a bus that hangs must not stop the viewer of a pane."""

        def run() -> None:
            while True:
                with suppress(MosaicError):
                    self.last = self.view(name)
                time.sleep(EVERY_S)

        threading.Thread(target=run, daemon=True).start()
