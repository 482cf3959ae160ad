"""Runs one scenario on the host that this program runs on, through `LocalHost`; only ever inside a private host.

Reads from stdin the name of the scenario and the picture that is expected at each point; waits for each picture until a
deadline, and prints what was seen instead or as well.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from providers.base import ObserveError
from providers.host import HostFacts, Pane
from providers.machine.local_host import LocalHost
from providers.steps import Step, StepResult
from specs.compiled import Fleet
from tests.hosts.waiting import eventually
from tests.laws.picture import Picture, confining, installation, picture
from tests.laws.scenario_bench import fleet_on
from tests.laws.scenarios import SCENARIOS
from tests.strategies import SOCKET

PATIENCE_S = 60.0


class RealBench:
    """`disturb` does to the real thing what the method of that name does in `World`."""

    def __init__(self, expected: dict[str, Picture]) -> None:
        self.host = LocalHost()
        self.facts: HostFacts = self.host.facts
        self.fleet: Fleet = fleet_on(self.facts)
        self.expected = expected
        self.pictures: dict[str, Picture] = {}
        self.results: list[bool] = []

    def steps(self, *steps: Step) -> Sequence[StepResult]:
        found: list[StepResult] = []
        for step in steps:
            self.host.begin([("one", step)])
            ended = eventually(lambda: self.host.completed(1.0), timeout=60.0, what=repr(step))
            found.extend(result for _, result in ended)
        self.results.extend(result.ok for result in found)
        return found

    def install(self, fleet: Fleet) -> None:
        self.steps(*installation(fleet, self.facts))

    def seen(self, session: str) -> Pane | None:
        return next((pane for pane in self.host.look().tmux(SOCKET).panes if pane.session == session), None)

    def show(self, point: str) -> None:
        def as_expected() -> bool:
            try:
                self.pictures[point] = picture(self.host.look(), self.facts, self.fleet)
            except ObserveError as error:
                self.pictures[point] = {"error": str(error)}
            return self.pictures[point] == self.expected.get(point)

        with contextlib.suppress(AssertionError):  # the test compares, and shows the difference
            eventually(as_expected, timeout=PATIENCE_S, every=0.05)

    def confine(self, agent: str) -> None:
        self.steps(confining(self.host.look(), agent))

    def disturb(self, event: str, *args: str) -> None:
        getattr(self, event)(*args)

    # what can be done to it

    def kill_pane(self, agent: str) -> None:
        self._kill(self._pane(agent))

    def kill_holder_pane(self, socket: str) -> None:
        self._kill(self._named(socket, self.fleet.holder_session))

    def kill_session(self, agent: str) -> None:
        self._tmux(SOCKET, "kill-session", "-t", f"={self._pane(agent).session}")

    def kill_session_named(self, socket: str, name: str) -> None:
        self._tmux(socket, "kill-session", "-t", f"={name}")

    def kill_server(self, socket: str) -> None:
        self._tmux(socket, "kill-server")
        eventually(lambda: self.host.look().tmux(socket).state == "down", what="the end of the tmux server")

    def lose_socket(self, socket: str) -> None:
        Path(f"/tmp/tmux-{os.getuid()}/{socket}").unlink()

    def recreate_socket(self, socket: str) -> None:
        os.kill(self.host.look().tmux(socket).pid, signal.SIGUSR1)
        eventually(lambda: self.host.look().tmux(socket).state == "up", what="the socket")

    def foreign_session(self, socket: str, name: str) -> None:
        self._tmux(socket, "new-session", "-d", "-s", name, "sleep infinity")

    def outside(self, agent: str) -> None:
        """As a tmux that is built with libsystemd asks for it."""
        pid = str(self._pane(agent).pid)
        manager = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"]
        what = ["StartTransientUnit", "ssa(sv)a(sa(sv))", f"tmux-spawn-{pid}.scope", "fail"]
        which = ["2", "PIDs", "au", "1", pid, "CollectMode", "s", "inactive-or-failed", "0"]
        subprocess.run(["busctl", "--user", "--quiet", "call", *manager, *what, *which], check=True)
        moved = f"tmux-spawn-{pid}.scope"
        eventually(lambda: self.host.look().unit_of(int(pid)) == moved, what=f"{agent} in {moved}")

    def leave_child(self, agent: str) -> None:
        """The stub leaves a daemon behind when it is told to."""
        session = self._pane(agent).session
        self._tmux(SOCKET, "send-keys", "-l", "-t", f"={session}:", "/spawn")
        self._tmux(SOCKET, "send-keys", "-t", f"={session}:", "Enter")
        eventually(self._has_daemon, what="the stub's daemon")

    def _has_daemon(self) -> bool:
        look = self.host.look()
        return any(look.cmdline(pid)[:1] == ("mosaic-stub-daemon",) for pid in look.processes())

    def unit_inactive(self, unit: str) -> None:
        """Systemd forgets it, the pane stays: a stop whose program does nothing."""
        program = Path(f"{self.facts.bin_dir}/agent-stop")
        text = program.read_text()
        program.write_text("#!/bin/sh\nexit 0\n")
        subprocess.run(["systemctl", "--user", "stop", unit], check=True)
        program.write_text(text)

    def _pane(self, agent: str) -> Pane:
        """The agent's live pane, once its program runs in it."""

        def ready() -> Pane | None:
            look = self.host.look()
            panes = look.tmux(SOCKET).panes
            found = next((pane for pane in panes if pane.mark == agent and not pane.dead), None)
            process = look.processes().get(found.pid) if found is not None else None
            return found if process is not None and process.comm == "stub" else None

        found = eventually(ready, what=f"the pane of {agent}")
        assert found is not None
        return found

    def _named(self, socket: str, name: str) -> Pane:
        return next(pane for pane in self.host.look().tmux(socket).panes if pane.session == name)

    def _kill(self, pane: Pane) -> None:
        os.kill(pane.pid, signal.SIGKILL)
        server = self.host.look().tmux(SOCKET).pid

        def dead() -> bool:
            os.kill(server, signal.SIGCHLD)  # tmux 3.3a can miss the end of a pane's process
            return self._named(SOCKET, pane.session).dead

        eventually(dead, what=f"the dead pane of {pane.session}")

    @staticmethod
    def _tmux(socket: str, *args: str) -> None:
        subprocess.run(["tmux", "-u", "-L", socket, *args], check=True)


def main() -> None:
    order = json.load(sys.stdin)
    bench = RealBench(order["expected"])
    scenario = next(one for one in SCENARIOS if one.name == order["scenario"])
    try:
        scenario.act(bench)
        bench.show("end")
    finally:
        json.dump({"pictures": bench.pictures, "results": bench.results}, sys.stdout)


if __name__ == "__main__":
    main()
