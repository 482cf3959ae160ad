"""What counts as a change of a program's screens, and which versions are tried."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from providers.programs.base import Choice, Reading
from providers.screen import Screen
from tests.programs.captures import frames
from tests.real_agents.newest import differences, main
from tests.real_agents.packages import PINS, pins
from tests.real_agents.recording import pinned

PROMPT = "\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}"
ASKS = Reading(
    turn="busy",
    asks="permission",
    why="it asks for a permission",
    question="May I?",
    choices=(Choice(label="Yes", keys=("1",), means="allow"), Choice(label="No", keys=("2",), means="deny")),
)


def test_other_words_for_the_same_are_no_change() -> None:
    said = replace(
        ASKS, why="it asks", question="Would you?", choices=tuple(replace(one, label="x") for one in ASKS.choices)
    )
    assert differences(ASKS, said) == []


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (replace(ASKS, asks="unknown"), "asks is 'unknown', was 'permission'"),
        (replace(ASKS, turn="idle"), "turn is 'idle', was 'busy'"),
        (replace(ASKS, trouble="limit"), "trouble is 'limit', was ''"),
    ],
)
def test_what_decides_is_one(after: Reading, told: str) -> None:
    assert differences(ASKS, after) == [told]


def test_other_keys_are_one() -> None:
    (told,) = differences(ASKS, replace(ASKS, choices=ASKS.choices[::-1]))
    assert told.startswith("choices is ")


def test_a_version_takes_the_place_of_the_pinned_one() -> None:
    assert pins("") == PINS
    assert pins("codex=9.9.9 node=1.2.3") == {**PINS, "@openai/codex": "9.9.9", "node": "1.2.3"}


def test_an_unknown_program_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cluade"]) == 2
    assert "no program: cluade" in capsys.readouterr().err


def try_claude(
    monkeypatch: pytest.MonkeyPatch, cache: Path, taken: dict[str, Screen], failed: list[str], tests: list[str]
) -> int:
    """Its exit code, as if these were the screens and the failures of a newer version."""
    stage = SimpleNamespace(taken=taken, failed=failed)
    monkeypatch.setattr("tests.real_agents.newest.record", lambda *_: stage)
    monkeypatch.setattr("tests.real_agents.newest.try_tests", lambda _: tests)
    monkeypatch.setattr("tests.real_agents.newest.CACHE", cache)
    return main(["claude=99.0.0"])


def recorded() -> dict[str, Screen]:
    return {frame.name: frame.screen for frame in frames("claude") if frame.version == pinned("claude")}


def test_a_newer_version_with_the_same_screens_is_like_the_pinned_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert try_claude(monkeypatch, tmp_path, recorded(), [], []) == 0
    assert "claude: nothing changed" in capsys.readouterr().out


def test_what_a_newer_version_changed_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another prompt sign, a scene that cannot be played, and a test that fails."""
    screens = recorded()
    old = screens["idle.80"]
    lines, styled = (tuple(line.replace(PROMPT, "$") for line in drawn) for drawn in (old.lines, old.styled))
    screens["idle.80"] = replace(old, lines=lines, styled=styled)
    assert try_claude(monkeypatch, tmp_path, screens, ["trust: no such dialog"], ["tests/x.py::test_y"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert "  scene trust: no such dialog" in told
    assert [line for line in told if line.startswith("  screen ")] == [
        "  screen idle.80: turn is 'unknown', was 'idle'",
        "  screen idle.80: composer is 'hidden', was 'empty'",
    ]
    assert "  tests/x.py::test_y" in told
    assert (tmp_path / "newest/claude/99.0.0/idle.80.txt").exists(), "the screen can be looked at"
