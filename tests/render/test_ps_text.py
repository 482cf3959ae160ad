"""The list as a person sees it, whatever the width: nothing is lost, and nothing is drawn. Its words: tests/golden."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.helpers.words import Tint
from reconciler.listing.row import Row
from reconciler.render.ps_text import DROPPED, cpu, length, ps_text, size, table
from reconciler.status.values import Pause
from tests.golden.agents import ASKS, LONG, ROWS
from tests.inspection.seen import listed, row


def test_a_heading_that_is_too_long_goes_on_below() -> None:
    lines = ps_text(listed(row(), problems=("linger could not be seen: " + "it hangs " * 20,)), width=40).splitlines()
    assert lines[0] == "fleet demo of ada on build-1, commit"
    assert lines[1] == "    1a2b3c4d5e6f"
    assert all(len(line) <= 40 for line in lines)


def test_two_hundred_columns_have_room_for_the_reason() -> None:
    lines = ps_text(listed(*ROWS), width=200).splitlines()
    assert lines[2].split() == [
        "AGENT", "CLASS", "RUNTIME", "STATE", "SYNC", "WHY", "UP", "IDLE", "HB", "RESTARTS", "CPU", "MEM",
    ]  # fmt: skip
    assert lines[3].startswith(
        "coder0  coder         claude   dead     held    its unit is active, but its pane is dead"
    )
    assert lines[4].strip().startswith("quarantine: ") or "in quarantine" in " ".join(lines[3:5])
    assert all(len(line) <= 200 for line in lines)
    assert "not shown" not in "\n".join(lines)


def test_a_short_reason_stays_in_its_row_when_there_is_room() -> None:
    lines = table([ASKS, row("worker")], width=120)
    assert lines[0].split()[5] == "WHY"
    assert "it waits for a person (login)" in lines[1]
    assert len(lines) == 3


def words(lines: list[str]) -> str:
    return re.sub(r"\s+", "", " ".join(lines))


NAMES = st.from_regex(r"[A-Za-z0-9_.-]{1,40}", fullmatch=True)
SENTENCES = st.text(st.characters(codec="utf-8"), max_size=200)
ANY_ROW = st.builds(
    row,
    NAMES,
    agent_class=NAMES,
    runtime=NAMES,
    wrong=st.booleans(),
    problems=st.lists(SENTENCES, max_size=2).map(tuple),
    idle=st.none() | st.floats(0, 1e7),
    cpu_s=st.none() | st.floats(0, 1e7),
    memory=st.none() | st.integers(0, 2**45),
    host=st.sampled_from(("build-1", "build-2")),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ANY_ROW, min_size=1, max_size=4), st.integers(60, 250))
def test_no_line_is_wider_than_the_terminal_and_no_reason_is_lost(given_rows: list[Row], width: int) -> None:
    lines = table(given_rows, width=width)
    assert all(len(line) <= width for line in lines)
    assert not any(unicodedata.category(letter) == "Cc" for line in lines for letter in line)
    shown = words(lines)
    if lines[0].split().count("WHY"):
        return  # wrapped inside its column, between the others
    for one in given_rows:
        from reconciler.helpers.words import data

        assert words([data(one.why)]) in shown


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ANY_ROW, min_size=1, max_size=4))
def test_off_a_terminal_nothing_is_cut(given_rows: list[Row]) -> None:
    from reconciler.helpers.words import data

    lines = table(given_rows)
    assert len(lines) == len(given_rows) + 1
    for line, one in zip(lines[1:], given_rows, strict=True):
        assert line.startswith(one.name)
        assert (data(one.why) or "-") in line
        assert one.agent_class in line


def test_columns_go_in_the_order_that_is_stated() -> None:
    before: set[str] = set()
    for width in range(110, 20, -1):
        gone = set(DROPPED) - set(table(ROWS, width=width)[0].split())
        assert before <= gone
        assert gone == set(DROPPED[: len(gone)])
        before = gone
    assert before == set(DROPPED)


def test_a_name_that_is_longer_than_the_screen_is_cut_with_a_mark() -> None:
    lines = table([row("a" * 60)], width=40)
    assert lines[1].split()[0].endswith("a~")
    assert all(len(line) <= 40 for line in lines)


def test_wide_has_everything_whatever_the_terminal() -> None:
    text = ps_text(listed(*ROWS), width=80, wide=True)
    head = text.splitlines()[2].split()
    assert head[-13:] == [
        "KIND", "HOST", "TENANT", "DECLARED", "UNIT", "ENABLED", "PANE", "PROGRAM", "PID", "SOCKET", "HB-FROM",
        "MAY-STOP", "NEXT",
    ]  # fmt: skip
    assert LONG in text


def test_hosts_are_told_apart() -> None:
    assert "HOST" not in table([row("a"), row("b")])[0]
    lines = table([row("a"), row("b", host="build-2")])
    assert lines[0].split()[:2] == ["AGENT", "HOST"]
    assert lines[2].split()[:2] == ["b", "build-2"]


@pytest.mark.parametrize(
    ("more", "last"),
    [
        ({"rejected": "it is not valid"}, "1 agent: 1 working; the newest commit is not taken"),
        ({"problems": ("linger is off", "b")}, "1 agent: 1 working; 2 problems of the fleet as a whole"),
        ({"problems": ("b",), "pause": Pause(reason="storm")}, "1 agent: 1 working; nothing wrong"),
        ({}, "1 agent: 1 working; nothing wrong"),
    ],
)
def test_the_last_line_agrees_with_a_check(more: dict[str, Any], last: str) -> None:
    found = listed(row(), **more)
    assert ps_text(found).splitlines()[-1] == last
    assert found.wrong is ("nothing wrong" not in last)


def test_colours_are_of_whole_lines_and_only_where_they_are_asked_for() -> None:
    def paint(text: str, tint: Tint) -> str:
        return f"<{tint}>{text}</>"

    lines = table(ROWS, paint=paint)
    assert [re.match(r"<(\w+)>", line) and re.match(r"<(\w+)>", line)[1] for line in lines] == [  # type: ignore[index]
        "bold", "red", "yellow", None, "dim",
    ]  # fmt: skip
    plain = ps_text(listed(*ROWS))
    assert plain.isascii()
    assert "\x1b" not in plain


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (length(None), ""), (length(0.4), "0s"), (length(125.0), "2m5s"), (length(90000.0), "1d1h"),
        (cpu(None), ""), (cpu(0.04), "0.0s"), (cpu(9.94), "9.9s"), (cpu(12.0), "12s"), (cpu(185.0), "3m5s"),
        (size(None), ""), (size(0), "0K"), (size(2**20), "1M"), (size(310 * 2**20), "310M"), (size(3 * 2**29), "1.5G"),
        (size(20 * 2**30), "20G"),
    ],
)  # fmt: skip
def test_small_words(made: str, text: str) -> None:
    assert made == text
