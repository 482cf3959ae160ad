"""Times and durations as people read them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.helpers.times import parse_rfc3339, rfc3339, rfc3339_or_none, spell_duration


@settings(deadline=None)  # the machine may be busy
@given(st.floats(0, 4e9))
def test_a_time_survives_to_the_second(when: float) -> None:
    assert parse_rfc3339(rfc3339(when)) == int(when)


@pytest.mark.parametrize("when", [-5.0, 1e300, 0.0])
def test_no_time_is_too_odd_to_be_written(when: float) -> None:
    assert rfc3339(when).endswith("Z")


def test_never_is_nothing() -> None:
    assert rfc3339_or_none(0.0) is None
    assert rfc3339_or_none(None) is None
    assert rfc3339_or_none(1.0) == "1970-01-01T00:00:01Z"


@pytest.mark.parametrize("text", ["", "yesterday", "2025-11-20T03:16:00", "2025-13-20T03:16:00Z"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_rfc3339(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (-5, "0s"), (0.9, "0s"), (59.9, "59s"), (60, "1m"), (185, "3m 5s"), (7200, "2h"), (7201, "2h"),
        (100_800, "1d 4h"), (86_400 * 400, "400d"),
    ],
)  # fmt: skip
def test_a_duration_in_at_most_two_words(seconds: float, text: str) -> None:
    assert spell_duration(seconds) == text
