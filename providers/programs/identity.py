"""Which program runs in a pane: the process tree below the pane's process, matched against what a runtime declares."""

from __future__ import annotations

import os.path
from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

from specs.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.host import Process

# Interpreters whose first argument names the real program (`node codex.js`, `python stub.py`).
INTERPRETERS = ("node", "python", "bun", "deno", "ruby", "perl", "sh", "bash", "dash", "env")
LAUNCHERS = ("agent-scope", "agent-pane", "systemd-run")
LAUNCH_COMMS = ("sh", "dash", "bash", "busybox", "systemd-run")
# What tmux has forked for a pane and has not yet become our launch program; until then it is in the server's scope.
FORKED = "tmux: server"
COMM_MAX = 15  # characters of a process's name that the kernel keeps
MAX_TREE = 256  # an agent that builds software has many children; identity is near the top


class Sees(Protocol):
    """The part of a look that this module needs."""

    def processes(self) -> Mapping[int, Process]: ...

    def cmdline(self, pid: int) -> tuple[str, ...]: ...


class InPane(Protocol):
    """The part of a pane that this module needs."""

    @property
    def pid(self) -> int: ...

    @property
    def dead(self) -> bool: ...

    @property
    def command(self) -> str: ...

    @property
    def life(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """`program`: what runs in the pane, for people. `launching`: our launch program has not yet started the agent's."""

    matches: bool
    program: str
    launching: bool
    pids: tuple[int, ...]
    started: float


class ProcessTree:
    """The processes of one look, by parent."""

    def __init__(self, look: Sees) -> None:
        self._look = look
        self._processes = look.processes()
        self._children: dict[int, list[int]] = {}
        for process in self._processes.values():
            self._children.setdefault(process.ppid, []).append(process.pid)

    def start_ticks(self, pid: int) -> int:
        """When a process started, in ticks since the boot; 0 for one that was not seen."""
        process = self._processes.get(pid)
        return process.start_ticks if process is not None else 0

    def below(self, pid: int) -> tuple[int, ...]:
        """`pid` and its descendants, nearest first, at most MAX_TREE of them."""
        order, seen = [pid], {pid}
        for parent in order:
            if len(order) >= MAX_TREE:
                break
            fresh = [child for child in self._children.get(parent, ()) if child not in seen]
            order.extend(fresh)
            seen.update(fresh)
        return tuple(order)

    def identify(self, pane: InPane, names: Collection[str]) -> Identity:
        """A dead pane matches nothing. A process that has just ended shows as launching: the next look decides."""
        top = self._processes.get(pane.pid)
        if pane.dead:
            return Identity(matches=False, program="", launching=False, pids=(), started=0.0)
        if top is None or top.state in ("Z", "X"):
            return Identity(matches=False, program=pane.command, launching=True, pids=(), started=0.0)
        pids = self.below(pane.pid)
        # First of all: our launch program is a shell, and a command of the operator's may be one too.
        launching = top.comm == FORKED or (top.comm in LAUNCH_COMMS and self._is(pane.pid, LAUNCHERS))
        # The very process that was started in the pane is the program, whatever its name is by now.
        started = pane.life == f"{top.pid}.{top.start_ticks}"
        matches = not launching and (started or any(self._is(one, names) for one in pids))
        return Identity(matches=matches, program=top.comm, launching=launching, pids=pids, started=top.started)

    def named(self, pid: int, names: Collection[str]) -> bool:
        """Whether a process, or one below it, has one of these names."""
        return any(self._is(one, names) for one in self.below(pid))

    def _is(self, pid: int, names: Collection[str]) -> bool:
        process = self._processes.get(pid)
        if process is None or process.state in ("Z", "X"):
            return False
        if process.comm in names or (
            len(process.comm) == COMM_MAX and any(name[:COMM_MAX] == process.comm for name in names)
        ):
            return True
        return not _programs(self._look.cmdline(pid)).isdisjoint(names)


def _programs(argv: tuple[str, ...]) -> set[str]:
    """The names that an argument list gives a process: its program, and the script of an interpreter."""
    if not argv:
        return set()
    program = os.path.basename(argv[0])
    names = {program}
    if program.rstrip("0123456789.").lower() in INTERPRETERS:
        script = next((word for word in argv[1:] if not word.startswith("-")), "")
        base = os.path.basename(script)
        names.update({base, os.path.splitext(base)[0]})
        if "-m" in argv[1:-1]:
            names.add(argv[argv.index("-m") + 1].partition(".")[0])  # `python -m package.module`
    return names
