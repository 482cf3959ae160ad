"""What needs a person on every host: what each answers, and what is said of one that does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reconciler.remote.attention import attention_of
from reconciler.render.attention_text import FailingRow, attention_document, attention_text, case_rows
from tests.golden.agents import cases
from tests.remote.test_everywhere import NOW, fleet
from tests.remote.test_ssh import SSH, program

PEER = ("coder0", "far", "ada@far.example")
DESKTOP = FailingRow(notifier="desktop", host="machine-17", since=NOW, error="it is off")


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `mosaic` over there prints, as a file that a test may change."""
    program(tmp_path / "ssh", SSH)
    program(tmp_path / "mosaic", f'#!/bin/sh\nprintf "%s\\n" "$*" >{tmp_path}/asked\ncat {tmp_path}/answer\n')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    rows = case_rows(cases(), "machine-17", NOW)
    answer = tmp_path / "answer"
    answer.write_text(json.dumps(attention_document(fleet(), rows, [DESKTOP], {}, NOW)))
    return answer


def test_each_host_answers_for_itself(far: Path) -> None:
    """Under the name that the fleet has for it."""
    found = attention_of(fleet(PEER))
    assert (far.parent / "asked").read_text() == "fleet attention --fleet pair -o json\n"
    assert {one["host"] for one in (*found.cases, *found.failing)} == {"far"}
    assert len(found.cases) == len(cases())
    assert "mosaic agent answer coder0 --case" in attention_text(found.cases, [], now=NOW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"AttentionList"', '"AgentList"'),
        ('"permission"', '"permision"'),
        ('"age_s": ', '"age": '),
        ('"notified": [{', '"notified": {"x": [{'),
        ('"choices": [', '"choices": [3, '),
        ('"failing"', '"fails"'),
        ('"since": "', '"since": "not '),
        ("{", "["),
    ],
)
def test_a_host_whose_answer_is_not_understood_is_silent(far: Path, old: str, new: str) -> None:
    text = far.read_text()
    assert old in text
    far.write_text(text.replace(old, new, 1))
    found = attention_of(fleet(PEER))
    assert found.cases == ()
    assert list(found.silent) == ["far"]


def test_a_host_that_is_not_reached_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert attention_of(fleet(PEER)).silent["far"].startswith("ssh is not on PATH")
