"""The caller: the agent in whose pane this process began, by marks that a program cannot remove.

Each of its processes lives in the scope of the agent's pane, however it detaches itself: that is the first evidence, of
this process and of its ancestors. A pane outside its scope is known by its mark: tmux's variables name the pane in
which a process began, and the server says whose it is. A variable that only states a name proves nothing: a program can
unset it, and a person's shell may inherit it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from providers.names import agent_of_scope
from providers.processes.process import Child, SpawnError
from providers.processes.procfs import environment, parse_stat

TIMEOUT_S = 5.0  # for the tmux server's answer
_ABOVE = 64  # processes examined, from this one up
_FILE_MAX = 64 * 1024
_UNITS = (".scope", ".service", ".slice")
_PANE = re.compile(r"%[0-9]+", re.ASCII)


def calling_agent(environ: Mapping[str, str] = os.environ, pid: int | None = None) -> str:
    """The agent's name; "" for a process that is not visibly an agent's. A person's shell is not, even in a pane of
    their own in the agent's session."""
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
    """The process and its ancestors, nearest first, without process 1."""
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
    if systemd uses it; pure."""
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
    """The agent whose pane it is, according to the server; "" if it is nobody's, is gone, or the server cannot be
    asked."""
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
    """Empty for a process that has ended."""
    try:
        with open(path, "rb") as file:
            return file.read(_FILE_MAX)
    except OSError:
        return b""
