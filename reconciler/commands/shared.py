"""What the commands around the loop share: finding a fleet's state on this host, and asking a resident loop to look."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import NotFound, unknown_agent

if TYPE_CHECKING:
    from providers.base import Json
    from providers.host import HostFacts
    from reconciler.settings import Settings
    from reconciler.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """This host, its settings, and the state of one fleet. `spec`: the fleet's repository, None if no one named it."""

    facts: HostFacts
    settings: Settings
    store: Store
    spec: str | None


def here(fleet: str | None, *, read_only: bool = False) -> Here:
    """The state of a fleet that has run on this host before. Raises NotFound, with the names of those that have."""
    from providers.facts import gather
    from reconciler.settings import read_settings, settings_path
    from reconciler.store import Store

    facts = gather(os.environ)
    settings = read_settings(settings_path(facts.config_home))
    spec = fleet or os.environ.get("MOSAIC_FLEET") or settings.source
    known = _known(facts)
    name = _name(spec, known, facts)
    source = None if spec in known else spec
    return Here(facts=facts, settings=settings, store=Store.open(facts, name, read_only=read_only), spec=source)


def _known(facts: HostFacts) -> list[str]:
    with suppress(OSError):
        return sorted(path.parent.name for path in Path(facts.state_home, "mosaic").glob("*/status.json"))
    return []


def _name(spec: str | None, known: list[str], facts: HostFacts) -> str:
    from reconciler.binding import read_bindings
    from reconciler.place import parse_place

    if spec is None:
        if len(known) == 1:
            return known[0]
        raise NotFound(
            f"several fleets run here: {', '.join(known)}" if known else "no fleet has run on this host yet",
            help="say which with --fleet" if known else "run: reconcile PATH",
        )
    if spec in known:
        return spec
    name = read_bindings(facts).names.get(parse_place(spec).key)
    if name is None:
        raise NotFound(
            f"no run of {spec} has happened on this host yet",
            help=f"run: reconcile {spec}" + (f" (known here: {', '.join(known)})" if known else ""),
        )
    return name


def heading(kind: str, place: Here) -> dict[str, Json]:
    """What every document of a fleet on this host begins with."""
    from reconciler.status_document import API_VERSION

    status = place.store.load_status()
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "fleet": status.fleet if status else place.store.state.name,
        "tenant_id": status.tenant_id if status else place.facts.user,
        "host": status.host if status else place.settings.host or place.facts.hostname,
    }


def must_know(agent: str, store: Store) -> None:
    """Raises NotFound, with near misses, unless this host has ever heard of the agent."""
    status = store.load_status()
    known = {one.name for one in status.agents} if status else set()
    known |= store.load_inventory().agents.keys()
    if agent not in known:
        raise unknown_agent(agent, known)


def poke(store: Store) -> bool:
    """Ask the resident loop to look now. False if there is none; a signal carries nothing but "look again"."""
    path = store.runtime / "trigger.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sender:
        try:
            sender.sendto(b"look", os.fsencode(path))
        except BlockingIOError:
            return True  # its queue is full: it has been told already
        except OSError:
            return False
    return True
