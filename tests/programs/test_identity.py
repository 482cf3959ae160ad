"""What a pane's process is taken for while it becomes the agent's program."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from providers.host import Process
from providers.programs.identity import ProcessTree
from specs.dataclass import dataclass

PID, TICKS = 12, 3400


@dataclass(frozen=True, slots=True, kw_only=True)
class InPane:
    pid: int = PID
    dead: bool = False
    command: str = "claude"
    life: str = f"{PID}.{TICKS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    comm: str
    argv: tuple[str, ...]

    def processes(self) -> Mapping[int, Process]:
        return {PID: Process(pid=PID, ppid=1, comm=self.comm, state="S", started=1.0, start_ticks=TICKS)}

    def cmdline(self, pid: int) -> tuple[str, ...]:
        assert pid == PID
        return self.argv


@pytest.mark.parametrize(
    ("comm", "argv", "launching"),
    [
        # Forked by tmux, and marked already: it is still where the server is, which is no drift.
        ("tmux: server", ("tmux", "-L", "fleet", "new-session"), True),
        ("sh", ("/bin/sh", "/m/bin/agent-scope", "a", "n", "1", "", ""), True),
        ("systemd-run", ("systemd-run", "--user", "--scope"), True),
        ("sh", ("/bin/sh", "/m/bin/agent-pane", "a", "n"), True),
        ("claude", ("claude",), False),
        ("sh", ("/bin/sh", "/home/ada/own-agent"), False),
    ],
)
def test_a_start_is_recognised_at_each_of_its_stages(comm: str, argv: tuple[str, ...], *, launching: bool) -> None:
    found = ProcessTree(Look(comm=comm, argv=argv)).identify(InPane(), ("claude",))
    assert (found.launching, found.matches) == (launching, not launching)
