"""One run at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.errors import ExitCode, Locked
from reconciler.state.lock import Holder, holder, run_lock
from reconciler.state.store import ReadOnlyStore, Store
from tests import builders as make

HOLD = """
import sys
from pathlib import Path
from reconciler.state.lock import run_lock
from reconciler.state.store import Store
with run_lock(Store(Path(sys.argv[1]), Path(sys.argv[2])), now=1763608560.0, command="reconcile --watch"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state", tmp_path / "run")


def other_run(store: Store) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.state), str(store.runtime)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_loser_is_told_who_holds_it(store: Store) -> None:
    process = other_run(store)
    try:
        with pytest.raises(Locked) as raised, run_lock(store, now=make.NOW):
            pytest.fail("two at once")
        assert raised.value.exit_code is ExitCode.LOCKED
        assert f"pid {process.pid} (reconcile --watch), for 0s" in raised.value.message
        assert holder(store) == Holder(pid=process.pid, since=make.NOW, command="reconcile --watch")
    finally:
        process.communicate("", timeout=90)
    assert holder(store) is None
    with run_lock(store, now=make.NOW):
        pass


def test_what_a_killed_run_wrote_is_harmless(store: Store) -> None:
    process = other_run(store)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=90)
    assert str(process.pid) in (store.runtime / "lock").read_text()
    assert holder(store) is None
    with run_lock(store, now=make.NOW, command="me"):
        assert holder(store) == Holder(pid=os.getpid(), since=make.NOW, command="me")


def test_waiting_ends_when_it_is_free(store: Store) -> None:
    process = other_run(store)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            process.communicate("", timeout=90)

    with run_lock(store, now=make.NOW, wait_s=3600, sleep=sleep):
        assert len(waits) == 3


def test_waiting_has_an_end(store: Store) -> None:
    process = other_run(store)
    clock = iter(range(1000))
    try:
        with (
            pytest.raises(Locked),
            run_lock(store, now=make.NOW, wait_s=5, clock=lambda: float(next(clock)), sleep=lambda _s: None),
        ):
            pytest.fail("two at once")
        assert next(clock) < 10
    finally:
        process.communicate("", timeout=90)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pid": "x"}', "\x00\x1b[31m", '{"pid":1,"since":1,"command":"\\u001b[31m"}']
)
def test_a_holder_that_says_nonsense(store: Store, text: str) -> None:
    process = other_run(store)
    try:
        (store.runtime / "lock").write_text(text)
        with pytest.raises(Locked) as raised, run_lock(store, now=make.NOW):
            pytest.fail("two at once")
        assert "\x1b" not in raised.value.message
    finally:
        process.communicate("", timeout=90)


def test_it_is_free_again_after_an_error(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), run_lock(store, now=make.NOW):
        _ = 1 // 0
    with run_lock(store, now=make.NOW):
        pass


def test_a_preview_takes_no_lock(tmp_path: Path) -> None:
    preview = Store(tmp_path / "state", tmp_path / "run", read_only=True)
    with pytest.raises(ReadOnlyStore), run_lock(preview, now=make.NOW):
        pytest.fail("written")
    assert not any(tmp_path.iterdir())
