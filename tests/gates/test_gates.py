"""The gates hold what ships, and each of them can fail."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.gates import rules
from tests.gates.rules import BUDGETS, NAMES, ROOT, RULES, said, shipped, too_long, unclean


def test_the_texts_are_within_their_budgets() -> None:
    assert [str(one) for one in too_long()] == []


def test_what_ships_names_nobody_and_no_place() -> None:
    assert [str(one) for one in unclean()] == []


def test_it_is_looked_at_all() -> None:
    names = {path.as_posix() for path in shipped()}
    assert {"specs/library/framework/CONSTITUTION.md", "providers/framework_files/agent-start"} <= names
    assert any(name.startswith("specs/library/personas/") for name in names)
    assert any(name.startswith("examples/") for name in names)


def test_the_command_is_open() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.gates"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """With one file for each budget, exactly as long as it may be."""
    for pattern, most in BUDGETS:
        path = tmp_path / pattern.replace("*", "one")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("line\n" * most, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in BUDGETS])
def test_each_budget_can_fail(checkout: Path, pattern: str) -> None:
    assert list(too_long(checkout)) == []
    path = checkout / pattern.replace("*", "one")
    path.write_text(path.read_text() + "one more\n")
    assert [one.path for one in too_long(checkout)] == [path.relative_to(checkout).as_posix()]
    path.unlink()
    assert [one.path for one in too_long(checkout)] == [pattern]


# Put together, so that this file itself says none of it.
SAYINGS = {
    "a private home": ("in /home/" + "somebody/src", "/Users/" + "somebody", "/root/" + ".ssh"),
    "a person's address": ("write to ada@" + "lovelace.org",),
    "a network address": ("at 10.1." + "2.3",),
    "a host's name": ("on build-7." + "internal", "nas." + "lan"),
    "a place on the network": ("see https://" + "git.somewhere.net/x", "ssh://" + "host/path"),
    "a token": ("sk-" + "a1b2c3d4e5f6a7b8c9", "ghp_" + "a" * 24, "-----BEGIN RSA " + "PRIVATE KEY-----"),
    "a long secret": ('password: "' + "correcthorsebattery" + '"', "API_KEY=" + "abcdef0123456789"),
    "a placeholder": ("Hello {{" + "name}}", "TO" + "DO: later"),
}


def test_every_rule_has_a_saying() -> None:
    assert SAYINGS.keys() == RULES.keys()


@pytest.mark.parametrize(("what", "line"), [(what, line) for what, lines in SAYINGS.items() for line in lines])
def test_each_rule_can_fail(what: str, line: str) -> None:
    found = [str(one) for one in said("file.md", f"fine\n{line}\n")]
    assert any(one.startswith(f"file.md:2: {what}") for one in found), found


def test_a_name_is_found_however_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(len(one) == 16 for one in NAMES)
    monkeypatch.setattr(rules, "NAMES", frozenset({hashlib.sha256(b"rumpelstilz").hexdigest()[:16]}))
    for line in ("Ask Rumpelstilz.", "host rumpelstilz-2 is down", "x-RUMPELSTILZ"):
        assert [one.line for one in said("file.md", line)] == [1], line
    assert list(said("file.md", "Ask somebody.")) == []


def test_what_is_no_text_is_found(checkout: Path) -> None:
    (checkout / "examples").mkdir()
    (checkout / "examples/blob").write_bytes(b"\xff\xfe\x00")
    assert [one.path for one in unclean(checkout)] == ["examples/blob"]
