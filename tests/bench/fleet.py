"""A fleet of any size for the bench: programs that do nothing, so that what is measured is ours."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

SOCKET = "mosaic-bench"
HEAD = """\
version: 1
transport: tmux
tmux: {socket_name: %s, holder_session: _holder}
defaults: {working_directory: "~"}
runtimes:
  sleeper: {command: [sleep, infinity], process_names: [sleep]}
agents:
"""
POLICY = """\
version: 1
name: bench
floor: none
reconcile:
  interval: 60s
  rollout: {on_change: immediately, max_unavailable: 1000}
  backoff: {initial: 1s, maximum: 2s}
  quarantine: {restarts: 1000, within: 10m}
  restart_budget: 100000
"""
RECONCILE = (sys.executable, "-m", "reconciler")


class BenchFailed(Exception):
    """A program that is measured did not do its work, so its time means nothing."""


class BenchFleet:
    """A repository with `size` agents, on this host."""

    def __init__(self, size: int, *, runtime: str = "sleeper") -> None:
        self.path = Path.home() / f"bench-{runtime}-{size}"
        self._runtime = runtime
        self.names = [f"a{number:04d}" for number in range(size)]
        self.path.mkdir(exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", ".")
        (self.path / "fleet.yaml").write_text(POLICY)
        self.write(self.names)
        self.commit("Declare the fleet")

    def write(self, names: Sequence[str], stopped: Sequence[str] = ()) -> None:
        kind = f"runtime: {self._runtime}, class: worker"
        rows = (f"- {{name: {name}, {kind}{', state: stopped' if name in stopped else ''}}}\n" for name in names)
        (self.path / "roster.yaml").write_text(HEAD % SOCKET + "".join(rows))

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("-c", "user.name=Bench", "-c", "user.email=bench@localhost", "commit", "--quiet", "-m", message)

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-C", str(self.path), *words], check=True, timeout=60, capture_output=True)

    def reconcile(self, *words: str) -> list[str]:
        return [*RECONCILE, str(self.path), *words]

    def converge(self) -> None:
        run(self.reconcile("--timeout", "15m"), timeout=1000)

    def beat(self) -> None:
        """A heartbeat for each agent, for the scan to read; written by nobody's process, so it says nothing."""
        folder = Path.home() / ".config" / "mosaic" / "fleet" / "run"
        folder.mkdir(parents=True, exist_ok=True)
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name in self.names:
            (folder / f"{name}.hb").write_text(f"ts={stamp} pid=1 status=ok source=sidecar\n")

    def clear(self) -> None:
        """Take all of it away by hand: the bench does not measure removal."""
        units = [f"mosaic-agent@{name}.service" for name in self.names]
        for start in range(0, len(units), 200):
            run(["systemctl", "--user", "disable", "--now", "--quiet", *units[start : start + 200]], timeout=300)
        for unit in ("mosaic-responder.service", "mosaic-tmux-holder.service"):
            run(["systemctl", "--user", "disable", "--now", "--quiet", unit], timeout=60, codes=(0, 1))
        for folder in (".config/mosaic/fleet/agents", ".config/mosaic/fleet/run", ".local/state/mosaic"):
            subprocess.run(["rm", "-rf", str(Path.home() / folder)], check=True, timeout=60)


def run(argv: Sequence[str], *, timeout: float = 120.0, codes: Sequence[int] = (0,)) -> str:
    """Run a program to its end and return what it printed; raises BenchFailed if it ends in another way."""
    done = subprocess.run(list(argv), capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode not in codes:
        raise BenchFailed(f"{' '.join(argv[:4])} ended with {done.returncode}: {(done.stdout + done.stderr)[-600:]}")
    return done.stdout


def wall(argv: Sequence[str], *, timeout: float = 600.0) -> float:
    """Seconds that a whole process took."""
    began = time.perf_counter()
    run(argv, timeout=timeout)
    return time.perf_counter() - began


def until(what: str, holds: Callable[[], bool], *, timeout: float = 60.0) -> float:
    """Wait, looking all the time; returns when it held (perf_counter)."""
    deadline = time.perf_counter() + timeout
    while time.perf_counter() < deadline:
        if holds():
            return time.perf_counter()
    raise BenchFailed(f"waited {timeout:.0f} s for {what}")


def median(values: Sequence[float]) -> float:
    return percentile(values, 0.5)


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest-rank percentile; `share` 0 to 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]
