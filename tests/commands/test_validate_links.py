"""`mosaic fleet validate` follows a link as the host does, or refuses it as the host does; nothing of what lies outside
is ever shown."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.changes.working_copy import read_folder
from reconciler.context.settings import Settings
from reconciler.errors import MosaicError, NotFound
from reconciler.source.fetch import open_source
from tests.commands.calling import fleet

ROSTER = "version: 1\nagents:\n  - {name: a, runtime: stub}\n"
PRIVATE = "lies-outside: 1\n"


def link(target: str, name: str = "roster.yaml") -> Callable[[Path], None]:
    def make(root: Path) -> None:
        path = root / name
        path.unlink(missing_ok=True)
        path.parent.mkdir(exist_ok=True)
        path.symlink_to(target.replace("ROOT", str(root)).replace("OUT", str(root.parent / "outside")))

    return make


def chain(root: Path) -> None:
    link("one")(root)
    (root / "one").symlink_to("folder/two")
    (root / "folder").mkdir()
    (root / "folder" / "two").symlink_to("../../outside")


def inside(root: Path) -> None:
    (root / "live").mkdir()
    (root / "roster.yaml").rename(root / "live" / "roster.yaml")
    (root / "current").symlink_to("live")
    link("current/../current/roster.yaml")(root)


def folder(root: Path) -> None:
    (root / "roles" / "worker.md").mkdir(parents=True)
    (root / "roles" / "worker.md" / "x").write_text("x")


def through_a_file(root: Path) -> None:
    (root / "plain").write_text("x")
    link("plain/roster.yaml")(root)


def roles_outside(root: Path) -> None:
    (root.parent / "contracts").mkdir()
    (root.parent / "contracts" / "worker.md").write_text(PRIVATE)
    (root / "roles").symlink_to("../contracts")


CASES: dict[str, tuple[Callable[[Path], None], int]] = {
    "outside": (link("../outside"), 5),
    "outside, absolute": (link("OUT"), 5),
    "inside, absolute": (link("ROOT/fleet.yaml"), 5),
    "a device without an end": (link("/dev/zero"), 5),
    "a chain": (chain, 5),
    "fleet.yaml": (link("../outside", "fleet.yaml"), 5),
    "a mission": (link("../outside", "NORTH_STAR.yaml"), 5),
    "a contract": (link("../../outside", "roles/worker.md"), 5),
    "a type": (link("../../outside", "profiles/mine.yaml"), 5),
    "a folder of contracts": (roles_outside, 5),
    "to itself": (link("roster.yaml"), 78),
    "to nothing": (link("nowhere"), 78),
    "through a file": (through_a_file, 78),
    "a folder": (folder, 78),
    "inside": (inside, 0),
}


@pytest.mark.parametrize(("make", "code"), CASES.values(), ids=CASES)
def test_validate_says_what_the_host_says(make: Callable[[Path], None], code: int, tmp_path: Path) -> None:
    root = tmp_path / "fleet"
    root.mkdir()
    (tmp_path / "outside").write_text(PRIVATE)
    (root / "roster.yaml").write_text(ROSTER)
    (root / "fleet.yaml").write_text("version: 1\nfloor: none\n")
    make(root)
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=root, check=True, timeout=60)
    said = fleet("validate", str(root))
    assert said.code == code, said.err
    assert "lies-outside" not in said.out + said.err
    with open_source(str(root), settings=Settings(), state_dir=tmp_path / "state", now=1.0) as source:
        if code == 0:
            assert read_folder(root) == source.files
            return
        with pytest.raises(MosaicError) as caught:
            _ = source.files
    assert caught.value.exit_code == code
    assert caught.value.message in said.err, "in the same words"


def test_an_empty_folder_is_nothing_that_could_be_committed(tmp_path: Path) -> None:
    (tmp_path / "roster.yaml").write_text(ROSTER)
    (tmp_path / "roles" / "worker.md" / "y").mkdir(parents=True)
    assert set(read_folder(tmp_path)) == {"roster.yaml"}


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "roster.yaml")
    with pytest.raises(MosaicError, match="a FIFO is there, not a regular file"):
        read_folder(tmp_path)
    with pytest.raises(NotFound):
        read_folder(tmp_path / "none")
