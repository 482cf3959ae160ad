"""When the resident loop looks again."""

from __future__ import annotations

import pytest

from reconciler.resident.pace import REST, REST_MAX_S, URGENT, Pace
from reconciler.resident.wake_reason import WakeReason

EVENTS = ("units", "process", "pause", "beat", "attention", "git", "sync", "hangup")


def test_the_events_are_all_there_are() -> None:
    assert set(EVENTS) == set(WakeReason)


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize(("now", "owed"), [("in the rest", False), ("in the rest", True), ("after it", False)])
def test_what_cuts_a_rest_short(event: str, now: str, *, owed: bool) -> None:
    pace = Pace(look=100.0, rest=10.0, owed=1.0 if owed else 0.0)
    moment = 9.0 if now == "in the rest" else 11.0
    due = pace.due({WakeReason(event)}) <= moment
    if event == "beat":
        assert not due
    elif now == "after it":
        assert due
    else:
        assert due is (WakeReason(event) in URGENT and not owed)


def test_a_heartbeat_counts_where_one_is_waited_for() -> None:
    assert Pace(look=100.0, rest=10.0).due({WakeReason.HEARTBEAT}) == 100.0
    assert Pace(look=100.0, rest=10.0, waiting=True).due({WakeReason.HEARTBEAT}) == 10.0
    assert Pace(look=5.0, rest=10.0).due(set()) == 10.0


def test_a_rest_that_was_cut_short_is_made_up_for() -> None:
    pace = Pace()
    pace.begin(0.0)
    pace.end(0.0, 0.1)
    assert pace.rest == pytest.approx(0.1 + REST * 0.1)
    pace.begin(0.1)  # at once, for something urgent
    pace.end(0.1, 0.3)
    assert pace.rest == pytest.approx(0.3 + REST * 0.1 + REST * 0.2)
    pace.begin(1.0)  # after the rest
    assert pace.owed == 0.0


@pytest.mark.parametrize("event", sorted(set(WakeReason) - {WakeReason.HEARTBEAT}))
@pytest.mark.parametrize("cost", [0.01, 0.2, 0.9])
def test_a_storm_of_events_takes_about_a_third_of_the_time(event: WakeReason, cost: float) -> None:
    """`cost`: seconds of a look; none here is so long that its rest is cut to the longest."""
    assert cost * REST <= REST_MAX_S
    pace, now, looked = Pace(), 0.0, 0.0
    while now < 300 * cost:
        now = max(now, pace.due({event}))
        pace.begin(now)
        pace.end(now, now + cost)
        now, looked = now + cost, looked + cost
    assert looked / max(now, pace.rest) == pytest.approx(1 / 3, abs=0.01)
