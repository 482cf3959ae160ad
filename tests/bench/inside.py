"""The measurements, made inside the private host."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import neighbours, operating
from tests.bench.fleet import RECONCILE, SOCKET, BenchFailed, BenchFleet, median, percentile, run, until, wall

BEATS = Path.home() / ".config" / "mosaic" / "fleet" / "run"
TICKS = os.sysconf("SC_CLK_TCK")
HEALS = 50
CONVERGE = 300  # agents
ALL = ("noop", "compose", "converge", "heal", "commit", "large", "quiet", "operate")


def noop(fleet: BenchFleet, tools: Path | None, full: bool) -> None:
    """Everything is right already: our whole process against the floor, in turn; then the neighbours."""
    size = len(fleet.names)
    floor = operating.floor_of(BEATS)
    times: dict[str, list[float]] = {"floor": [], "reconcile": [], "dry-run": []}
    for round_ in range(8):
        fleet.beat()
        for name, argv in (
            ("floor", floor),
            ("reconcile", fleet.reconcile()),
            ("dry-run", fleet.reconcile("--dry-run", "--detailed-exitcode")),
        ):
            taken = wall(argv)
            if round_:  # the first round warms the caches
                times[name].append(taken)
    base = median(times["floor"])
    for name, series in times.items():
        print(f"  {size:5} agents  {name:<22} {median(series) * 1000:9.1f} ms  {median(series) / base:7.2f} x floor")
    if tools is None:
        return
    ours = median(times["reconcile"])
    units = [f"mosaic-agent@{name}.service" for name in fleet.names]
    folder = Path.home()
    for name, make in (("pyinfra", neighbours.pyinfra), ("ansible --check", neighbours.ansible)):
        if make is neighbours.ansible and size > 100 and not full:
            print(f"  {size:5} agents  {name:<22} left out: minutes; measure it with --full")
            continue
        taken = wall(make(tools, units, folder), timeout=1800)
        print(f"  {size:5} agents  {name:<22} {taken * 1000:9.1f} ms  {taken / ours:7.1f} x reconcile")


def converge(fleet: BenchFleet) -> None:
    """300 agents from nothing, against a bare loop that starts the same units and sessions."""
    began = time.perf_counter()
    fleet.converge()
    ours = time.perf_counter() - began
    fleet_size = len(fleet.names)
    units = [f"mosaic-agent@{name}.service" for name in fleet.names]
    holder = "mosaic-tmux-holder.service"
    run(["systemctl", "--user", "stop", *units], timeout=300)
    run(["systemctl", "--user", "disable", "--quiet", *units], timeout=300)
    run(["systemctl", "--user", "stop", holder], timeout=60)
    # The bare loop: the files are there already, which is a head start.
    began = time.perf_counter()
    run(["systemctl", "--user", "start", holder], timeout=60)
    run(["systemctl", "--user", "enable", "--quiet", *units], timeout=300)
    for unit in units:
        run(["systemctl", "--user", "start", "--no-block", unit], timeout=60)
    until("the programs of the bare loop", lambda: programs() == fleet_size + 1, timeout=300)
    bare = time.perf_counter() - began
    print(
        f"  {fleet_size:5} agents  converge from nothing  {ours:9.2f} s   bare loop {bare:.2f} s, {ours / bare:.2f} x"
    )
    fleet.converge()


def programs() -> int:
    """How many panes have become what they are to be, which is what we wait for, too."""
    done = subprocess.run(
        ["tmux", "-L", SOCKET, "list-panes", "-a", "-F", "#{pane_current_command}"],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return done.stdout.split().count("sleep")


def sessions() -> dict[str, str]:
    """Session names to the pid of their living pane."""
    done = subprocess.run(
        ["tmux", "-L", SOCKET, "list-panes", "-a", "-F", "#{session_name} #{pane_pid} #{pane_dead}"],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    rows = (line.split() for line in done.stdout.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 3 and row[2] == "0"}


@contextmanager
def watching(fleet: BenchFleet) -> Iterator[subprocess.Popen[bytes]]:
    """The resident loop, after its first full look."""
    log = Path.home() / "watch.log"
    with log.open("wb") as out:
        process = subprocess.Popen([*RECONCILE, str(fleet.path), "--watch", "-o", "json"], stdout=out, stderr=out)
    try:
        until("the loop's first look", lambda: log.stat().st_size > 0, timeout=120)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def heal(fleet: BenchFleet) -> None:
    """From a pane's death to its new session, under --watch, one after the other with quiet in between."""
    taken: list[float] = []
    with watching(fleet):
        for number in range(HEALS):
            time.sleep(0.6)  # the loop rests in proportion to its last look; a storm is another question
            name = fleet.names[number % len(fleet.names)]
            pid = sessions()[name]
            began = time.perf_counter()
            os.kill(int(pid), signal.SIGKILL)
            healed = until(f"a new {name}", lambda name=name, pid=pid: sessions().get(name, pid) != pid)  # type: ignore[misc]
            taken.append(healed - began)
    p50, p99 = median(taken) * 1000, percentile(taken, 0.99) * 1000
    print(f"  {len(fleet.names):5} agents  heal a killed pane     p50 {p50:.1f} ms, p99 {p99:.1f} ms, of {len(taken)}")


