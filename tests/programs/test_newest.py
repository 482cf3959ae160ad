"""What counts as a change of a program's screens, and which versions are tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.programs.base import Choice, Reading
from tests.real_agents.newest import differences, main
from tests.real_agents.packages import PINS, pins

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
