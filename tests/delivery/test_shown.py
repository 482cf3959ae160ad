"""What a screen shows of a text: counted before and after, so that only what came since is ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.programs.base import Reading
from providers.screen import Screen
from reconciler.delivery.shown import ShownText, ours

EMPTY = Screen(lines=(), styled=(), cursor=(0, 0), title="", width=80, height=24)
TEXT = "please look at the tests"


def screen(*lines: str) -> Screen:
    return replace(EMPTY, lines=lines, styled=lines)


def test_without_a_reading_nothing_is_seen() -> None:
    assert ShownText.of(screen(TEXT), None, TEXT) == ShownText()


def test_only_what_came_since_counts() -> None:
    before = ShownText.of(screen(TEXT), Reading(), TEXT)
    assert not ShownText.of(screen(TEXT), Reading(), TEXT).shows_more(before)
    assert ShownText.of(screen(TEXT, "> ", TEXT), Reading(), TEXT).shows_more(before)


def test_its_queue_and_its_folded_pastes_are_counted() -> None:
    seen = ShownText.of(screen(), Reading(queued=(TEXT, "something else"), placeholders=2), TEXT)
    assert (seen.queued, seen.placeholders) == (1, 2)


@pytest.mark.parametrize(
    ("reading", "placeholders", "found"),
    [
        (Reading(draft=TEXT), 0, "whole"),
        (Reading(draft="something else"), 0, "no"),
        (Reading(draft="", placeholders=1), 0, "whole"),
        (Reading(draft="something else", placeholders=1), 0, "no"),
        (Reading(draft="something else", placeholders=1), 1, "no"),
        (Reading(draft="[Pasted text #1 +20 lines]"), 0, "whole"),
        (Reading(draft="[Pasted text #1 +20 lines] and my own words"), 0, "no"),
    ],
)
def test_whether_a_draft_is_ours(reading: Reading, placeholders: int, found: str) -> None:
    assert ours(reading, TEXT, placeholders) == found
