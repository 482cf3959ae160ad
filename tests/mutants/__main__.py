"""`./dev mutants [MODULE...]`: how many changes of the safety modules their tests notice, and which ones they do not.

Exit code 1 if a module has fewer than 95 % of its mutants killed, 2 for a wrong call.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from tests.mutants.judge import BrokenTests, Target, Try, Verdict
from tests.mutants.mutants import Mutant, mutants
from tests.mutants.preload import preload

ROOT = Path(__file__).resolve().parents[2]
ENOUGH = 0.95


def listed() -> Mapping[str, Sequence[str]]:
    """The safety modules, each with its own tests."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        found: Mapping[str, Sequence[str]] = tomllib.load(file)["tool"].get("mosaic", {}).get("mutants", {})
    return found


def try_all(target: Target, made: Sequence[Mutant], *, jobs: int, timeout_s: float) -> list[Verdict]:
    """The verdict of each, in their order."""
    verdicts: dict[int, Verdict] = {}
    going: dict[int, Try] = {}
    waiting = list(enumerate(made))[::-1]
    while waiting or going:
        while waiting and len(going) < jobs:
            number, mutant = waiting.pop()
            going[number] = Try(target, mutant.code, timeout_s=timeout_s)
        soonest = min(one.left_s for one in going.values())
        ready = select.select(list(going.values()), [], [], soonest)[0]
        for number, one in list(going.items()):
            if one in ready or not one.left_s:
                verdicts[number] = going.pop(number).verdict()
        if sys.stderr.isatty():
            print(f"\r{len(verdicts)} of {len(made)}", end="\r", file=sys.stderr)
    return [verdicts[number] for number in range(len(made))]


def tell_survivors(path: str, survivors: Sequence[Mutant]) -> None:
    """By line: what stands there, and what it can be changed into without a test that fails."""
    by_line: dict[tuple[int, str], list[Mutant]] = {}
    for one in sorted(survivors, key=lambda one: one.line):
        by_line.setdefault((one.line, one.before), []).append(one)
    for (line, before), of_it in by_line.items():
        print(f"  {path}:{line}: {before}")
        for one in of_it:
            print(f"      {one.after}    ({one.operator})")


def judge(path: str, tests: Sequence[str], *, jobs: int) -> tuple[int, int]:
    """Tell the survivors of one module, and return how many of how many were killed. Raises BrokenTests."""
    code = (ROOT / path).read_text(encoding="utf-8")
    target = Target(path.removesuffix(".py").replace("/", "."), tuple(tests))
    preload(target.module, target.tests)
    begun = time.monotonic()
    plain = Try(target, code, timeout_s=600.0)
    select.select([plain], [], [], plain.left_s)
    if plain.verdict() != "survived":
        Try(target, code, timeout_s=600.0, shown=True).verdict()
        raise BrokenTests(f"{path}: its tests fail without any change: {' '.join(tests)}")
    once = time.monotonic() - begun
    made = list(mutants(code))
    verdicts = try_all(target, made, jobs=jobs, timeout_s=10.0 + 10.0 * once)
    killed = sum(verdict != "survived" for verdict in verdicts)
    tell_survivors(path, [mutant for mutant, verdict in zip(made, verdicts, strict=True) if verdict == "survived"])
    slow = verdicts.count("timeout")
    share = killed / len(made) if made else 1.0
    print(
        f"{path}: {killed} of {len(made)} killed ({share:.1%}), {len(made) - killed} survived"
        + (f", {slow} of the killed did not end" if slow else "")
        + f"; {time.monotonic() - begun:.0f} s",
        flush=True,
    )
    return killed, len(made)


def apart(work: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    """In a process of its own: what one module imports beforehand may be what the next one changes. Raises
    BrokenTests."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        with os.fdopen(writer, "w") as pipe:
            try:
                pipe.write(" ".join(map(str, work())))
            except BrokenTests as error:
                pipe.write(f"! {error}")
            sys.stdout.flush()
            pipe.flush()
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    if not answer or answer.startswith("!"):
        raise BrokenTests(answer.removeprefix("! ") or "it ended without an answer")
    killed, total = map(int, answer.split())
    return killed, total


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev mutants", description=__doc__)
    parser.add_argument(
        "modules", nargs="*", metavar="MODULE", help="such as reconciler/plan/holding/guards.py; default: all listed"
    )
    parser.add_argument("--tests", nargs="+", metavar="TEST", help="its tests, if they are not those in pyproject.toml")
    parser.add_argument("-j", "--jobs", type=int, default=os.cpu_count() or 1, help="how many at a time")
    asked = parser.parse_args()
    os.chdir(ROOT)
    known = listed()
    names = asked.modules or sorted(known)
    if unknown := [name for name in names if not (ROOT / name).is_file() or not (asked.tests or name in known)]:
        parser.error(f"no tests are listed for {', '.join(unknown)}: say --tests, or add it to [tool.mosaic.mutants]")
    killed = total = 0
    poor = []
    for name in names:
        try:
            of_it, all_of_it = apart(partial(judge, name, asked.tests or known[name], jobs=asked.jobs))
        except BrokenTests as error:
            print(error, file=sys.stderr)
            return 1
        killed, total = killed + of_it, total + all_of_it
        if of_it < ENOUGH * all_of_it:
            poor.append(name)
    if len(names) > 1:
        print(f"all: {killed} of {total} killed ({killed / max(total, 1):.1%})")
    if poor:
        print(f"less than {ENOUGH:.0%} killed: {', '.join(poor)}", file=sys.stderr)
    return 1 if poor else 0


if __name__ == "__main__":
    sys.exit(main())
