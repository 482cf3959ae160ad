"""What an operator waits for: a list of the fleet, help, a Tab, a message with its proof."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.fleet import SOCKET, BenchFleet, median, run, wall

MOSAIC = (sys.executable, "-m", "reconciler.commands")
ROUNDS = 8
BASH = """\
source "$1"
compopt() { :; }
COMP_WORDS=(mosaic agent send a0); COMP_CWORD=3
_mosaic
[ "${#COMPREPLY[@]}" -gt 0 ]
"""


def listing(fleet: BenchFleet, floor: list[str]) -> None:
    """`mosaic fleet ps` as a whole process, in turn with the floor of a run."""
    times: dict[str, list[float]] = {"floor": [], "fleet ps": []}
    for round_ in range(ROUNDS):
        fleet.beat()
        for name, argv in (("floor", floor), ("fleet ps", [*MOSAIC, "fleet", "ps", "--fleet", str(fleet.path)])):
            taken = wall(argv)
            if round_:  # the first round warms the caches
                times[name].append(taken)
    base, ours = median(times["floor"]), median(times["fleet ps"])
    print(f"  {len(fleet.names):5} agents  {'fleet ps':<22} {ours * 1000:9.1f} ms  {ours / base:7.2f} x floor")


def start_up(fleet: BenchFleet) -> None:
    """`--help`, and one Tab, each beside a Python that does nothing."""
    script = Path.home() / "completion.bash"
    script.write_text(run([*MOSAIC, "completion", "bash"]))
    bare = [sys.executable, "-c", "import click"]
    rows = {
        "python -c 'import click'": bare,
        "mosaic --help": [*MOSAIC, "--help"],
        "mosaic fleet ps --help": [*MOSAIC, "fleet", "ps", "--help"],
        "a Tab in bash": ["bash", "--norc", "-c", BASH, "bash", str(script)],
    }
    times: dict[str, list[float]] = {name: [] for name in rows}
    for round_ in range(ROUNDS):
        for name, argv in rows.items():
            taken = wall(argv)
            if round_:
                times[name].append(taken)
    base = median(times["python -c 'import click'"])
    for name, series in times.items():
        print(
            f"  {len(fleet.names):5} agents  {name:<24} {median(series) * 1000:7.1f} ms  {median(series) / base:7.2f} x"
        )


def message(size: int = 5) -> None:
    """`agent send --verify` to a stub, from the call to the word; the pause between paste and key is in it."""
    fleet = BenchFleet(size, runtime="stub")
    fleet.converge()
    taken = []
    for number in range(ROUNDS):
        words = ["agent", "send", fleet.names[number % size], "-m", "a message", "--verify", "--verify-timeout", "30s"]
        spent = wall([*MOSAIC, *words, "--fleet", str(fleet.path)])
        if number:
            taken.append(spent)
    print(
        f"  {size:5} agents  {'send --verify':<22} p50 {median(taken) * 1000:.1f} ms, of {len(taken)} (0.3 s: a pause)"
    )
    fleet.clear()


def floor_of(beats: Path) -> list[str]:
    """The least that a look costs."""
    return [sys.executable, "-m", "tests.bench.floor", SOCKET, str(beats)]
