"""What a program is given to read, and that it cannot keep us waiting with it."""

from __future__ import annotations

import os

import pytest

from providers.processes.process import SpawnError, run

ENVIRON = {"PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 900_000])
def test_it_reads_all_that_it_was_given(size: int) -> None:
    """More than a pipe holds, too: nobody feeds it while it is waited for."""
    given = os.urandom(size)
    assert run(["cat"], ENVIRON, timeout_s=30, stdin=given).out == given


def test_it_need_not_read_any_of_it() -> None:
    done = run(["echo", "done"], ENVIRON, timeout_s=30, stdin=b"x" * 500_000)
    assert (done.status, done.out) == (0, b"done\n")


def test_nothing_stays_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    run(["cat"], ENVIRON, timeout_s=30, stdin=b"x")
    with pytest.raises(SpawnError, match="not on PATH"):
        run(["no-such-program"], ENVIRON, timeout_s=30, stdin=b"x")
    assert len(os.listdir("/proc/self/fd")) == before
