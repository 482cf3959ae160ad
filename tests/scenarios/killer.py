"""`python -m tests.scenarios.killer HOW REPOSITORY RESET [FIRST LAST]`: a run is killed at each of its steps in turn.

For N = 1, 2, ...: the shell command RESET puts the host back (with FIRST and LAST: a run to the one commit follows,
and the repository is put on the other), a run is ended by SIGKILL at its step number N (HOW:
`begun`, as soon as it has begun; `ended`, once it is over), and another run follows. Each N gives a line of JSON:
`killed`, the exit code `code` of the run after it, and `before` and `after`: the agents' processes between and after
the two. The first N whose run comes to its end is the last one. Runs are forks of this process, which has everything
imported already.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from providers.machine.local_host import LocalHost
from providers.steps import Step, StepResult
from reconciler.context import settings  # noqa: F401 - loaded before
from reconciler.git import mirror  # noqa: F401 - loaded before
from reconciler.loop.result import RunOptions
from reconciler.plan import desired  # noqa: F401 - loaded before
from reconciler.run import documents, report  # noqa: F401 - loaded before
from reconciler.run.run import run
from reconciler.source import fetch, ledger  # noqa: F401 - loaded before
from reconciler.state import event_log, lock  # noqa: F401 - loaded before
from tests.scenarios.proc import agents_in


class Killed:
    """A host that carries out one step at a time, and ends this process at one of them."""

    def __init__(self, at: int, how: str) -> None:
        self._at, self._how, self._count = at, how, 0
        self._done: list[tuple[str, StepResult]] = []
        self._begin, self._completed = LocalHost.begin, LocalHost.completed
        killed = self

        def begin(host: LocalHost, batch: Sequence[tuple[str, Step]]) -> None:
            for one in batch:
                killed.step(host, one)

        def completed(host: LocalHost, timeout_s: float) -> Sequence[tuple[str, StepResult]]:
            done, killed._done = killed._done, []
            return done or killed._completed(host, timeout_s)

        LocalHost.begin = begin  # type: ignore[method-assign,assignment]
        LocalHost.completed = completed  # type: ignore[method-assign,assignment]

    def step(self, host: LocalHost, one: tuple[str, Step]) -> None:
        self._count += 1
        self._begin(host, [one])
        if self._count == self._at and self._how == "begun":
            host.systemd.pump(0)  # what was said has been sent
            os.kill(os.getpid(), signal.SIGKILL)
        while not (done := self._completed(host, 1.0)):
            pass
        self._done.extend(done)
        if self._count == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


def forked(work: Callable[[], int]) -> int:
    """The exit status of a fork of this process, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        status = 70
        with suppress(BaseException):
            try:
                status = work()
            except BaseException:
                import traceback

                traceback.print_exc()
        os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def living() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for pid, name in agents_in(Path("/proc")):
        found.setdefault(name, []).append(pid)
    return dict(sorted(found.items()))


def quiet() -> None:
    """Until systemd has no job any more: what was begun when the run was killed comes to its end by itself."""
    deadline = time.monotonic() + 30
    while subprocess.run(["systemctl", "--user", "list-jobs", "--no-legend"], capture_output=True, check=True).stdout:
        if time.monotonic() > deadline:
            raise TimeoutError("jobs do not end")
        time.sleep(0.01)


def main() -> None:
    how, repository, reset, *commits = sys.argv[1:]

    def once(at: int, *, rewind: bool = False) -> int:
        if at:
            Killed(at, how)
        result = run(RunOptions(fleet=repository, allow_rewind=rewind))
        if result.exit_code:  # it is to tell why
            faults = [one for one in result.outcomes if one.error]
            print(result.outcome, faults, result.plan.held, result.plan.unknown, file=sys.stderr)
        return int(result.exit_code)

    def back() -> None:
        subprocess.run(["sh", "-ec", reset], check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        for commit in commits:
            subprocess.run(["git", "-C", repository, "reset", "-q", "--hard", commit], check=True)
            if commit == commits[0] and forked(lambda: once(0, rewind=True)) != 0:
                raise RuntimeError("the host cannot be put back")

    at, killed = 0, True
    while killed:
        at += 1
        back()
        killed = forked(lambda at=at: once(at)) == -signal.SIGKILL  # type: ignore[misc]
        if how == "begun":
            before: dict[str, list[int]] = {}  # a start that is on its way shows or not, as it happens
        else:
            before = living()
        code = forked(lambda: once(0))
        quiet()
        print(json.dumps({"at": at, "killed": killed, "code": code, "before": before, "after": living()}), flush=True)


if __name__ == "__main__":
    main()
