"""Durations, times, plain words, circles: the small pure pieces."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specs.values.durations import parse_duration, parse_moment
from specs.values.graph import cycles
from specs.values.names import name_fault, session_name
from specs.values.scalars import resolve
from specs.values.suggest import Suggester


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15s", 15),
        ("5m", 300),
        ("2h", 7200),
        ("1d", 86400),
        ("1h30m", 5400),
        ("500ms", 0.5),
        ("1.5h", 5400),
        (7, 7),
        (0.25, 0.25),
    ],
)
def test_durations(text: str | float, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "5", "s", "5 m", "5M", "-5s", "1m 5s", "5ss", "٣s", "0s", "9999d", "5m!", float("nan"), float("inf"), 0, -1],
)
def test_what_is_no_duration(text: str | float) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_duration(text)


@given(st.one_of(st.text(), st.floats(), st.integers()))
def test_a_duration_is_positive_or_refused(text: str | float) -> None:
    with contextlib.suppress(ValueError):
        assert parse_duration(text) > 0


def test_moments() -> None:
    assert parse_moment("1970-01-01T00:01:00Z") == 60
    assert parse_moment("1970-01-01t01:01:00.5+01:00") == 60.5


@pytest.mark.parametrize(
    "text", ["2030-01-01", "2030-01-01T00:00:00", "soon", "2030-02-30T00:00:00Z", "20300101T000000Z"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        parse_moment(text)


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("", None),
        ("~", None),
        ("Null", None),
        ("true", True),
        ("FALSE", False),
        ("yes", "yes"),
        ("off", "off"),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("+3", 3),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", float("-inf")),
        ("-", "-"),
        (".", "."),
        ("1.2.3", "1.2.3"),
        ("-x", "-x"),
    ],
)
def test_plain_words(word: str, value: object) -> None:
    assert resolve(word) == value
    assert type(resolve(word)) is type(value)


@given(st.text(max_size=80))
def test_any_word_means_something_or_is_too_large(word: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(resolve(word), str | int | float | None)


@given(st.text(max_size=80))
def test_a_good_name_is_safe_everywhere(name: str) -> None:
    if name_fault(name) is None:
        assert name.isascii()
        assert len(f"mosaic-agent@{name}.service") <= 255
        assert not set(name) & set("/\\@:%$*?[]{}'\" \t\n;|&<>`!#~=")
        assert name[0] not in "-."
        assert "." not in session_name(name)


def test_circles() -> None:
    assert cycles({"a": ["b"], "b": ["c"], "c": []}) == []
    assert cycles({"a": ["b"], "b": ["a"], "c": ["c", "a", "nobody"]}) == [("a", "b"), ("c",)]
    long = {str(n): [str(n + 1)] for n in range(50_000)}
    assert cycles(long) == []


@given(st.dictionaries(st.integers(0, 9).map(str), st.lists(st.integers(0, 9).map(str), max_size=4), max_size=10))
def test_what_is_called_a_circle_is_one_and_none_is_missed(edges: dict[str, list[str]]) -> None:
    found = cycles(edges)
    for circle in found:
        for here, there in zip(circle, (*circle[1:], circle[0]), strict=True):
            assert there in edges[here]
    if not found:  # then there is an order
        done: set[str] = set()
        left = dict(edges)
        while left:
            free = [name for name, after in left.items() if all(one in done or one not in edges for one in after)]
            assert free
            done.update(free)
            for name in free:
                del left[name]


def test_suggestions_end_with_their_budget() -> None:
    near = Suggester(budget=3)
    assert near.near("cluade", ["claude", "pi"]) == "claude"
    assert near.near("cluade", ["claude", "pi"]) is None
    assert Suggester().near("x" * 1000, ["x"]) is None
