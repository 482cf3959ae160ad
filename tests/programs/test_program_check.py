"""What the files of a program tell about starting it: made here, each as people meet it."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.processes.program_check import program_fault
from providers.program_fault import PACKAGES, is_older


def script(path: Path, text: str, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def elf(path: Path, machine: int, *, big: bool = False) -> Path:
    order = ">" if big else "<"
    head = b"\x7fELF" + bytes([2, 2 if big else 1, 1]) + bytes(9) + struct.pack(f"{order}HH", 2, machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + bytes(64))
    path.chmod(0o755)
    return path


def package(root: Path, name: str, version: str, *, node: str = "") -> Path:
    """A program as npm installs it: a link in bin, to a script in node_modules."""
    folder = root / "lib" / "node_modules" / name
    script(folder / "dist" / "cli.js", "#!/usr/bin/env node\n")
    engines = {"engines": {"node": node}} if node else {}
    (folder / "package.json").write_text(json.dumps({"name": name, "version": version, **engines}))
    link = root / "bin" / name.rpartition("/")[2]
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(folder / "dist" / "cli.js")
    return link


def word(runtime: str, program: str, *folders: Path) -> str:
    found = program_fault(runtime, program, ":".join(map(str, folders)) or "/nowhere")
    return found.word if found is not None else ""


def test_not_installed_names_the_path_and_the_way(tmp_path: Path) -> None:
    found = program_fault("claude", "claude", f"{tmp_path}:/nowhere")
    assert found is not None
    assert (found.word, found.certain) == ("not-installed", True)
    assert found.why == "claude is not on an agent's PATH"
    assert found.searched == f"{tmp_path}:/nowhere"
    assert found.repair == "npm install --global --prefix ~/.local @anthropic-ai/claude-code"
    other = program_fault("mine", "/opt/mine/run", "/nowhere")
    assert other is not None
    assert other.why == "/opt/mine/run is not there"
    assert "roster.yaml" in other.repair


CASES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "a script": ("", lambda p: script(p, "#!/bin/sh\n")),
    "no first line": ("", lambda p: script(p, "echo\n")),
    "mode": ("not-executable", lambda p: script(p, "#!/bin/sh\n", 0o644)),
    "a folder": ("not-installed", lambda p: p.mkdir(parents=True)),
    "a link to nowhere": ("not-installed", lambda p: p.symlink_to("nowhere")),
    "a loop": ("not-installed", lambda p: p.symlink_to(p.name)),
    "interpreter": ("no-interpreter", lambda p: script(p, "#!/opt/none/bin/python\n")),
    "env": ("no-interpreter", lambda p: script(p, "#!/usr/bin/env noodle\n")),
    "env -S": ("no-interpreter", lambda p: script(p, "#!/usr/bin/env -S noodle --x\n")),
    "env A=b": ("no-interpreter", lambda p: script(p, "#!/usr/bin/env A=b noodle\n")),
    "env sh": ("", lambda p: script(p, "#!/usr/bin/env sh\n")),
    "a space": ("", lambda p: script(p, "#! /bin/sh -e\n")),
    "s390x": ("wrong-processor", lambda p: elf(p, 22, big=True)),
    "empty": ("", lambda p: script(p, "")),
    "a FIFO": ("not-installed", lambda p: os.mkfifo(p, 0o755)),
}


@pytest.mark.parametrize(("wanted", "make"), CASES.values(), ids=CASES)
def test_what_the_files_tell(tmp_path: Path, wanted: str, make: Callable[[Path], object]) -> None:
    make(tmp_path / "prog")
    assert word("mine", "prog", tmp_path, Path("/usr/bin"), Path("/bin")) == wanted
    assert word("mine", str(tmp_path / "prog"), Path("/usr/bin"), Path("/bin")) == wanted


def test_this_machine_s_own_programs_are_fine() -> None:
    assert word("mine", "sh", Path("/bin")) == ""
    assert word("mine", "env", Path("/usr/bin")) == ""


def test_a_later_folder_counts_if_an_earlier_one_has_what_cannot_be_executed(tmp_path: Path) -> None:
    script(tmp_path / "one" / "prog", "", 0o644)
    script(tmp_path / "two" / "prog", "#!/bin/sh\n")
    assert word("mine", "prog", tmp_path / "one", tmp_path / "two") == ""


def test_a_program_of_npm_without_its_node(tmp_path: Path) -> None:
    link = package(tmp_path, "@openai/codex", "0.171.0")
    assert word("codex", "codex", link.parent) == "no-interpreter"
    script(tmp_path / "node" / "node", "#!/bin/sh\necho v22.1.0\n")
    assert word("codex", "codex", link.parent, tmp_path / "node") == ""


@pytest.mark.parametrize(
    ("version", "wanted"),
    [("0.9.0", "too-old"), ("0.168.9", "too-old"), ("0.169.0", ""), ("1.0.0-beta.1", ""), ("next", "")],
)
def test_an_old_version_is_said_and_holds_nothing(tmp_path: Path, version: str, wanted: str) -> None:
    link = package(tmp_path, "@openai/codex", version)
    script(tmp_path / "node" / "node", "#!/bin/sh\necho v22.1.0\n")
    found = program_fault("codex", "codex", f"{link.parent}:{tmp_path}/node")
    assert (found.word if found else "") == wanted
    assert found is None or not found.certain


@pytest.mark.parametrize(
    ("asked", "there", "wanted"),
    [
        (">=22", "v18.19.0", "too-old"),
        (">=20.19.4", "v20.19.3", "too-old"),
        (">=20.19.4", "v20.20.0", ""),
        ("^22 || ^24", "v18.0.0", ""),  # not read here: left to the start
        (">=22", "", ""),  # a node that does not answer proves nothing
    ],
)
def test_a_node_that_is_older_than_the_program_asks_for(tmp_path: Path, asked: str, there: str, wanted: str) -> None:
    name, tried, _ = PACKAGES["pi"]
    link = package(tmp_path, name, tried, node=asked)
    script(tmp_path / "node" / "node", f"#!/bin/sh\necho {there}\n" if there else "#!/bin/sh\nexit 1\n")
    link.parent.joinpath("pi").symlink_to(link.name)
    assert word("pi", "pi", link.parent, tmp_path / "node") == wanted


def test_versions_are_compared_by_their_numbers() -> None:
    assert is_older("2.1.9", "2.1.197")
    assert not is_older("2.1.197", "2.1.197")
    assert not is_older("", "1.0")
    assert not is_older("nightly", "1.0")
