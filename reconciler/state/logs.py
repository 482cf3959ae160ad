"""Logs for people: crash logs, receipts of runs that acted, tracebacks of our own bugs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from providers.base import Json
from providers.filesystem.guarded_read import read_regular
from reconciler.errors import NotFound
from reconciler.helpers.redact import redact
from reconciler.state.store import Store, write_failure

RECEIPTS_KEPT = 200
_TMUX_SAYS = "Pane is dead ("  # the line that reports the program's end, below its own output
_AGENT = re.compile(r"[A-Za-z0-9_.-]+")


def save_crash(store: Store, agent: str, text: str) -> Path:
    """Keep the last lines of an agent's dead pane (200 lines, 32 KiB, secrets hidden), and the log before it.

    Raises StateError.
    """
    path, before = _crash_paths(store, agent)
    store.guard(path)
    try:
        path.replace(before)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise write_failure(before, error) from error
    store.write(path, redact(text) + "\n")
    return path


def load_crash(store: Store, agent: str, *, previous: bool = False) -> str | None:
    """The kept lines, or None if there are none."""
    path = _crash_paths(store, agent)[previous]
    try:
        return read_regular(path).decode("utf-8", "replace")
    except OSError:
        return None


def last_words(store: Store, agent: str) -> str:
    """The last line that its program, or our launcher, wrote before it ended; "" if nothing is kept."""
    lines = (line.strip() for line in reversed((load_crash(store, agent) or "").splitlines()))
    return next((line for line in lines if line and not line.startswith(_TMUX_SAYS)), "")


def _crash_paths(store: Store, agent: str) -> tuple[Path, Path]:
    # The two names end differently, so that two agents never share a file.
    if not _AGENT.fullmatch(agent):
        raise NotFound(f'no agent can be called "{agent}"')
    return store.state / "crashes" / f"{agent}.log", store.state / "crashes" / f"{agent}.log.1"


def add_receipt(store: Store, receipt: Mapping[str, Json], *, now: float, revision: str) -> Path:
    """Record what a run did; the newest 200 receipts are kept. Raises StateError."""
    from datetime import UTC, datetime

    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    path = store.state / "receipts" / f"{stamp}-{_short(revision)}.json"
    store.write(path, json.dumps(receipt, indent=2, ensure_ascii=False) + "\n")
    for old in receipts(store)[RECEIPTS_KEPT:]:
        old.unlink(missing_ok=True)
    return path


def receipts(store: Store) -> tuple[Path, ...]:
    """Newest first."""
    return tuple(sorted((store.state / "receipts").glob("[0-9]*.json"), reverse=True))


def _short(revision: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "", revision)[:12] or "none"
