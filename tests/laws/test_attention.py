"""What needs a person, over any history of looks, restarts and kills: each case is raised once and cleared once, and
nobody is notified twice, too early or in quiet hours."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from providers.programs.base import Choice
from reconciler.attention.notices import Notice, is_quiet_at
from reconciler.model import AgentView, Readiness
from reconciler.run import attention_round
from reconciler.run.attention_round import after_look
from reconciler.state.event_log import EventLog, read_events
from reconciler.state.open_cases import COPY, FILE, load_register
from reconciler.state.store import Store
from specs.compiled import Fleet, NotifyRule, Suspension
from tests import builders as make
from tests.tables.fleets import make_agent, make_fleet

NAMES = ("coder0", "coder1")
CHOICES = (Choice(label="Yes", keys=("1",), means="allow"), Choice(label="No", keys=("2",), means="deny"))


def asks(question: str, life: str = "1.1", **more: Any) -> dict[str, Any]:
    shown = {"question": question, "choices": CHOICES} if question else {}
    return {"readiness": Readiness.WAITING, "waiting": "permission", "life": life, **shown, **more}


STATES: dict[str, dict[str, Any]] = {
    "works": {"readiness": Readiness.WORKING, "life": "1.1"},
    "asks, by its hook": asks(""),
    "asks, on its screen": asks("Run rm?"),
    "asks something else": asks("Run ls?"),
    "asks in another life": asks("Run rm?", life="2.1"),
    "has a limit": {"readiness": Readiness.STUCK, "stuck": "limit", "until": "3pm", "life": "1.1"},
    "is not understood": {"readiness": Readiness.UNKNOWN, "life": "1.1"},
    "is stale": {"readiness": Readiness.STALE, "life": "1.1", "hung": True},
    "is unseen": {"session": "unknown", "life": ""},
    "has ended": {"session": "dead", "readiness": Readiness.DEAD, "life": ""},
}
ONCE = NotifyRule(name="once", after=30.0)
AGAIN = NotifyRule(name="again", after=60.0, repeat=300.0, kinds=("permission", "limit"))
NIGHT = NotifyRule(name="night", after=1.0, quiet=(22 * 60, 7 * 60))
RULES = {rule.name: rule for rule in (ONCE, AGAIN, NIGHT)}


@dataclass(frozen=True)
class Step:
    """A look, so many seconds after the one before; killed at one of its writes, before or after it; or not at all."""

    after: float
    states: tuple[str, ...]
    suspended: bool = False
    paused: bool = False
    dies: int | None = None
    late: bool = False
    restarts: bool = False


class Killed(BaseException):
    """The process is gone."""


@contextlib.contextmanager
def death(step: Step) -> Iterator[None]:
    """Ends the process at the given write."""
    left = [step.dies]

    def mortal(write: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            if left[0] is None:
                return write(*args, **more)
            left[0] -= 1
            if left[0] == -1 and not step.late:
                raise Killed
            done = write(*args, **more)
            if left[0] == -1:
                raise Killed
            return done

        return call

    before = Store.write, EventLog._append
    Store.write, EventLog._append = mortal(Store.write), mortal(EventLog._append)  # type: ignore[method-assign]
    try:
        yield
    finally:
        Store.write, EventLog._append = before  # type: ignore[method-assign]


def minute(when: float) -> int:
    return int(when // 60) % 1440


STEPS = st.lists(
    st.builds(
        Step,
        after=st.sampled_from([0.01, 0.4, 5.0, 29.0, 31.0, 61.0, 301.0, 3600.0, 8 * 3600.0]),
        states=st.tuples(*(st.sampled_from(sorted(STATES)) for _ in NAMES)),
        suspended=st.booleans(),
        paused=st.booleans(),
        dies=st.none() | st.integers(0, 9),
        late=st.booleans(),
        restarts=st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


def views(step: Step) -> dict[str, AgentView]:
    return {name: make.view(name, **STATES[state]) for name, state in zip(NAMES, step.states, strict=True)}


@given(steps=STEPS)
def test_raised_once_cleared_once_and_notified_no_more_than_asked_for(steps: list[Step]) -> None:
    fleet = make_fleet(*(make_agent(name) for name in NAMES), notify=(ONCE, AGAIN, NIGHT))
    sent: list[tuple[float, Notice, bool]] = []
    with TemporaryDirectory() as folder:
        state = Path(folder)
        store, now = Store(state / "state", state / "run"), make.NOW
        # The last look is not cut short: only then must everything be in the log.
        for step in [*steps, replace(steps[-1], after=1.0, dies=None)]:
            now += step.after
            if step.restarts:
                store = Store(state / "state", state / "run")
            try:
                with death(step):
                    found = look(store, fleet, step, now)
            except Killed:
                store = Store(state / "state", state / "run")
                continue
            sent += [(now, notice, step.paused or step.suspended) for notice in found]
        register = load_register(Store(state / "state", state / "run"))
        events = read_events(store)
        lines = (state / "state" / "events.ndjson").read_text().splitlines() if events else []
    assert not register.changes
    assert len(lines) == len(events)
    assert all(json.loads(line) for line in lines)
    counts = Counter((event["type"], event["number"]) for event in events)
    assert set(counts.values()) <= {1}
    raised = {number for kind, number in counts if kind == "attention-raised"}
    cleared = {number for kind, number in counts if kind == "attention-cleared"}
    assert cleared <= raised
    assert {one.number for one in register.open} == raised - cleared
    handed: dict[tuple[str, str, float, str], list[float]] = {}
    for when, notice, away in sent:
        rule = RULES[notice.rule.name]
        assert not away
        assert not is_quiet_at(rule.quiet, minute(when))
        for case in notice.cases:
            assert when - case.since >= rule.after
            assert not rule.kinds or case.kind in rule.kinds
            handed.setdefault((rule.name, case.agent, case.since, case.kind), []).append(when)
    for (name, *_), times in handed.items():
        repeat = RULES[name].repeat
        gaps = [later - earlier for earlier, later in pairwise(times)]
        assert all(repeat and gap >= repeat for gap in gaps)


def look(store: Store, fleet: Fleet, step: Step, now: float) -> tuple[Notice, ...]:
    away = {"*": Suspension(reason="a holiday", by="ada", until=None)} if step.suspended else {}
    seen = replace(fleet, suspended=away)
    before = attention_round.local_minute
    attention_round.local_minute = minute
    try:
        return after_look(store, seen, views(step), source="watch", paused=step.paused, now=now).notices
    finally:
        attention_round.local_minute = before


@given(steps=STEPS, damaged=st.sampled_from([(FILE,), (COPY,), (FILE, COPY)]), at=st.integers(0, 11))
def test_a_damaged_register_notifies_nobody_again(steps: list[Step], damaged: tuple[str, ...], at: int) -> None:
    """With one of the two copies nothing is lost; without both, nobody hears of a case twice all the same."""
    fleet = make_fleet(*(make_agent(name) for name in NAMES), notify=(ONCE,))
    asking = Step(after=31.0, states=("asks, on its screen", "has a limit"))
    with TemporaryDirectory() as folder:
        state = Path(folder) / "state"
        now, handed = make.NOW, 0
        for number, step in enumerate([asking] * (len(steps) + 2)):
            now += step.after
            if number == at % (len(steps) + 2):
                for name in damaged:
                    if (state / name).exists():
                        (state / name).write_bytes(b"{")
            handed += sum(len(one.cases) for one in look(Store(state, Path(folder) / "run"), fleet, step, now))
        raised = [one for one in read_events(Store(state, Path(folder) / "run")) if one["type"] == "attention-raised"]
    assert handed <= 2
    if len(damaged) == 1:
        assert (handed, len(raised)) == (2, 2)
