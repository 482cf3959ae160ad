"""What keeps an agent from working, row by row: when it begins, when it stays, and what ends it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from providers.evidence import KeptTrouble
from providers.programs.base import Trouble
from reconciler.observe.troubles import PHRASES, TROUBLES, TroubleEvidence, kind_of, phrase, trouble_now
from tests.tables.rows import Examples, check, check_shape, expect, params

NOW = 1_700_000_600.0
LIMIT = KeptTrouble("limit", NOW - 60, "7.700", until="3pm", until_at=NOW + 3600, session="one")
FAILED = KeptTrouble("api-error", NOW - 60, "7.700", reported=True, session="one")
WELL = TroubleEvidence(life="7.700")
REFUTED = FAILED._replace(kind="logged-out", over=NOW - 10)


def had(kept: KeptTrouble = LIMIT, **more: Any) -> TroubleEvidence:
    """An agent that had a trouble at the look before, and of which nothing else is known but this."""
    return replace(WELL, kept=kept, **more)


EXAMPLES = Examples("TROUBLES", TROUBLES, {
    "unseen": expect("kept", had(seen=False), had(seen=False, lives=False, answered_at=NOW), had(seen=False, life="")),
    "gone": expect("", replace(WELL, seen=False), replace(WELL, lives=False), had(lives=False, life=""),
                   had(lives=False, shown="limit")),
    "on its screen": expect(
        "shown", replace(WELL, shown="limit"), had(shown="limit", answered_at=NOW),
        had(shown="limit", reported="api-error"), had(shown="limit", life="8.800"),
    ),
    "refuted": expect(
        "over", had(REFUTED, reported="logged-out", reported_at=NOW - 60),
        had(REFUTED, reported="logged-out", reported_at=NOW - 10, answered_at=NOW),
    ),
    "reported": expect(
        "reported", replace(WELL, reported="limit"), had(reported="limit", answered_at=NOW),
        had(REFUTED, reported="logged-out", reported_at=NOW - 9),  # logged out again
        had(REFUTED, reported="logged-out", reported_at=NOW - 60, life="8.800"),
        had(REFUTED, reported="limit", reported_at=NOW - 60),
    ),
    "reported, and over at once": expect(
        "over", replace(WELL, reported="logged-out", without=("logged-out",)),
        had(REFUTED, reported="limit", reported_at=NOW, without=("limit",)),
    ),
    "none": expect("", WELL, replace(WELL, answered_at=NOW), had(REFUTED)),
    "another process": expect("", had(life="8.800"), had(life="7.701"), had(life="")),
    "answered": expect("", had(answered_at=NOW - 59), had(FAILED, answered_at=NOW)),
    "its screen is without it": expect(
        "over", had(without=("limit",)), had(without=("logged-out", "limit")),
        had(FAILED._replace(kind="logged-out"), reported="logged-out", without=("logged-out",)),  # logged in since
    ),
    "taken back": expect("", had(FAILED, taken_back_at=NOW - 59)),
    "a new conversation": expect("", had(FAILED, session="two"), had(FAILED._replace(kind="retries"), session="two")),
    "it stays": expect(
        "kept", had(), had(reported="logged-out", without=("logged-out",)),
        had(answered_at=NOW - 60), had(answered_at=NOW - 61), had(without=("logged-out",)),
        had(taken_back_at=NOW),  # what only its screen showed, its program may not know of
        had(session="two"),  # a new conversation is at the same limit
        had(FAILED, session="one"), had(FAILED._replace(session=""), session="two"),
        had(FAILED, taken_back_at=NOW - 60),
    ),
})  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(EXAMPLES))
def test_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    check(one, name, decision, situation)
    kept, source = trouble_now(situation, NOW)
    assert source == decision
    assert (kept is None) is (decision == "")


def test_shape() -> None:
    check_shape(EXAMPLES)


def test_a_trouble_that_begins() -> None:
    shown = trouble_now(replace(WELL, shown="limit"), NOW, "in 2h")
    assert shown == (KeptTrouble("limit", NOW, "7.700", until="in 2h", until_at=NOW + 7200), "shown")
    reported = trouble_now(replace(WELL, reported="logged-out"), NOW)
    assert reported == (KeptTrouble("logged-out", NOW, "7.700", reported=True), "reported")
    unread = trouble_now(replace(WELL, shown="limit"), NOW, "some day")
    assert unread[0] == KeptTrouble("limit", NOW, "7.700", until="some day")


def test_a_trouble_that_goes_on_began_when_it_began() -> None:
    """Otherwise "3pm" would be tomorrow's at four."""
    later = NOW + 7200
    assert trouble_now(had(shown="limit"), later, "3pm") == (LIMIT, "shown")
    assert trouble_now(had(shown="limit"), later) == (LIMIT, "shown")  # the line with the time has scrolled away
    assert trouble_now(had(reported="limit"), later) == (LIMIT._replace(reported=True), "reported")
    assert trouble_now(had(), later) == (LIMIT, "kept")
    another = trouble_now(had(shown="limit"), later, "in 1h")[0]
    assert another == LIMIT._replace(until="in 1h", until_at=later + 3600, session="")
    assert trouble_now(had(shown="retries"), later)[0] == KeptTrouble("retries", later, "7.700")
    assert trouble_now(had(shown="limit", life="8.800"), later)[0] == KeptTrouble("limit", later, "8.800")


def test_kinds_of_words() -> None:
    assert {kind_of(word) for word in ("rate_limit", "rate-limit", "usage_limit", "billing_error")} == {"limit"}
    assert kind_of("authentication_failed") == "logged-out"
    assert {kind_of(word) for word in ("server_error", "model-request-failed", "error", "unknown")} == {"api-error"}
    for word in ("", "suspended", *get_args(Trouble)):
        assert kind_of(word) == word


def test_every_kind_has_a_sentence() -> None:
    assert PHRASES.keys() == set(get_args(Trouble)) - {""}
    assert phrase("limit", "3pm") == "it is at its usage limit until 3pm"
    assert phrase("suspended") == "its program says that it cannot go on (suspended)"


def test_a_login_that_one_look_saw_ends_the_report_from_before_it() -> None:
    """The report stays the newest, for a login reports nothing; the words on the screen scroll away."""
    report = replace(WELL, reported="logged-out", reported_at=NOW)
    kept, source = trouble_now(report, NOW + 1)
    assert (kept, source) == (KeptTrouble("logged-out", NOW + 1, "7.700", reported=True), "reported")
    kept, source = trouble_now(replace(report, kept=kept, without=("logged-out",)), NOW + 2)
    assert source == "over"
    for at in (NOW + 3, NOW + 4):
        kept, source = trouble_now(replace(report, kept=kept), at)
        assert (kept, source) == (KeptTrouble("logged-out", NOW + 1, "7.700", reported=True, over=NOW + 2), "over")
    again, source = trouble_now(replace(report, reported_at=NOW + 5, kept=kept), NOW + 6)
    assert (again, source) == (KeptTrouble("logged-out", NOW + 6, "7.700", reported=True), "reported")