def commit(fleet: BenchFleet) -> None:
    """From a local commit to the first action that it leads to."""
    taken: list[float] = []
    victim = fleet.names[-1]
    wants = Path.home() / ".config/systemd/user/default.target.wants" / f"mosaic-agent@{victim}.service"
    with watching(fleet):
        for number in range(10):
            time.sleep(1.0)
            stopped = [victim] if number % 2 == 0 else []
            fleet.write(fleet.names, stopped)
            there = not stopped
            fleet.git("add", "--all")
            began = time.perf_counter()
            fleet.commit("Change one agent")
            seen = until("the first action", lambda there=there: wants.is_symlink() == there)  # type: ignore[misc]
            taken.append(seen - began)
    print(f"  {len(fleet.names):5} agents  commit to first action p50 {median(taken) * 1000:.1f} ms, of {len(taken)}")


def quiet(fleet: BenchFleet, seconds: int) -> None:
    """What the resident loop costs while nothing happens."""
    with watching(fleet) as process:
        time.sleep(3.0)
        before = cpu(process.pid)
        time.sleep(seconds)
        used = cpu(process.pid) - before
        status = Path(f"/proc/{process.pid}/status").read_text()
    rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    share = 100 * used / seconds
    print(f"  {len(fleet.names):5} agents  quiet for {seconds} s         {share:.2f} % of a core, {rss / 1024:.1f} MiB")


def cpu(pid: int) -> float:
    """Seconds of processor time of a process and the children that it has waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--quiet-s", type=int, default=60)
    parser.add_argument("--neighbours", type=Path)
    options = parser.parse_args()
    only = set(filter(None, options.only.split(","))) or set(ALL)
    sizes = [int(size) for size in options.sizes.split(",")]
    try:
        if "compose" in only:
            from tests.bench.compose import compose_all

            compose_all()
        if "converge" in only:
            with_fleet = BenchFleet(CONVERGE)
            converge(with_fleet)
            with_fleet.clear()
        if "large" in only:
            from tests.bench import large

            large.commit(watching)
        if "operate" in only:
            operating.message()
        for size in sizes if only & {"noop", "operate", "heal", "commit", "quiet"} else ():
            fleet = BenchFleet(size)
            fleet.converge()
            if "noop" in only:
                noop(fleet, options.neighbours, options.full)
            if "operate" in only:
                operating.listing(fleet, operating.floor_of(BEATS))
                if size == min(sizes):
                    operating.start_up(fleet)
            if "heal" in only and size <= 100:
                heal(fleet)
            if "commit" in only and size <= 100:
                commit(fleet)
            if "quiet" in only and size == max(sizes):
                quiet(fleet, options.quiet_s)
            fleet.clear()
    except (BenchFailed, subprocess.TimeoutExpired) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
