"""What the texts cost: the contracts of a fleet, its mission as Markdown, and the files of the framework. The floor of
each is to read the same bytes from files, measured in turn with it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from providers.kinds.extras import ExtrasProvider
from providers.launch.contract import compose
from providers.machine.facts import gather
from providers.shipped.release import release
from reconciler.plan.desired import compile_files
from specs.compiled import Fleet
from specs.loading.load import load
from specs.mission.projection import FILE, render
from tests.bench.fleet import median
from tests.update.bench import Bench

AGENTS = 1000
GOALS = 500
FILES = 500
ROUNDS = 15
CLASSES = ("orchestrator", "code", "review", "researcher", "documentation")


def compose_all() -> None:
    """Every row. Raises AssertionError if what is measured is not what is meant."""
    star = mission()
    goals = load({"NORTH_STAR.yaml": star}).north_star
    assert goals is not None
    assert len(goals.goals) == GOALS
    row(f"{GOALS} goals", f"render {FILE}", lambda: render(goals), {FILE: render(goals)})

    facts = gather({})
    fleet = fleet_of(star)
    contracts = {agent.name: compose(fleet, agent, facts) for agent in fleet.agents}
    assert all(len(text) > 5000 for text in contracts.values())

    def anew() -> None:
        again = replace(fleet)  # so that nothing is known of it yet, as in a new process
        for agent in again.agents:
            compose(again, agent, facts)

    row(f"{AGENTS} agents", "compose contracts", anew, contracts)
    row(f"{AGENTS} agents", "the same, as desired", lambda: ExtrasProvider().desired(replace(fleet), facts), contracts)

    shipped = release()
    guide = shipped.files["guides/delivery.md"]
    more = {f"guides/guide-{number}.md": f"{guide}\n{number}\n" for number in range(FILES - len(shipped.files))}
    files = {**shipped.files, **more}
    with TemporaryDirectory() as folder:
        bench = Bench(Path(folder), replace(shipped, files=files))
        bench.converge()
        assert bench.look() is None
        row(f"{FILES} files", "reseed, unchanged", bench.look, files)


def row(size: str, what: str, work: Callable[[], object], texts: Mapping[str, str]) -> None:
    """Measure `work` in turn with reading `texts`, and print it."""
    with TemporaryDirectory() as folder:
        paths = [Path(folder, str(number)) for number in range(len(texts))]
        for path, text in zip(paths, texts.values(), strict=True):
            path.write_text(text, encoding="utf-8")
        times: tuple[list[float], list[float]] = ([], [])
        works: tuple[Callable[[], object], ...] = (partial(_read, paths), work)
        for round_ in range(ROUNDS + 1):
            for series, timed in zip(times, works, strict=True):
                began = time.perf_counter()
                timed()
                if round_:  # the first round warms the caches
                    series.append(time.perf_counter() - began)
    floor, ours = (median(series) * 1000 for series in times)
    print(f"  {size:>11}  {what:<22} {ours:9.2f} ms  {ours / floor:7.2f} x reading as many bytes ({floor:.2f} ms)")


def _read(paths: Iterable[Path]) -> None:
    for path in paths:
        path.read_bytes()


def mission() -> bytes:
    """A NORTH_STAR.yaml with many goals, each after another one."""
    goals = [
        {
            "id": f"W{number % 7}-{number}",
            "title": f"Reach number {number}, and say | how it was done",
            "phase": 1 + number // 100,
            "priority": ("must-have", "should-have")[number % 2],
            **({"depends_on": [f"W{(number - 1) % 7}-{number - 1}"]} if number else {}),
        }
        for number in range(GOALS)
    ]
    streams = [{"id": f"W{number}", "title": f"Line {number}"} for number in range(7)]
    return json.dumps({"version": 1, "mission": "Count.", "workstreams": streams, "goals": goals}).encode()


def fleet_of(star: bytes) -> Fleet:
    rows = "".join(
        f"- {{name: a{number:04d}, runtime: claude, class: {CLASSES[number % len(CLASSES)]}}}\n"
        for number in range(AGENTS)
    )
    head = 'version: 1\ntransport: tmux\ntmux: {socket_name: bench}\ndefaults: {working_directory: "~"}\nagents:\n'
    files = {
        "roster.yaml": f"{head}{rows}".encode(),
        "fleet.yaml": b"version: 1\nfloor: none\n",
        "NORTH_STAR.yaml": star,
    }
    compiled = compile_files(files, revision="0" * 40, host="bench", facts=gather({}), path=())
    assert compiled.fleet is not None, compiled.problems
    return compiled.fleet
