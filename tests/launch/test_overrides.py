"""What counts as another unit, from files as they may lie in systemd's folders."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest

from providers.base import ObserveError
from providers.host import Look, UnitFile
from providers.kinds.framework import PROGRAMS, UNITS
from providers.kinds.overrides import Override, overrides, reload_shut
from providers.shipped.uses import uses_of
from providers.systemd.unit_files import scan

TEMPLATE = "mosaic-agent@.service"
UNIT = "mosaic-agent@b.service"


class Folders:
    """Five folders in systemd's order; the framework's own is the second. `fails`: what a condition of a unit says."""

    def __init__(self, top: Path) -> None:
        self.path = [top / name for name in ("control", "own", "etc", "run", "lib")]
        for folder in self.path:
            folder.mkdir()
        self.own = self.path[1]
        (self.own / TEMPLATE).write_text("[Service]\nExecStart=/bin/true\n")
        self.fails: dict[str, str | None] = {}
        self.asked: list[str] = []

    def put(self, folder: int, name: str, text: str = "") -> Path:
        path = self.path[folder] / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def unit_files(self) -> tuple[UnitFile, ...]:
        return scan([str(folder) for folder in self.path], str(self.own))

    def failing_condition(self, unit: str) -> str:
        self.asked.append(unit)
        said = self.fails.get(unit, "")
        if said is None:
            raise ObserveError("cannot be evaluated")
        return said

    def judged(self, *agents: str) -> dict[str, Override]:
        return overrides(cast(Look, cast(Any, self)), agents or ("a", "b"))

    def word(self, unit: str = UNIT) -> str:
        found = self.judged()
        assert found.keys() <= {unit}
        return found[unit].word if found else ""


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_as_shipped(folders: Folders) -> None:
    folders.put(4, TEMPLATE, "[Service]\nExecStart=/bin/false\n")  # comes after ours
    folders.put(1, "default.target.wants/" + UNIT)
    folders.put(1, "other.service.d/x.conf", "[Service]\nExecStart=/bin/false\n")
    assert folders.judged() == {}


@pytest.mark.parametrize("folder", range(5))
def test_a_mask_counts_wherever_it_is(folders: Folders, folder: int) -> None:
    (folders.path[folder] / UNIT).symlink_to("/dev/null")
    assert folders.word() == "masked"
    assert f"{folders.path[folder] / UNIT}" in folders.judged()[UNIT].why


def test_the_first_of_several_counts(folders: Folders) -> None:
    folders.put(2, UNIT, "[Service]\nExecStart=/bin/false\n")
    (folders.path[3] / UNIT).symlink_to("/dev/null")
    assert folders.word() == "overridden"
    folders.put(0, UNIT)
    assert folders.word() == "masked", "an empty file is a mask"


def test_a_template_that_comes_before_ours_is_for_all(folders: Folders) -> None:
    folders.put(0, TEMPLATE, "[Service]\nExecStart=/bin/false\n")
    assert {unit: one.word for unit, one in folders.judged().items()} == {
        UNIT: "overridden",
        "mosaic-agent@a.service": "overridden",
    }


def test_a_link_to_ours_is_ours(folders: Folders) -> None:
    (folders.own / UNIT).symlink_to(folders.own / TEMPLATE)
    assert folders.word() == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[Service]\nExecStart=\nExecStart=/bin/false\n", "overridden"),
        ("[Service]\n  Type = simple\n", "overridden"),
        ("[Service]\nExecStop=\n", "overridden"),
        ("[Service]\n# ExecStart=/bin/false\n;Type=x\nEnvironment=ExecStart=1\n", ""),
        ("[Service]\nEnvironment=A=1 \\\n  B=2\nNice=5\nMemoryMax=1G\nTimeoutStartSec=5\n", ""),
        ("[Unit]\nDescription=mine\nDocumentation=man:x\n", ""),
        ("[Unit]\nConditionPathExists=\n", ""),
        ("", ""),
    ],
)
def test_what_a_drop_in_may_set(folders: Folders, text: str, word: str) -> None:
    folders.put(2, f"{UNIT}.d/x.conf", text)
    assert folders.word() == word
    assert folders.asked == []


@pytest.mark.parametrize("name", [TEMPLATE, "mosaic-@.service", "mosaic-.service", "mosaic-@b.service", "service"])
def test_whose_drop_ins_count(folders: Folders, name: str) -> None:
    folders.put(2, f"{name}.d/x.conf", "[Service]\nExecStart=/bin/false\n")
    found = folders.judged()
    assert found[UNIT].word == "overridden"
    assert ("mosaic-agent@a.service" in found) is ("b" not in name)
    assert ("mosaic-tmux-holder.service" in found) is (name in ("mosaic-.service", "service"))


def test_a_drop_in_of_one_name_hides_the_others(folders: Folders) -> None:
    folders.put(4, f"{TEMPLATE}.d/x.conf", "[Service]\nExecStart=/bin/false\n")
    folders.put(2, f"{UNIT}.d/x.conf", "[Service]\nNice=1\n")
    assert folders.judged("b") == {}
    (folders.path[0] / f"{TEMPLATE}.d").mkdir()
    (folders.path[0] / f"{TEMPLATE}.d/x.conf").symlink_to("/dev/null")
    assert folders.judged() == {}


def test_a_condition_is_asked_for_where_there_is_one(folders: Folders) -> None:
    folders.put(2, f"{UNIT}.d/x.conf", "[Unit]\nConditionPathExists=/x\n")
    assert folders.word() == ""
    folders.fails[UNIT] = "ConditionPathExists=/x"
    assert folders.word() == "overridden"
    assert "ConditionPathExists=/x" in folders.judged()[UNIT].why
    folders.fails[UNIT] = None
    assert "cannot be evaluated" in folders.judged()[UNIT].why
    assert set(folders.asked) == {UNIT}


def test_a_condition_for_all_is_judged_once(folders: Folders) -> None:
    folders.put(2, f"{TEMPLATE}.d/x.conf", "[Unit]\nAssertPathExists=/x\n")
    names = [f"a{number}" for number in range(50)]
    folders.fails["mosaic-agent@a0.service"] = "AssertPathExists=/x"
    assert len(folders.judged(*names)) == 50
    assert len(folders.asked) == 1


def test_what_cannot_be_read_is_nothing(folders: Folders) -> None:
    folders.put(2, f"{UNIT}.d/x.conf", "[Service]\nExecStart=/bin/false\n").unlink()
    (folders.path[2] / f"{UNIT}.d/x.conf").symlink_to("nowhere")
    (folders.path[3] / UNIT).mkdir()
    (folders.path[4]).rmdir()
    assert folders.judged() == {}


def test_what_systemd_would_wait_for(folders: Folders) -> None:
    assert reload_shut(folders.unit_files()) is None
    (folders.path[2] / f"{UNIT}.d").mkdir()
    os.mkfifo(folders.path[2] / f"{UNIT}.d" / "x.conf")
    shut = reload_shut(folders.unit_files())
    assert folders.word() == "overridden"
    assert shut == folders.judged()[UNIT]
    assert "is a FIFO, which systemd would wait for" in shut.why
    (folders.path[2] / f"{UNIT}.d" / "x.conf").unlink()
    (folders.path[2] / f"{UNIT}.d" / "x.conf").symlink_to("/dev/null")
    assert reload_shut(folders.unit_files()) is None
    assert folders.judged() == {}


def test_a_change_has_another_stamp(folders: Folders) -> None:
    path = folders.put(2, f"{UNIT}.d/x.conf", "[Service]\nNice=1\n")
    before = folders.unit_files()
    assert folders.unit_files() == before
    path.write_text("[Service]\nNice=12\n")
    assert folders.unit_files() != before


def test_every_file_of_the_framework_says_what_it_is_needed_for() -> None:
    """A new one has to be thought about: either something waits for it, or it is named here."""
    nobody_waits = {"agent-hook", "mosaic"}
    assert {name for name in (*PROGRAMS, *UNITS) if not uses_of(f"/x/{name}")} == nobody_waits
