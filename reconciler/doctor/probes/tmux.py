"""Look at the tmux servers of the fleet: sockets, who may use them, terminals, and where the servers run."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from functools import partial

from providers.host import HostFacts
from providers.machine.local_host import LocalLook
from reconciler.doctor.check import Unseen
from reconciler.doctor.probes.host import ask, attempt, user_name
from reconciler.doctor.systemd import PanePlace, Server
from reconciler.doctor.terminals import DeviceNode, SocketFile, Terminals
from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """`environments`: what each server that is up hands to its panes, by socket."""

    terminals: Terminals
    servers: tuple[Server, ...] | Unseen
    panes: tuple[PanePlace, ...]
    environments: Mapping[str, Mapping[str, str]]


def servers(facts: HostFacts, environ: Mapping[str, str], look: LocalLook, sockets: Sequence[str]) -> Servers:
    """Each socket with a few bounded calls."""
    quiet = {name: value for name, value in environ.items() if name not in ("TMUX", "TMUX_PANE", "TMUX_TMPDIR")}
    quiet["LC_ALL"] = "C.UTF-8"
    parent = os.path.realpath("/tmp")  # noqa: S108 - where tmux itself looks
    folder = f"{parent}/tmux-{facts.uid}"
    seen, live, panes = [], [], []
    trouble: Unseen | None = None
    environments: dict[str, dict[str, str]] = {}
    for name in sockets:
        server = attempt(partial(look.tmux, name))
        if isinstance(server, Unseen):
            trouble = server
            seen.append(SocketFile(name=name, state=server, node=None))
            continue
        if server.state != "up":
            seen.append(SocketFile(name=name, state=server.state, node=None))
            continue
        where = ("tmux", "-u", *(("-L", name) if name else ()))
        said = ask((*where, "display-message", "-p", "#{pid}|#{socket_path}"), quiet)
        pid, _, path = said.strip().partition("|") if isinstance(said, str) else ("", "", "")
        if pid.isdecimal():
            unit = attempt(partial(look.unit_of, int(pid)))
            live.append(Server(socket=name, pid=int(pid), unit="" if isinstance(unit, Unseen) else unit))
        environments[name] = _variables(ask((*where, "show-environment", "-g"), quiet))
        seen.append(
            SocketFile(
                name=name,
                state="up",
                node=node(path or f"{folder}/{name or 'default'}"),
                access=_access(ask((*where, "server-access", "-l"), quiet), facts.user),
                ttys=_ttys(ask((*where, "list-panes", "-a", "-F", "#{pane_tty}"), quiet)),
            )
        )
        for pane in server.panes:
            if pane.mark and not pane.dead:
                unit = attempt(partial(look.unit_of, pane.pid))
                panes.append(PanePlace(agent=pane.mark, pid=pane.pid, unit="" if isinstance(unit, Unseen) else unit))
    return Servers(
        terminals=Terminals(parent=node(parent), folder=node(folder), sockets=tuple(seen)),
        servers=trouble if trouble is not None and not live else tuple(live),
        panes=tuple(panes),
        environments=environments,
    )


def node(path: str) -> DeviceNode | None:
    """What is at a path, a link itself and not where it leads; None if nothing is."""
    try:
        seen = os.lstat(path)
    except OSError:
        return None
    return DeviceNode(path=path, owner=user_name(seen.st_uid), ours=seen.st_uid == os.getuid(), mode=seen.st_mode)


def _variables(said: str | Unseen) -> dict[str, str]:
    if isinstance(said, Unseen):
        return {}
    return dict(line.partition("=")[::2] for line in said.splitlines() if "=" in line and not line.startswith("-"))


def _access(said: str | Unseen, user: str) -> tuple[tuple[str, bool], ...] | Unseen:
    """`name (W)` or `name (R)` a line; the owner and root are always let in."""
    if isinstance(said, Unseen):
        return Unseen(why=said.why, missing="unknown command" in said.why)
    rows = [line.split() for line in said.splitlines() if line.strip()]
    always = {user, _root()}
    return tuple((row[0], "(W)" in row[1:]) for row in rows if row[0] not in always)


def _root() -> str:
    try:
        return pwd.getpwuid(0).pw_name
    except KeyError:
        return "root"


def _ttys(said: str | Unseen) -> tuple[DeviceNode, ...] | Unseen:
    if isinstance(said, Unseen):
        return said
    nodes = (node(path) for path in dict.fromkeys(said.split()))
    return tuple(one for one in nodes if one is not None)
