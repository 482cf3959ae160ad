"""However often somebody updates, goes back, is killed at it and edits in between: no byte that they wrote is lost.

What only a snapshot has counts as lost: snapshots are removed after a while.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.shipped import manifest
from reconciler.errors import MosaicError, NotFound
from reconciler.update import snapshots, update
from tests.update.bench import NEW, OLD, Bench, Killed, install
from tests.update.test_nothing_is_lost import BESIDE, FRAMEWORK, THEIRS, WHAT, lost, place

NOW = 1_763_600_000.0
Edit = tuple[str, bytes | Literal["link", "dangling", "folder"] | None]
EDITS = st.tuples(st.sampled_from([*FRAMEWORK, *FRAMEWORK, *BESIDE, *THEIRS]), WHAT)
# A number is of the change at which a rollback is killed.
DOING = st.one_of(EDITS, st.sampled_from(("update", "back", "back", "run")), st.integers(0, 4))


@pytest.fixture(autouse=True, scope="module")
def new_version() -> Iterator[None]:
    """The program that is installed ships `NEW`; and nothing has to survive a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        patch.setattr(update, "release", lambda: NEW)
        yield


def back(bench: Bench, now: float, kill_at: int = -1) -> None:
    """A rollback, killed before that change."""
    done, real = [0], snapshots._restore

    def restore(kept: Path, path: Path, what: snapshots.SnapshotKind) -> None:
        if done[0] == kill_at:
            raise Killed
        done[0] += 1
        real(kept, path, what)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "_restore", restore)
        with contextlib.suppress(NotFound, Killed):
            update.roll_back(bench.facts, now=now)


def do(bench: Bench, what: Edit | str | int, now: float) -> None:
    if isinstance(what, tuple):
        place(bench.home, *what)
    elif isinstance(what, int):
        back(bench, now, what)
    elif what == "back":
        back(bench, now)
    elif what == "update":
        update.make_way(bench.facts, update.installed(bench.facts), now=now)
        bench.converge()
    else:
        bench.converge()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(installed=st.sampled_from(("nothing", "old", "new")), doing=st.lists(DOING, min_size=2, max_size=14))
def test_no_byte_of_the_operators_is_lost(installed: str, doing: list[Edit | str | int]) -> None:
    with tempfile.TemporaryDirectory() as where:
        bench = Bench(Path(where))
        bench.home.mkdir()
        if installed != "nothing":
            install(bench, OLD if installed == "old" else NEW)
        for number, what in enumerate(doing):
            before = {name: text for name, text in bench.everything().items() if name != manifest.HOLD}
            # A folder in the place of a file is refused, whole.
            with contextlib.suppress(MosaicError):
                do(bench, what, NOW + 60 * number)
            if not isinstance(what, tuple):
                assert [name for name in lost(before, bench) if not linked(bench, before[name])] == []


def linked(bench: Bench, content: bytes | str) -> bool:
    """Whether it is a link that stands elsewhere now."""
    return isinstance(content, str) and content in bench.everything().values()
