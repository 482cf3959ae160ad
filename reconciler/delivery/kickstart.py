"""Kickstart: an agent's first message after each start, and after a reset.

A life is one process in its pane. It gets its first words once, through the outbox, however it was started: by a run,
by systemd at boot, or by hand. A process that is older than its agent's first words does not get them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from providers.base import Verb
from providers.filesystem.guarded_read import NotRegularError, read_regular
from reconciler.delivery.text import MAX_BYTES, clean
from reconciler.errors import MosaicError, NotFound
from reconciler.helpers.atomic_files import parse_json, read_optional

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.loop.converge import Converged
    from reconciler.state.store import Store
    from specs.compiled import Agent, Fleet

_PATHS = ("/", "~/", "./")


def kickstart(agent: Agent, host: str, store: Store, *, now: float) -> bool:
    """Send an agent its first words again, after a reset that left its process alive: a new process gets them by
    itself. False if it has none. `host`: the fleet's name for this one. Raises MosaicError."""
    from reconciler.delivery.outbox import Outbox

    if agent.kickstart is None:
        return False
    Outbox(store).put_kickstart(agent=agent.name, sender=f"{host}:mosaic", kickstart=agent.kickstart, now=now)
    return True


def first_words(template: str, agent: Agent, facts: HostFacts) -> str:
    """The text itself, or the content of the file that it names. Raises MosaicError, naming the file."""
    from providers.filesystem.bounded_look import ask_one

    if not template.startswith(_PATHS):
        return clean(template)
    path = facts.home + template[1:] if template.startswith("~/") else template
    path = str(Path(agent.working_directory, path))
    try:
        data = ask_one(path, lambda: _contents(path))  # it may be on a file system that does not answer
        if data is None:
            raise MosaicError(f"its kickstart {path} cannot be read: it is not a file")
        return clean(data.decode())
    except FileNotFoundError as error:
        raise NotFound(f"its kickstart {path} is not there") from error
    except UnicodeDecodeError as error:
        raise MosaicError(f"its kickstart {path} is not UTF-8 text") from error
    except OSError as error:
        raise MosaicError(f"its kickstart {path} cannot be read: {error.strerror or error}") from error


def _contents(path: str) -> bytes | None:
    """Up to one byte more of a file than a message may have; None if it is not a regular file. Raises OSError."""
    try:
        return read_regular(path, limit=MAX_BYTES + 1, cut=True)
    except NotRegularError:
        return None


def note_lives(fleet: Fleet, done: Converged, store: Store, *, since: float | None, now: float) -> None:
    """Put the first words of every new life that a run has seen into the outbox. `since`: when the previous run began,
    in Unix seconds. The caller holds the fleet's lock. Raises StateError, MosaicError.

    The words are stored before the life is recorded: if we are killed in between, they are stored again and replace
    those that still wait.
    """
    starts = (Verb.START, Verb.RESTART)
    started = {one.action.agent for one in done.outcomes if one.action.verb in starts and one.result == "done"}
    path = store.state / "lives.json"
    known = _read(path)
    lives: dict[str, str] = {}
    for agent in fleet.agents:
        view = done.last.plan.views.get(agent.name)
        if agent.kickstart is None or view is None or view.session != "alive":
            if agent.kickstart is not None and agent.name in known:
                lives[agent.name] = known[agent.name]  # not seen just now, or between two lives
            continue
        life = lives[agent.name] = f"{done.last.observation.boot_id}:{view.pid}"
        before = known.get(agent.name)
        fresh = agent.name in started or (since is not None and view.started >= since)
        if before != life and (before is not None or fresh):
            kickstart(agent, fleet.host, store, now=now)
    if lives != known:
        store.write(path, json.dumps(lives))


def _read(path: Path) -> dict[str, str]:
    """The recorded lives, by agent. A damaged file counts as missing: the lives that continue are taken as they are."""
    try:
        raw = parse_json(read_optional(path) or b"{}")
    except (OSError, ValueError):
        return {}
    return {str(name): str(life) for name, life in raw.items()} if isinstance(raw, dict) else {}
