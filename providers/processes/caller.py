"""The caller: the agent in whose pane this process began, by marks that a program cannot remove.

Each of its processes lives in the scope of the agent's pane, however it detaches itself: that is the first evidence, of
this process and of those that it descends from. A pane that is outside its scope is known by its mark: the variables of
tmux name the pane in which a process was begun, and the server says whose that is. A variable that only says a name
counts for nothing: a program can unset it, and a person's shell may inherit it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from providers.names import agent_of_scope
from providers.processes.process import Child, SpawnError
from providers.processes.procfs import environment, parse_stat

TIMEOUT_S = 5.0  # for the tmux server's word
_ABOVE = 64  # processes that are looked at, from this one up
_FILE_MAX = 64 * 1024
_UNITS = (".scope", ".service", ".slice")
_PANE = re.compile(r"%[0-9]+", re.ASCII)


def calling_agent(environ: Mapping[str, str] = os.environ, pid: int | None = None) -> str:
    """The agent's name; "" for a process that does not seem to be an agent's. A person's shell is none, also in a
    pane of their own that stands in the agent's session."""
    mine = pid or os.getpid()
    line = tuple(ancestors(mine))
    for one in line:
        name = scope_agent(_read(f"/proc/{one}/cgroup").decode("utf-8", "replace"))
        if name:
            return name
    for one in line:
        known = environ if one == mine else environment(one) or {}
        if known.get("TMUX_PANE"):
            return _marked(known.get("TMUX", ""), known["TMUX_PANE"], environ)
    return ""


def ancestors(pid: int) -> Iterator[int]:
    """The process and those above it, nearest first, without the first process of all."""
    for _ in range(_ABOVE):
        if pid <= 1:
            return
        yield pid
        found = parse_stat(_read(f"/proc/{pid}/stat"), 0.0)
        if found is None:
            return
        pid = found.ppid


def scope_agent(text: str) -> str:
    """The agent whose pane's scope a process lives in, from its /proc/PID/cgroup; "" for none. The unified line decides
    where systemd uses that one; pure."""
    paths: list[str] = []
    for line in text.splitlines():
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if hierarchy == "0":
            paths.insert(0, path)
        elif controllers == "name=systemd":
            paths.append(path)
    for path in paths:
        folders = path.split("/")
        if any(one.endswith(_UNITS) for one in folders):
            return next((name for one in reversed(folders) if (name := agent_of_scope(one))), "")
    return ""


def _marked(server: str, pane: str, environ: Mapping[str, str]) -> str:
    """Whose pane it is by the server's own word; "" for one that is nobody's, or gone, or cannot be asked for."""
    socket = server.rsplit(",", 2)[0]
    if not socket.startswith("/") or not _PANE.fullmatch(pane):
        return ""
    argv = ["tmux", "-u", "-N", "-S", socket, "display-message", "-p", "-t", pane, "#{@mosaic_pane}"]
    clean = {name: value for name, value in environ.items() if name not in ("TMUX", "TMUX_PANE", "LC_ALL")}
    try:
        child = Child(argv, {**clean, "LC_ALL": "C.UTF-8"}, timeout_s=TIMEOUT_S, limit=_FILE_MAX)
        done = child.finish()
    except SpawnError:
        return ""
    return done.out.decode("utf-8", "replace").strip() if done.status == 0 else ""


def _read(path: str) -> bytes:
    """Nothing for a process that has ended."""
    try:
        with open(path, "rb") as file:
            return file.read(_FILE_MAX)
    except OSError:
        return b""
