"""For any mix of files, killed at any moment: a reseed loses no byte that the operator wrote, and converges."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.shipped import manifest
from tests.update.bench import NEW, OLD, Bench, Killed, install

FRAMEWORK = sorted({*NEW.files, *OLD.files})
# What is the operator's, whatever happens: none of these is ever written by a reseed once it is there.
THEIRS = (
    "SOUL.md", "USER.md", "SOUL.local.md", "USER.local.md", "STANDARDS.local.md", "policy/one.md", "policy/deep/two.md",
    "credentials.json", "credentials", "roster.yaml", "fleet/roster.yaml", "fleet/agents/coder0.env",
    "fleet/run/coder0.hb", "fleet/backlog/db", "guides/our-own.md", "notes.md", "AGENTS.md.pre-constitution.bak",
    "CONSTITUTION.md.pre-constitution.bak", "runtime/pi/notes.md", "runtime/ours/RUNTIME.md", ".hidden",
)  # fmt: skip
# Where the two come closest: an edit, and what is already there that it would be kept as.
CLOSE, BESIDE = ("AGENTS.md", "STANDARDS.md"), ("AGENTS.md.pre-constitution.bak", "STANDARDS.local.md")
TEXTS = st.one_of(
    st.sampled_from([*OLD.files.values(), *NEW.files.values()]).map(str.encode),
    st.sampled_from(["# Standards\n\n- one\n- ours\n", "# Standards\n\n- one\n- two\n- ours\n", "\n"]).map(str.encode),
    st.binary(max_size=40),
)
# What stands in a file's place: its bytes, or None for nothing, or something that is no file.
Odd = Literal["link", "dangling", "folder"]
WHAT = st.one_of(TEXTS, st.none(), st.sampled_from(("link", "dangling", "folder")))


@pytest.fixture(autouse=True, scope="module")
def no_disk() -> Iterator[None]:
    """Thousands of files, and none of them has to survive a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


def place(home: Path, name: str, what: bytes | Odd | None) -> None:
    path = home / name
    if any(parent.is_symlink() or parent.is_file() for parent in path.parents if parent != home):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir() and not path.is_symlink():
        return
    path.unlink(missing_ok=True)
    if isinstance(what, bytes):
        path.write_bytes(what)
    elif what == "folder":
        path.mkdir()
        (path / "inside").write_bytes(b"inside")
    elif what is not None:
        path.symlink_to(home / "fleet" / "roster.yaml" if what == "link" else "/nonexistent")


def lost(before: Mapping[str, bytes | str], bench: Bench) -> list[str]:
    """What the operator had written and is nowhere now. A framework file's bytes may be under another name; what was
    added to one may be in its overlay."""
    now = bench.everything()
    ours = {text.encode() for text in (*OLD.files.values(), *NEW.files.values())}
    held = {content for content in now.values() if isinstance(content, bytes)}
    missing = []
    for name, content in before.items():
        if now.get(name) == content or name == manifest.NAME:
            continue
        if name not in FRAMEWORK or isinstance(content, str):
            missing.append(name)
        elif content not in ours and content not in held:
            rest = [content[len(text) :] for text in ours if content.startswith(text)]
            if now.get("STANDARDS.local.md") not in rest:
                missing.append(name)
    return missing


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    installed=st.sampled_from(("nothing", "old", "new")),
    edits=st.dictionaries(st.one_of(st.sampled_from(CLOSE), st.sampled_from(FRAMEWORK)), WHAT, max_size=6),
    theirs=st.dictionaries(st.one_of(st.sampled_from(BESIDE), st.sampled_from(THEIRS)), TEXTS, max_size=6),
    spoilt=st.sampled_from((None, None, b"", b"{}", b"\xff")),
    deaths=st.lists(st.tuples(st.integers(0, 14), st.sampled_from(("before", "after"))), max_size=3),
    later=st.dictionaries(st.sampled_from(FRAMEWORK), TEXTS, max_size=2),
    folder=st.sampled_from((None, None, None, "guides", "runtime")),
)
def test_no_byte_of_the_operators_is_lost(
    installed: str,
    edits: dict[str, bytes | Odd | None],
    theirs: dict[str, bytes],
    spoilt: bytes | None,
    deaths: list[tuple[int, Literal["before", "after"]]],
    later: dict[str, bytes],
    folder: str | None,
) -> None:
    """`later`: the operator goes on editing between two runs; `folder`: one of ours is a link to somewhere else."""
    with tempfile.TemporaryDirectory() as where:
        bench = Bench(Path(where))
        bench.home.mkdir()
        if folder is not None:
            elsewhere = Path(where, "elsewhere")
            elsewhere.mkdir()
            (bench.home / folder).symlink_to(elsewhere)
        if installed != "nothing":
            install(bench, OLD if installed == "old" else NEW)
        for name, what in edits.items():
            place(bench.home, name, what)
        for name, text in theirs.items():
            place(bench.home, name, text)
        if spoilt is not None:
            bench.put(manifest.NAME, spoilt)
        before = bench.everything()
        for at, how in deaths:
            with contextlib.suppress(Killed):
                bench.run(at, how)
            assert lost(before, bench) == []
        for name, text in later.items():
            place(bench.home, name, text)
        before = bench.everything()
        bench.converge()
        assert lost(before, bench) == []
        blocked = {held.target for held in bench.held}
        if blocked == {"the framework's files"}:
            return  # an older layout: see the migrations
        for name, shipped in NEW.files.items():
            assert name in blocked or bench.read(name) == shipped
        if folder is not None:
            assert list(elsewhere.iterdir()) == []
