"""`python -m tests.scenarios.drive N COMMAND ARGS...`: `reconcile ARGS`, with a shell command run in its middle.

COMMAND runs to its end right before step number N (from 1) of the run begins; steps are given to the host one by one.
`kill -KILL $PPID` ends the run there.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence

from providers.machine.local_host import LocalHost
from providers.steps import Step


def interpose(before: Callable[[int], None]) -> None:
    """Call `before` with the number of each step that is about to begin, in this process."""
    begin, count = LocalHost.begin, 0

    def one_by_one(self: LocalHost, batch: Sequence[tuple[str, Step]]) -> None:
        nonlocal count
        for one in batch:
            count += 1
            before(count)
            begin(self, [one])

    LocalHost.begin = one_by_one  # type: ignore[method-assign]


def main() -> None:
    at, command, args = int(sys.argv[1]), sys.argv[2], sys.argv[3:]

    def before(number: int) -> None:
        if number == at:
            subprocess.run(["sh", "-ec", command], check=True, stdin=subprocess.DEVNULL, stdout=sys.stderr)

    interpose(before)
    from reconciler.cli.main import main as run_command
    from reconciler.commands.reconcile import command as reconcile

    run_command(reconcile, args)


if __name__ == "__main__":
    main()
