"""A commit in a roster of 5,000 agents: most of them are other hosts', or are all this host's and stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from tests.bench.fleet import HEAD, SOCKET, BenchFleet, median, until

AGENTS = 5000
RUNNING = 10
COMMITS = 6
Watching = Callable[[BenchFleet], AbstractContextManager[object]]


class LargeFleet(BenchFleet):
    """The first few agents run here. `elsewhere`: where the others are; "" is here, stopped."""

    def __init__(self, elsewhere: str) -> None:
        self._elsewhere = elsewhere
        super().__init__(RUNNING)
        self.path.joinpath("roster.yaml").write_text(self.text(0))
        self.commit("Declare them all")

    def text(self, generation: int) -> str:
        """The roster, with the last agent that runs here stopped at every second `generation`, and one of the others
        changed each time."""
        return HEAD % SOCKET + "".join(self._entries(generation))

    def _entries(self, generation: int) -> Iterator[str]:
        for number in range(AGENTS):
            state = "stopped" if number == RUNNING - 1 and generation % 2 else "running"
            here = "bench"
            if number >= RUNNING:
                state = "running" if self._elsewhere else "stopped"
                here = f"{self._elsewhere}{number % 50}" if self._elsewhere else here
            yield (
                f"  - name: a{number:04d}\n    runtime: sleeper\n    class: worker\n    host: {here}\n"
                f"    state: {state}\n"
                f"    env:\n      TEAM: red\n      N: '{generation if number == AGENTS // 2 else 0}'\n"
            )


def commit(watching: Watching) -> None:
    """From a local commit to the first action that it leads to, with the loop resident."""
    for elsewhere, what in (("h", "other hosts'"), ("", "stopped here")):
        fleet = LargeFleet(elsewhere)
        fleet.converge()
        taken: list[float] = []
        unit = f"mosaic-agent@{fleet.names[-1]}.service"
        wants = Path.home() / ".config/systemd/user/default.target.wants" / unit
        with watching(fleet):
            for generation in range(1, COMMITS + 1):
                time.sleep(2.5)
                there = generation % 2 == 0
                (fleet.path / "roster.yaml").write_text(fleet.text(generation))
                fleet.git("add", "--all")
                began = time.perf_counter()
                fleet.commit("Change two agents")
                seen = until("the first action", lambda there=there, wants=wants: wants.is_symlink() == there)  # type: ignore[misc]
                taken.append(seen - began)
        fastest, slowest = min(taken), max(taken)
        print(
            f"  {AGENTS:5} agents  commit, {what:<12}   p50 {median(taken) * 1000:.0f} ms, "
            f"{fastest * 1000:.0f} to {slowest * 1000:.0f} ms, of {len(taken)}"
        )
        fleet.clear()
