"""When a limit ends, as screens say it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.observe.until import MOST_S, until_at

NOW = datetime(2026, 11, 30, 13, 20, tzinfo=UTC).timestamp()  # a Monday, 14:20 in Berlin


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The zone of this host, whatever machine the tests run on."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("3pm (Europe/Berlin)", "2026-11-30T14:00"),
        ("resets 3pm (Europe/Berlin)", "2026-11-30T14:00"),
        ("2pm (Europe/Berlin)", "2026-12-01T13:00"),  # that was twenty minutes ago, so it is tomorrow's
        ("3:45pm (America/New_York)", "2026-11-30T20:45"),
        ("11am (Asia/Tokyo)", "2026-12-01T02:00"),
        ("12am (UTC)", "2026-12-01T00:00"),
        ("12pm (UTC)", "2026-12-01T12:00"),
        ("resets 15:00", "2026-11-30T14:00"),
        ("15:00 UTC", "2026-11-30T15:00"),
        ("tomorrow at 3pm", "2026-12-01T14:00"),
        ("Dec 2, 1pm (UTC)", "2026-12-02T13:00"),
        ("Dec 2 at 1pm (Europe/Berlin)", "2026-12-02T12:00"),
        ("try again at Dec 3rd, 2026 3:45 PM.", "2026-12-03T14:45"),
        ("2 January, 9:00 UTC", "2027-01-02T09:00"),
        ("Dec 2 (UTC)", "2026-12-02T00:00"),
        ("Thursday 10:00", "2026-12-03T09:00"),
        ("Mon 1pm (UTC)", "2026-12-07T13:00"),  # today's is over
        ("Mon 2pm (UTC)", "2026-11-30T14:00"),
        ("2026-11-30T18:00:00Z", "2026-11-30T18:00"),
        ("2026-11-30 18:00 UTC", "2026-11-30T18:00"),
        ("2026-11-30T18:00:00+02:00", "2026-11-30T16:00"),
        ("2026-11-30 18:00", "2026-11-30T17:00"),
        ("Claude AI usage limit reached|1796054400", "2026-11-30T16:00"),
        ("1796054400000", "2026-11-30T16:00"),
        ("in 2h 5m", "2026-11-30T15:25"),
        ("2h5m", "2026-11-30T15:25"),
        ("in 3 days 2 hours 10 minutes", "2026-12-03T15:30"),
        ("1 day, 1 hour and 40 minutes", "2026-12-01T15:00"),
        ("Try again in 45 minutes.", "2026-11-30T14:05"),
        ("in 1.5 hours", "2026-11-30T14:50"),
    ],
)
def test_a_time_that_can_be_read(text: str, when: str) -> None:
    assert datetime.fromtimestamp(until_at(text, NOW), UTC).isoformat(timespec="minutes") == f"{when}+00:00"


def test_seconds_count() -> None:
    assert until_at("in 90s", NOW) == NOW + 90
    assert until_at("retry in 12.5 seconds", NOW) == NOW + 12.5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "in a while",
        "3pm (Middle/Earth)",
        "25:00",
        "13pm",
        "Feb 31, 3pm",
        "in 99999 days",
        "1.2.3",
        "limit 5",
    ],
)
def test_what_cannot_be_read_is_no_time(text: str) -> None:
    assert until_at(text, NOW) == 0.0


def test_an_hour_that_the_clock_leaves_out_is_still_a_time() -> None:
    before = datetime(2026, 3, 28, 22, 0, tzinfo=UTC).timestamp()
    assert before < until_at("2:30am (Europe/Berlin)", before) <= before + 86400


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=300) | st.from_regex(r"[0-9apmhds:,() /TZ+-]{0,40}"), st.floats(0, 4e9))
def test_any_text_has_an_answer(text: str, now: float) -> None:
    found = until_at(text, now)
    assert found == 0.0 or abs(found - now) <= MOST_S
