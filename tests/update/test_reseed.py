"""Framework files in `$MOSAIC_HOME`: put back, brought up to date, and nothing of the operator's lost."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from providers.base import HeldReason, Reason
from providers.kinds import reseed
from providers.shipped import manifest
from providers.shipped.release import LAYOUT, VERSION, release
from providers.steps import KeepFile, WriteFile
from tests.update.bench import KEPT, NEW, OLD, Bench, install, reason, state


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_what_ships_is_the_frameworks_to_own() -> None:
    shipped = release()
    assert {"CONSTITUTION.md", "AGENTS.md", "STANDARDS.md", "TOOLS.md"} <= shipped.files.keys()
    assert {"runtime/claude/RUNTIME.md", "guides/delivery.md"} <= shipped.files.keys()
    assert set(shipped.seeds) == {"SOUL.md", "USER.md"}
    manifest.of_release(shipped)


def test_the_version_is_the_packages() -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert re.search(r'^version = "(.*)"$', text, re.MULTILINE)[1] == VERSION  # type: ignore[index]


@pytest.mark.parametrize(
    "path",
    [
        "SOUL.md", "USER.md", "SOUL.local.md", "STANDARDS.local.md", "policy/one.md", "credentials.json", "x.yaml",
        "fleet/agents/a.env", "../AGENTS.md", "guides/../../x.md", "/etc/passwd", "guides/a/b.md", "notes.md",
    ],
)  # fmt: skip
def test_what_is_the_operators_can_never_be_owned(path: str) -> None:
    assert not manifest.ownable(path)
    listed = manifest.render(manifest.of_release(NEW)).replace("AGENTS.md", path)
    assert path not in manifest.read(listed).files
    with pytest.raises(ValueError, match="not the framework's"):
        manifest.of_release(replace(NEW, files={path: "x"}))


def test_from_nothing(bench: Bench) -> None:
    assert bench.converge() == 1
    assert bench.everything().keys() == {*NEW.files, *NEW.seeds, manifest.NAME}
    assert bench.read("guides/review.md") == "new review\n"
    assert (bench.home / "SOUL.md").stat().st_mode & 0o777 == 0o600
    assert manifest.read(bench.read(manifest.NAME)) == manifest.of_release(NEW)


def test_an_older_version_is_written_over_and_what_is_gone_is_removed(bench: Bench) -> None:
    install(bench, OLD)
    due = bench.look()
    assert due is not None
    assert reason(due[0]) is Reason.FRAMEWORK
    assert bench.converge() == 1
    assert bench.everything().keys() == {*NEW.files, *NEW.seeds, manifest.NAME}
    assert bench.read("AGENTS.md") == NEW.files["AGENTS.md"]
    assert not (bench.home / "runtime/stub").exists()


def test_what_is_missing_or_has_another_mode_is_put_back(bench: Bench) -> None:
    bench.converge()
    (bench.home / "AGENTS.md").unlink()
    (bench.home / "CONSTITUTION.md").chmod(0o600)
    due = bench.look()
    assert due is not None
    assert reason(due[0]) is Reason.DRIFT
    assert bench.run() == 2
    assert bench.run() == 0
    assert (bench.home / "CONSTITUTION.md").stat().st_mode & 0o777 == 0o644


def test_an_edit_is_kept_once(bench: Bench) -> None:
    bench.converge()
    bench.put("AGENTS.md", "mine\n", 0o640)
    due = bench.look()
    assert due is not None
    assert [change.live for change in due[0].changes if change.path == "AGENTS.md"] == [
        f"{manifest.digest(b'mine' + bytes([10]))[:12]}: edited by hand; kept as {KEPT}"
    ]
    assert bench.converge() == 1
    assert (bench.read(KEPT), bench.read("AGENTS.md")) == ("mine\n", NEW.files["AGENTS.md"])
    assert (bench.home / KEPT).stat().st_mode & 0o777 == 0o640
    bench.put("AGENTS.md", "mine\n")
    bench.converge()
    assert not (bench.home / "AGENTS.md.pre-constitution.2.bak").exists(), "the same edit is not kept twice"
    bench.put("AGENTS.md", "another\n")
    bench.converge()
    assert bench.read(KEPT) == "mine\n"
    assert bench.read("AGENTS.md.pre-constitution.2.bak") == "another\n"


def test_an_edit_that_is_no_text_is_kept_byte_for_byte(bench: Bench) -> None:
    bench.converge()
    bench.put("AGENTS.md", b"\xff\x00 not UTF-8")
    bench.converge()
    assert (bench.home / KEPT).read_bytes() == b"\xff\x00 not UTF-8"


def test_what_was_added_to_the_standards_becomes_the_overlay(bench: Bench) -> None:
    install(bench, OLD)
    bench.put("STANDARDS.md", OLD.files["STANDARDS.md"] + "- three, ours\n")
    assert bench.converge() == 1
    assert bench.read("STANDARDS.local.md") == "- three, ours\n"
    assert bench.read("STANDARDS.md") == NEW.files["STANDARDS.md"]
    assert not (bench.home / "STANDARDS.md.pre-constitution.bak").exists()


def test_an_overlay_that_is_there_is_not_touched(bench: Bench) -> None:
    install(bench, OLD)
    bench.put("STANDARDS.local.md", "ours already\n")
    edited = OLD.files["STANDARDS.md"] + "- three\n"
    bench.put("STANDARDS.md", edited)
    bench.converge()
    assert bench.read("STANDARDS.local.md") == "ours already\n"
    assert bench.read("STANDARDS.md.pre-constitution.bak") == edited


def test_an_edited_file_that_is_no_longer_shipped_stays(bench: Bench) -> None:
    install(bench, OLD)
    bench.put("guides/gone.md", "ours now\n")
    assert bench.converge() == 1
    assert bench.read("guides/gone.md") == "ours now\n"
    assert "guides/gone.md" not in manifest.read(bench.read(manifest.NAME)).files


def test_a_seed_is_written_once(bench: Bench) -> None:
    bench.put("USER.md", "me\n")
    bench.converge()
    (bench.home / "SOUL.md").unlink()
    assert bench.converge() == 0
    assert not (bench.home / "SOUL.md").exists()
    assert bench.read("USER.md") == "me\n"


def test_links_and_folders_are_held_and_never_followed(bench: Bench, tmp_path: Path) -> None:
    bench.converge()
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "guides").mkdir(parents=True)
    (elsewhere / "agents").write_text("somebody's\n")
    (bench.home / "AGENTS.md").unlink()
    (bench.home / "AGENTS.md").symlink_to(elsewhere / "agents")
    (bench.home / "CONSTITUTION.md").unlink()
    (bench.home / "CONSTITUTION.md").mkdir()
    for guide in (bench.home / "guides").iterdir():
        guide.unlink()
    (bench.home / "guides").rmdir()
    (bench.home / "guides").symlink_to(elsewhere / "guides")
    (bench.home / "runtime/pi/RUNTIME.md").unlink()
    os.mkfifo(bench.home / "runtime/pi/RUNTIME.md")
    assert bench.run() == 0
    assert {held.target: held.reason for held in bench.held} == dict.fromkeys(
        ("AGENTS.md", "CONSTITUTION.md", "guides/delivery.md", "guides/review.md", "runtime/pi/RUNTIME.md"),
        HeldReason.NOT_OWNED,
    )
    assert list((elsewhere / "guides").iterdir()) == []
    assert (elsewhere / "agents").read_text() == "somebody's\n"
    (bench.home / "STANDARDS.md").unlink()
    assert bench.run() == 1, "the rest goes on"


def test_a_manifest_that_is_a_link_holds_everything(bench: Bench) -> None:
    bench.converge()
    (bench.home / manifest.NAME).unlink()
    (bench.home / manifest.NAME).symlink_to("/dev/null")
    assert bench.run() == 0
    assert [held.reason for held in bench.held] == [HeldReason.NOT_OWNED]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"layout": "x"}', '{"layout": 4, "version": "1", "files": {"A.md": 3}}']
)
def test_a_damaged_manifest_knows_nothing_and_loses_nothing(bench: Bench, text: str) -> None:
    install(bench, OLD)
    bench.put(manifest.NAME, text)
    assert bench.converge() == 1
    assert bench.read("AGENTS.md") == NEW.files["AGENTS.md"]
    assert bench.read(KEPT) == OLD.files["AGENTS.md"], "nobody knows whose it was, so it is kept"


def test_files_of_a_newer_version_are_held(bench: Bench) -> None:
    install(bench, replace(OLD, version="7.0"))
    assert bench.run() == 0
    assert [held.reason for held in bench.held] == [HeldReason.DEPENDENCY]
    assert "7.0" in bench.held[0].message


def test_a_newer_layout_is_held(bench: Bench) -> None:
    bench.converge()
    text = bench.read(manifest.NAME)
    bench.put(manifest.NAME, text.replace(f'"layout": {LAYOUT}', f'"layout": {LAYOUT + 1}'))
    assert bench.run() == 0
    assert [held.reason for held in bench.held] == [HeldReason.DEPENDENCY]


def test_a_hold_is_respected(bench: Bench) -> None:
    install(bench, OLD)
    bench.put(manifest.HOLD, "not before Monday\n")
    assert bench.run() == 0
    assert [held.reason for held in bench.held] == [HeldReason.SUSPENDED]
    assert bench.held[0].message.startswith("not before Monday; ")
    (bench.home / manifest.HOLD).unlink()
    assert bench.converge() == 1


@pytest.mark.parametrize("also", ["", "rails/tool.sh", "tools/tool.sh"])
def test_an_install_of_an_older_layout_is_held(bench: Bench, also: str) -> None:
    bench.put("AGENTS.md", "everything\n")
    if also:
        bench.put(also, "#!/bin/sh\n")
        bench.put("CONSTITUTION.md", "law\n")
    before = bench.everything()
    assert bench.run() == 0
    assert [held.reason for held in bench.held] == [HeldReason.DEPENDENCY]
    assert "mosaic update" in bench.held[0].message
    assert bench.everything() == before


def test_what_changes_between_look_and_step_is_not_written_over(bench: Bench) -> None:
    install(bench, OLD)
    steps = bench.steps()
    bench.put("AGENTS.md", "just now\n")
    bench.put("guides/gone.md", "just now\n")
    bench.put("CONSTITUTION.md", "just now\n")
    assert len(bench.carry_out(*steps)) == 3
    for name in ("AGENTS.md", "guides/gone.md", "CONSTITUTION.md"):
        assert bench.read(name) == "just now\n"


def test_a_kept_file_is_never_written_over(bench: Bench) -> None:
    bench.put("one", "one\n")
    bench.put("two", "two\n")
    step = KeepFile(path=str(bench.home / "one"), kept=str(bench.home / "two"), digest=manifest.digest(b"one\n"))
    assert len(bench.carry_out(step)) == 1
    assert bench.read("two") == "two\n"
    assert state(bench, "one") is not None


def test_a_file_system_without_hard_links(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    bench.converge()
    bench.put("AGENTS.md", b"mine \xff\n", 0o640)
    monkeypatch.setattr(os, "link", refuse)
    assert bench.converge() == 1
    assert (bench.home / KEPT).read_bytes() == b"mine \xff\n"
    assert (bench.home / KEPT).stat().st_mode & 0o777 == 0o640


def test_a_file_that_is_edited_again_and_again_is_held_in_the_end(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reseed, "MOST_KEPT", 2)
    bench.converge()
    for text in ("one\n", "two\n"):
        bench.put("AGENTS.md", text)
        bench.converge()
    bench.put("AGENTS.md", "three\n")
    assert bench.run() == 0
    assert [(held.target, held.reason) for held in bench.held] == [("AGENTS.md", HeldReason.NOT_OWNED)]
    assert bench.read("AGENTS.md") == "three\n"


def test_a_file_where_a_folder_should_be_is_held(bench: Bench) -> None:
    bench.put("guides", "notes of mine\n")
    bench.converge()
    assert {held.target for held in bench.held} == {"guides/delivery.md", "guides/review.md"}
    assert bench.read("guides") == "notes of mine\n"
    assert bench.read("AGENTS.md") == NEW.files["AGENTS.md"]


def test_what_cannot_be_read_is_unknown_and_left(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root reads everything, the refusal is made."""
    bench.converge()
    real = os.open

    def refuse(path: str, *args: int, **options: int) -> int:
        if str(path).endswith("/AGENTS.md"):
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **options)

    monkeypatch.setattr(os, "open", refuse)
    (bench.home / "STANDARDS.md").unlink()
    assert [step.path for step in bench.steps() if isinstance(step, WriteFile)] == [f"{bench.home}/STANDARDS.md"]
    [held] = bench.held
    assert (held.reason, held.target) == (HeldReason.UNKNOWN, "AGENTS.md")
    assert "Permission denied" in held.message


def test_the_home_may_be_a_link_of_the_operators(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    bench.home.symlink_to(tmp_path / "dotfiles")
    assert bench.converge() == 1
    assert (tmp_path / "dotfiles/AGENTS.md").read_text() == NEW.files["AGENTS.md"]
