"""A notice as text for people. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.helpers.times import rfc3339

if TYPE_CHECKING:
    from reconciler.attention.notices import Notice

MOST_CASES = 20  # the list has all of them


def notice_text(notice: Notice) -> str:
    """Each case: who, since when, what it asks, and the commands that answer it."""
    blocks = []
    for case in notice.cases[:MOST_CASES]:
        lines = [f"{case.agent}: {case.kind} since {rfc3339(case.since)}"]
        lines += [f"  {line}" for line in case.question.splitlines()]
        lines += [f"  {at}. {one.label}" for at, one in enumerate(case.choices, 1)]
        lines += [f"  ends by itself: {case.until}"] if case.until else []
        lines += [f"  $ {command}" for command in case.answered_by]
        blocks.append("\n".join(lines))
    left = len(notice.cases) - MOST_CASES
    if left > 0:
        blocks.append(f"and {left} more: mosaic fleet attention")
    return "\n\n".join(blocks) + "\n"
