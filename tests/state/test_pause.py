"""The kill switch and suspensions."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.machine.local_host import LocalHost
from reconciler.errors import NotFound
from reconciler.state import pause as pause_module
from reconciler.state.pause import current, merge, pause, pause_path, read_pause, resume, suspend, unsuspend
from reconciler.state.store import StateError, Store
from reconciler.status.values import Pause
from specs.compiled import Suspension
from tests import builders as make

NOW = make.NOW


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state", tmp_path / "runtime")


def test_pause_and_resume(tmp_path: Path) -> None:
    facts = make.facts(str(tmp_path))
    assert read_pause(facts) is None
    assert resume(facts) is None
    pause(facts, reason="a\nstorm \x1b[31m", by="ada", now=NOW)
    assert read_pause(facts) == Pause(reason="a storm", by="ada", since=NOW)
    assert pause_path(facts).read_text() == "a storm\nby=ada\nsince=2025-11-20T03:16:00Z\n"
    again = pause(facts, reason="worse", by="bob", now=NOW + 60)
    assert again == Pause(reason="worse", by="bob", since=NOW)
    assert resume(facts) == again
    assert read_pause(facts) is None


def test_the_host_reads_the_same_reason(tmp_path: Path) -> None:
    facts = make.facts(str(tmp_path))
    host = LocalHost(facts=facts)
    assert host.paused() is None
    pause(facts, reason="storm", by="ada", now=NOW)
    assert host.paused() == "storm"


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\xff\xfe\x00", b"by=x", b"r\nsince=yesterday\nnonsense\n", b"x" * 9000]
)
def test_whatever_is_in_it_it_pauses(tmp_path: Path, content: bytes) -> None:
    facts = make.facts(str(tmp_path))
    pause_path(facts).parent.mkdir(parents=True)
    pause_path(facts).write_bytes(content)
    assert read_pause(facts) is not None
    assert resume(facts) is not None
    assert read_pause(facts) is None


def test_a_link_to_nowhere_and_a_folder_pause_too(tmp_path: Path) -> None:
    facts = make.facts(str(tmp_path))
    path = pause_path(facts)
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "nowhere")
    assert read_pause(facts) is not None
    resume(facts)
    path.mkdir()
    assert read_pause(facts) is not None


def test_a_pause_that_cannot_be_written_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, content: str) -> None:
        raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} {path} {len(content)}")

    monkeypatch.setattr(pause_module, "write_atomic", full)
    with pytest.raises(StateError):
        pause(make.facts(str(tmp_path)), reason="r", by="b", now=NOW)


def test_suspend_and_lift(store: Store) -> None:
    suspend(store, "a", reason="r1", by="ada", until=NOW + 60, now=NOW)
    suspend(store, "b", reason="r2", by="ada", until=None, now=NOW)
    assert store.load_suspensions().keys() == {"a", "b"}
    suspend(store, "c", reason="r3", by="ada", until=None, now=NOW + 61)
    assert store.load_suspensions().keys() == {"b", "c"}  # what has expired is forgotten
    assert unsuspend(store, "b", now=NOW + 62).keys() == {"b"}
    with pytest.raises(NotFound):
        unsuspend(store, "b", now=NOW + 62)
    assert unsuspend(store, None, now=NOW + 62).keys() == {"c"}
    assert unsuspend(store, None, now=NOW + 62) == {}


def test_one_under_a_whole_suspension(store: Store) -> None:
    suspend(store, "*", reason="r", by="ada", until=None, now=NOW)
    with pytest.raises(NotFound, match="whole fleet"):
        unsuspend(store, "a", now=NOW)


UNTIL = st.none() | st.floats(0, 100)
MAPS = st.dictionaries(
    st.sampled_from("abc*"), st.builds(Suspension, reason=st.sampled_from("xy"), by=st.just("b"), until=UNTIL)
)


def _end(one: Suspension) -> float:
    return float("inf") if one.until is None else one.until


@settings(deadline=None)  # the machine may be busy
@given(MAPS, MAPS, st.floats(0, 100))
def test_the_longer_one_holds(declared: dict[str, Suspension], local: dict[str, Suspension], now: float) -> None:
    merged = merge(declared, local, now)
    assert merged.keys() == current(declared, now).keys() | current(local, now).keys()
    for name, one in merged.items():
        ends = [_end(source[name]) for source in (declared, local) if name in source]
        assert _end(one) == max(ends)
        assert _end(one) > now
    assert list(merged) == sorted(merged)
