"""Look at this user's files: who may touch them, and what older installs and removed agents have left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from providers.base import ObserveError
from providers.filesystem.guarded_read import read_regular
from providers.host import HostFacts
from providers.kinds.framework import MARK
from providers.launch.environment import generated_for
from providers.machine.local_host import LocalLook
from providers.names import agent_of_unit
from reconciler.doctor.check import Unseen
from reconciler.doctor.files import HeartbeatFacts, Loose, Modes
from reconciler.doctor.leftovers import Leftovers
from reconciler.doctor.probes.fleet import KnownFleet, desired
from reconciler.doctor.probes.host import user_name

_MOST = 50_000  # files that are looked at for their permissions
_UNIT_NAMES = ("mosaic-", "mos-")
_UNIT_FORMS = (".service", ".timer", ".target", ".slice", ".socket", ".path")
_OLD = ("fleet/roster.yaml", "tools/fleet/start-agent-session.sh")


def heartbeat_facts(facts: HostFacts) -> HeartbeatFacts:
    """The heartbeat folder, as this user can use it."""
    path = facts.run_dir
    if not os.path.lexists(path):
        return HeartbeatFacts(path=path, there=False)
    if not os.path.isdir(path):
        return HeartbeatFacts(path=path, there=True, trouble="it is not a folder")
    owner = os.stat(path).st_uid
    if owner != facts.uid:
        return HeartbeatFacts(path=path, there=True, trouble=f"it belongs to {user_name(owner)}")
    if not os.access(path, os.W_OK | os.X_OK):
        return HeartbeatFacts(path=path, there=True, trouble="it cannot be written to")
    return HeartbeatFacts(path=path, there=True)


def modes(facts: HostFacts) -> Modes:
    """Our files and folders, from the top; behind a folder that nobody else may enter, only the owner counts."""
    loose: list[Loose] = []
    unread: list[str] = []
    count = 0
    tops = [
        (f"{facts.state_home}/mosaic", True),
        (f"{facts.runtime_dir}/mosaic", True),
        (facts.agents_dir, True),
        (facts.run_dir, False),
        (facts.bin_dir, False),
        (f"{facts.config_home}/mosaic/ledger", True),
        *((path, False) for path in _unit_files(facts.unit_dir)),
    ]
    for top, private in tops:
        for path, sheltered in _walk(top, unread):
            count += 1
            if count > _MOST:
                return Modes(looked_at=count, loose=tuple(loose), unread=(f"more than {_MOST} files",))
            try:
                seen = os.lstat(path)
            except OSError:
                continue
            permissions = f"{seen.st_mode & 0o7777:04o}"
            if seen.st_uid not in (facts.uid, 0):
                loose.append(Loose(path=path, permissions=permissions, harm="owner", owner=user_name(seen.st_uid)))
            elif sheltered or os.path.islink(path):
                continue
            elif seen.st_mode & 0o022:
                loose.append(Loose(path=path, permissions=permissions, harm="write"))
            elif private and seen.st_mode & 0o055:
                loose.append(Loose(path=path, permissions=permissions, harm="read"))
    return Modes(looked_at=count, loose=tuple(loose), unread=tuple(unread))


def _walk(top: str, unread: list[str]) -> Iterator[tuple[str, bool]]:
    """Every path from `top` on, and whether a folder above it (from `top` on) keeps everybody else out."""
    if not os.path.lexists(top):
        return
    waiting = [(top, False)]
    while waiting:
        path, sheltered = waiting.pop()
        yield path, sheltered
        if os.path.islink(path) or not os.path.isdir(path):
            continue
        try:
            closed = sheltered or not os.stat(path).st_mode & 0o011
            waiting += [(f"{path}/{name}", closed) for name in os.listdir(path)]
        except OSError:
            unread.append(path)


def _unit_files(folder: str) -> list[str]:
    return [path for path in _entries(folder, _UNIT_FORMS) if os.path.basename(path).startswith(_UNIT_NAMES)]


def leftovers(one: KnownFleet, facts: HostFacts, look: LocalLook) -> Leftovers | Unseen:
    """Without a fleet, nobody knows which heartbeats and which enabled agents are somebody's."""
    names = _declared(one, facts)
    try:
        enabled = sorted(look.enabled() | look.enabled("timers.target"))
        return Leftovers(
            units=tuple(path for path in _unit_files(facts.unit_dir) if _is_foreign(path)),
            envs=tuple(path for path in _entries(facts.agents_dir, ".env") if generated_for(_head(path)) is None),
            heartbeats=tuple(path for path in _entries(facts.run_dir, ".hb") if names and _stem(path) not in names),
            links=tuple(_broken(facts.unit_dir)),
            nobody=tuple(
                unit for unit in enabled if names and (agent := agent_of_unit(unit)) is not None and agent not in names
            ),
            old=tuple(
                path
                for name in _OLD
                if os.path.isfile(path := f"{facts.mosaic_home}/{name}")
                and not os.path.exists(f"{os.path.dirname(path)}/.git")
            ),
        )
    except ObserveError as error:
        return Unseen(why=str(error))


def _declared(one: KnownFleet, facts: HostFacts) -> frozenset[str]:
    """Every agent that a fleet of this host declares or owns; empty if nothing is known for sure."""
    found: set[str] = set()
    if one.store is None:
        return frozenset()
    for state in Path(facts.state_home, "mosaic").glob("*/desired.json"):
        fleet = desired(state.parent)
        if fleet is None:
            return frozenset()
        found |= {agent.name for agent in fleet.agents}
    return frozenset(found | set(one.store.load_inventory().agents)) if found else frozenset()


def _is_foreign(path: str) -> bool:
    if os.path.islink(path) or not os.path.isfile(path):
        return False  # a masked unit, and whatever an administrator links, is done on purpose
    head = _head(path)
    return bool(head.strip()) and not any(line.startswith(MARK) for line in head.split("\n")[:2])


def _head(path: str) -> str:
    try:
        return read_regular(path, limit=1000, cut=True).decode("utf-8", "replace")
    except OSError:
        return ""


def _entries(folder: str, ending: str | tuple[str, ...]) -> list[str]:
    return [f"{folder}/{name}" for name in _names(folder) if name.endswith(ending) and not name.startswith(".")]


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _broken(unit_dir: str) -> Iterator[str]:
    for folder in _entries(unit_dir, ".wants") + _entries(unit_dir, ".requires"):
        for name in _names(folder):
            path = f"{folder}/{name}"
            if name.startswith(_UNIT_NAMES) and os.path.islink(path) and not os.path.exists(path):
                yield path


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
