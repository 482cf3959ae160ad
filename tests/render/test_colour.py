"""Colour carries meaning and never carries it alone: without it, every text is the same to the letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from reconciler.doctor.check import RESULTS, Check, Report
from reconciler.helpers.words import Paint, Tint
from reconciler.listing.document import Listing
from reconciler.loop.result import RunResult
from reconciler.render.doctor_text import doctor_text
from reconciler.render.plan_text import plan_text
from reconciler.render.ps_text import ps_text
from reconciler.render.report_text import report_text
from reconciler.render.status_text import status_text
from reconciler.status.values import Pause
from specs.compiled import Suspension
from tests import builders as make
from tests.golden import runs
from tests.inspection.seen import listed, row

NOW = make.NOW


def marked(text: str, tint: Tint) -> str:
    return f"\x1b[{tint}m{text}\x1b[0m" if text else text


def texts() -> Iterator[tuple[str, Callable[[Paint], str]]]:
    paused = make.plan(paused="storm")
    status = make.status(
        plan=runs.FULL,
        pause=Pause(reason="storm", by="ada", since=NOW - 60),
        suspended={"coder0": Suspension(reason="pairing", by="ada", until=None)},
    )
    checks = tuple(Check(name=one, group="programs", result=one, found="so " * 60) for one in RESULTS)
    report = Report(fleet="demo", tenant_id="ada", host="build-1", at=NOW, checks=checks)
    yield "a plan", lambda paint: plan_text(runs.FULL, make.steps_of, paint=paint)
    yield "a plan in full", lambda paint: plan_text(runs.FULL, make.steps_of, more="", paint=paint)
    yield "a paused plan", lambda paint: plan_text(paused, make.steps_of, paint=paint)
    for outcome in ("converged", "partial", "failed", "held", "paused", "refused"):
        result = runs.result(runs.FULL, outcome=outcome)
        yield f"a report: {outcome}", partial(_report, result)
    yield "a status", lambda paint: status_text(status, now=NOW, verbose=True, paint=paint)
    yield "doctor", lambda paint: doctor_text(report, everything=True, paint=paint)
    listing = listed(row(wrong=True), problems=("linger is off",))
    for width in (None, 40, 80, 200):
        yield f"ps at {width}", partial(_ps, listing, width)


def _report(result: RunResult, paint: Paint) -> str:
    return report_text(result, short=True, paint=paint)


def _ps(listing: Listing, width: int | None, paint: Paint) -> str:
    return ps_text(listing, width=width, paint=paint)


@pytest.mark.parametrize(("name", "text"), list(texts()), ids=[name for name, _ in texts()])
def test_colour_changes_nothing_but_colour(name: str, text: Callable[[Paint], str]) -> None:
    del name
    plain, painted = text(lambda one, _tint: one), text(marked)
    assert re.sub(r"\x1b\[(?:red|green|yellow|bold|dim|0)m", "", painted) == plain
    pieces = re.findall(r"\x1b\[(?:red|yellow|green)m(.*?)\x1b\[0m", painted, re.DOTALL)
    assert pieces, "something in it matters"
    assert all(piece.strip() for piece in pieces)  # a word or a mark, never an empty cell
