"""The operator's own texts, as they are on this host: read anew, bounded, and never a reason to fail."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from providers.host import Overlay
from providers.machine.local_host import LocalHost
from providers.machine.overlays import MAX_BYTES, read_overlays


def test_what_is_there_in_the_order_of_the_contract(tmp_path: Path) -> None:
    for name in ("SOUL.md", "USER.local.md", "USER.md", "OTHER.md"):
        (tmp_path / name).write_text(name)
    assert [(one.name, one.text, one.fault) for one in read_overlays(str(tmp_path))] == [
        ("USER.md", "USER.md", ""), ("USER.local.md", "USER.local.md", ""), ("SOUL.md", "SOUL.md", ""),
    ]  # fmt: skip
    assert read_overlays(str(tmp_path / "nowhere")) == ()


def test_nothing_of_it_moves_a_terminal_or_ends_an_argument(tmp_path: Path) -> None:
    (tmp_path / "USER.md").write_bytes("\ufeffA\x1b[2J\tda\r\n\x00caf\u00e9\u202e\n".encode())
    assert read_overlays(str(tmp_path)) == (Overlay(name="USER.md", text="A[2J\tda\ncaf\u00e9\n"),)


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept elsewhere")
    (tmp_path / "USER.md").symlink_to("mine")
    (tmp_path / "SOUL.md").symlink_to("nothing")
    assert read_overlays(str(tmp_path)) == (
        Overlay(name="USER.md", text="kept elsewhere"), Overlay(name="SOUL.md", fault="it is a link to nowhere"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (Path.mkdir, "it is not a regular file"),
        (os.mkfifo, "it is not a regular file"),
        (lambda path: path.write_bytes(b"\xff"), "it is not UTF-8 text"),
        (lambda path: path.write_text("x" * (MAX_BYTES + 1)), f"it has {MAX_BYTES + 1} bytes"),
        (lambda path: path.symlink_to("USER.md"), "Too many levels of symbolic links"),
    ],
)
def test_what_cannot_be_read_says_why(tmp_path: Path, make: object, fault: str) -> None:
    assert callable(make)
    make(tmp_path / "USER.md")
    (found,) = read_overlays(str(tmp_path))
    assert (found.name, found.text) == ("USER.md", "")
    assert found.fault.startswith(fault)


def test_every_look_reads_them_anew(tmp_path: Path) -> None:
    host = LocalHost({"HOME": str(tmp_path), "MOSAIC_HOME": str(tmp_path)})
    try:
        assert host.facts.overlays == ()
        (tmp_path / "USER.md").write_text("Call me Ada.")
        host.look()
        before = host.facts
        assert [one.text for one in before.overlays] == ["Call me Ada."]
        host.look()
        assert host.facts is before, "what stays the same is not made anew for a thousand agents"
    finally:
        host.close()
