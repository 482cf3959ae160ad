"""What a run needs from outside: the host, the environment, clocks, and the request to stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.host import Host, HostFacts
from specs.dataclass import dataclass

if TYPE_CHECKING:
    pass


@dataclass(slots=True, kw_only=True)
class HostContext:
    """The values that stay from run to run of a resident loop. `stop`: a signal has asked it to end. `doing` receives
    the progress, for people who wait. `looking` is called before each look at the whole host: what happened until then
    is in that look."""

    host: Host
    environ: Mapping[str, str]
    stop: Callable[[], bool] = lambda: False
    doing: Callable[[str], None] = lambda _text: None
    looking: Callable[[], None] = lambda: None
    sleep: Callable[[float], None] = time.sleep
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    # The descriptor that hears from systemd (-1: none just now), and what reads it; None: nobody listens.
    follow_units: Callable[[], tuple[int, Callable[[], bool]]] | None = None

    @property
    def facts(self) -> HostFacts:
        return self.host.facts


def host_context(
    stop: Callable[[], bool] = lambda: False, doing: Callable[[str], None] = lambda _text: None
) -> HostContext:
    """The real environment and clocks."""
    from providers.machine.local_host import LocalHost

    host = LocalHost(os.environ)

    def follow_units() -> tuple[int, Callable[[], bool]]:
        try:
            host.systemd.subscribe()
        except ObserveError:
            return -1, lambda: False
        return host.systemd.fileno(), host.systemd.drain

    return HostContext(host=host, environ=os.environ, stop=stop, doing=doing, follow_units=follow_units)
