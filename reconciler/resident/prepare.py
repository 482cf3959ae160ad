"""Prepare: load what the next action and the next commit will need, while nothing happens.

A run imports what it needs when it needs it, since most runs have nothing to do. A resident loop would import the same
at the first death of an agent, or at the first commit, while somebody waits for it.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from reconciler.errors import MosaicError

if TYPE_CHECKING:
    from pathlib import Path

    from providers.host import HostFacts
    from reconciler.context.settings import Settings

MODULES = (
    "deepdiff",
    "providers.steps",
    "providers.systemd.enabling",
    "reconciler.loop.apply",
    "reconciler.run.documents",
    "reconciler.source.lives",
    "reconciler.source.moves",
    "reconciler.state.event_log",
    "reconciler.state.logs",
    "reconciler.status.events",
    "reconciler.status.metrics",
    "specs.loading.compile",
    "specs.loading.load",
    "threading",
)


def prepare(spec: str, settings: Settings, state: Path, facts: HostFacts, *, host: str, now: float) -> None:
    """Import the modules, and read the newest commit that was fetched: then its agents are known when another commit
    changes some of them. Changes nothing and never raises."""
    from reconciler.plan.desired import compile_files
    from reconciler.source.fetch import open_source

    for name in MODULES:
        import_module(name)
    with (
        suppress(MosaicError, OSError),
        open_source(spec, settings=settings, state_dir=state, fetch=False, now=now, preview=True) as source,
    ):
        compile_files(source.files, revision=source.revision, host=host, facts=facts, path=settings.path)
