"""What one agent needs, row by row, and whether that can start here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from providers.base import FieldChange, Health, HeldReason, Kind, Present, Reason, Resource, ResourceKey, Verb
from providers.evidence import NO_PANE, SessionEvidence, StartEvidence, UnitEvidence
from providers.kinds.overrides import Override
from reconciler.helpers.decision_table import first_match
from reconciler.model import NAME_TAKEN, AgentHistory, Change, Inventory, Owned, Readiness, Verdict
from reconciler.plan import need_details as fill
from reconciler.plan.need import AgentSituation, Need
from reconciler.plan.needs import NEEDS, STARTS, Due, ends_by_unit, gone_astray, need_of, relaunch_due, went_on
from tests import builders as make
from tests.builders import NOW
from tests.tables.fleets import make_agent
from tests.tables.rows import Examples, check, check_shape, expect, params

NAME = "coder0"
AGENT = make_agent(NAME, runtime="claude")
KNOWN = Inventory(agents={NAME: Owned(agent_class="coder", socket="main", launch_digest="d1")})
MODEL = Resource(key=ResourceKey(Kind.SESSION, NAME), agent=NAME, fields={})


def seen(kind: Kind, evidence: Any) -> Present:
    return Present(key=ResourceKey(kind, NAME), agent=NAME, ours=True, fields={}, evidence=evidence)


def change(kind: Kind, *paths: str, verdict: Verdict = Verdict.UPDATE, **more: Any) -> Mapping[Kind, Change]:
    fields = tuple(FieldChange(path=path, live="a", desired="b") for path in paths)
    key = ResourceKey(kind, NAME)
    usual: dict[str, Any] = {"desired": MODEL if kind is Kind.SESSION else None, "present": None}
    return {kind: Change(verdict=verdict, key=key, agent=NAME, fields=fields, **{**usual, **more})}


def of(
    agent: Any = AGENT,
    *,
    session: SessionEvidence | None = None,
    place: StartEvidence | None = None,
    word: str = "alive",
    more: Mapping[str, Any] | None = None,
    **view: Any,
) -> AgentSituation:
    """A situation of a healthy agent, but for what is said."""
    present = {Kind.SESSION: session or SessionEvidence(alive=True, pids=(4242,)), Kind.PLACE: place}
    known = {ResourceKey(kind, NAME): seen(kind, one) for kind, one in present.items() if one is not None}
    usual: dict[str, Any] = {"changes": {}, "present": known, "inventory": KNOWN, "tried": False}
    return AgentSituation(view=make.view(NAME, session=word, **view), agent=agent, **{**usual, **(more or {})})


def differing(*paths: str, **more: Any) -> AgentSituation:
    return of(more={"changes": change(Kind.SESSION, *paths)}, **more)


STOPPED, ABSENT = replace(AGENT, state="stopped"), replace(AGENT, state="absent")
WRONG = replace(AGENT, held="line 3: no such runtime")
GONE = change(Kind.SESSION, verdict=Verdict.DELETE)
UNIT_GONE = change(Kind.UNIT, verdict=Verdict.DELETE)
MASKED = Override(word="masked", path="/etc/x", why="somebody has masked it")
MOVED = SessionEvidence(pane=replace(NO_PANE, session="mine", moved=True))
JOB = change(Kind.UNIT, verdict=Verdict.DELETE, present=seen(Kind.UNIT, UnitEvidence(active="inactive", job="start")))
STALE: dict[str, Any] = {"health": Health.UNHEALTHY, "heartbeat": "stale", "why": "last heartbeat 90 s ago"}
NEW = Inventory()
FOLDER = StartEvidence(why="its folder is not there", reason=HeldReason.DEPENDENCY)
UNKEPT = SessionEvidence(alive=True, pids=(4242,), unkept=("memory_max",))


def _decision(need: Need) -> dict[str, Any]:
    """What a need says, but for its words and its fields."""
    said = {"verb": need.verb, "reason": need.reason, "held": need.held, "disrupts": need.disrupts}
    said |= {"heals": need.heals, "removes": need.removes, "settling": need.settling}
    usual = Need()
    return {word: value for word, value in said.items() if value != getattr(usual, word)}


def decided(verb: Verb | None = None, **more: Any) -> dict[str, Any]:
    return {**({"verb": verb} if verb is not None else {}), **more}


STOP, START, RESTART, CONFINE = Verb.STOP, Verb.START, Verb.RESTART, Verb.CONFINE
UNHEALTHY = decided(RESTART, reason=Reason.UNHEALTHY, disrupts=True, heals=True)

ROWS = {
    "unseen, not to run": [
        (decided(held=HeldReason.UNKNOWN, removes=True), [
            of(None, word="unknown"), of(ABSENT, unit_active="unknown"), of(None, word="unknown", unseen="x"),
        ]),
        (decided(held=HeldReason.UNKNOWN), [of(STOPPED, unit_active="unknown"), of(STOPPED, word="unknown")]),
    ],
    "unseen, its tmux server is out of reach": [
        (decided(START, held=HeldReason.UNKNOWN), [
            of(word="unknown", session=SessionEvidence(hidden=True)),
            of(WRONG, word="unknown", session=SessionEvidence(hidden=True), unseen="x"),
        ]),
    ],
    "unseen, among others that were seen": [
        (decided(START, held=HeldReason.UNKNOWN), [of(word="unknown", unseen="no answer"),
                                                  of(unit_active="unknown", unseen="no answer")]),
    ],
    "unseen, as all of its kind": [
        (decided(), [of(word="unknown"), of(unit_active="unknown"), of(WRONG, word="unknown")]),
    ],
    "its entry in git is wrong": [
        (decided(held=HeldReason.DEPENDENCY), [
            of(WRONG), of(WRONG, word="dead"), of(replace(WRONG, state="absent")),
            of(WRONG, more={"override": MASKED}), of(replace(WRONG, held="")),
        ]),
    ],
    "not to run, and not here": [
        (decided(reason=Reason.REMOVED, removes=True), [of(None), of(ABSENT, more={"override": MASKED})]),
        (decided(reason=Reason.SPEC), [
            of(STOPPED), of(STOPPED, more={"changes": change(Kind.UNIT, "enabled")}), of(STOPPED, session=MOVED),
            of(STOPPED, more={"changes": change(Kind.UNIT, "enabled", verdict=Verdict.CREATE)}),
        ]),
    ],
    "not to run, and only enabled": [
        (decided(reason=Reason.REMOVED, removes=True), [of(None, unit_active="inactive", more={"changes": UNIT_GONE})]),
        (decided(reason=Reason.SPEC), [
            of(STOPPED, unit_active="inactive", session=MOVED, more={"changes": UNIT_GONE}),
            of(STOPPED, unit_active="inactive", more={"changes": {
                **UNIT_GONE, **change(Kind.SESSION, "x", verdict=Verdict.CREATE)}}),
            of(STOPPED, unit_active="inactive",
               more={"changes": {**UNIT_GONE, **change(Kind.SESSION, "x")}}),
        ]),
    ],
    "not to run, in somebody's session": [
        (decided(reason=Reason.REMOVED, held=HeldReason.NOT_OWNED, removes=True), [
            of(None, session=MOVED, more={"changes": GONE}), of(None, session=MOVED, more={"changes": UNIT_GONE}),
        ]),
        (decided(reason=Reason.SPEC, held=HeldReason.NOT_OWNED), [of(STOPPED, session=MOVED, more={"changes": GONE})]),
    ],
    "not to run, and here": [
        (decided(STOP, reason=Reason.REMOVED, disrupts=True, removes=True), [
            of(None, more={"changes": GONE}), of(ABSENT, more={"changes": UNIT_GONE}),
            of(None, unit_active="inactive", more={"changes": JOB}),
            of(None, unit_active="inactive", more={"changes": GONE}),
        ]),
        (decided(STOP, reason=Reason.SPEC), [
            of(STOPPED, word="dead", more={"changes": GONE, "override": MASKED}),
            of(STOPPED, word="missing", unit_active="failed", more={"changes": UNIT_GONE}),
            of(STOPPED, word="foreign", more={"changes": GONE}),
            of(STOPPED, word="missing", unit_active="reloading", more={"changes": UNIT_GONE}),
        ]),
    ],
    "its unit is not as shipped": [
        (decided(START, held=HeldReason.MASKED), [
            of(more={"override": MASKED}), of(word="foreign", more={"override": MASKED}),
            of(word="dead", more={"override": MASKED}),
        ]),
        (decided(START, held=HeldReason.OVERRIDDEN), [of(more={"override": replace(MASKED, word="overridden")})]),
    ],
    "its session is somebody else's": [
        (decided(START, reason=Reason.NEW, held=HeldReason.NOT_OWNED), [
            of(word="foreign"), of(word="foreign", health=Health.SETTLING),
        ]),
    ],
    "a start or stop is under way": [
        (decided(settling=True), [of(health=Health.SETTLING), of(health=Health.SETTLING, word="missing")]),
    ],
    "first start": [
        (decided(RESTART, reason=Reason.NEW), [of(word="missing", more={"inventory": NEW})]),
        (decided(START, reason=Reason.NEW), [
            of(word="missing", unit_active="inactive", more={"inventory": NEW}),
            of(word="missing", unit_active="failed", more={
                "inventory": Inventory(agents={NAME: Owned(agent_class="coder", socket="main")})
            }),
        ]),
    ],
    "first start, once more": [
        (decided(START, reason=Reason.NEW, heals=True), [
            of(word="missing", unit_active="inactive", more={"inventory": NEW, "tried": True}),
            of(word="dead", unit_active="inactive", more={"inventory": NEW}),
        ]),
    ],
    "its program has ended": [
        (decided(RESTART, reason=Reason.UNHEALTHY, heals=True), [
            of(word="dead"), of(word="dead", more={"relaunch": True}),
        ]),
    ],
    "it has no session": [
        (decided(START, reason=Reason.NOT_RUNNING, heals=True), [of(word="missing", unit_active="inactive")]),
        (decided(RESTART, reason=Reason.NOT_RUNNING, heals=True), [
            of(word="missing", more={"changes": change(Kind.SESSION, "launch")}),
        ]),
    ],
    "another declaration": [
        (decided(RESTART, reason=Reason.SPEC, disrupts=True), [
            differing("launch"), differing("socket"), differing("program", "launch", **STALE),
        ]),
    ],
    "an operator's request": [
        (decided(RESTART, reason=Reason.REQUESTED, disrupts=True), [
            of(more={"relaunch": True}), of(more={"relaunch": True}, hung=True, **STALE),
        ]),
    ],
    "went on, and asks about its conversation": [
        (UNHEALTHY, [of(more={"astray": True}), of(more={"astray": True}, hung=True, **STALE)]),
    ],
    "silent and quiet": [(UNHEALTHY, [of(hung=True, **STALE)])],
    "silent, and its pane shows something": [
        (decided(RESTART, reason=Reason.UNHEALTHY, held=HeldReason.UNKNOWN), [of(**STALE)]),
    ],
    "what reports for it is silent": [
        (decided(RESTART, reason=Reason.UNHEALTHY, held=HeldReason.UNKNOWN), [
            of(replace(AGENT, native_heartbeat=False), **STALE),
        ]),
    ],
    "another program in its pane": [
        (UNHEALTHY, [differing("program", program="vim"), differing("program", program="vim", hung=True, **STALE),
                     differing("program", unit_active="failed")]),
    ],
    "its unit does not run": [
        (decided(START), [
            of(unit_active="inactive"), of(unit_active="failed", program="vim", hung=True, **STALE),
            of(unit_active="failed", hung=True, heartbeat="stale"),
            of(unit_active="activating"), of(unit_active="failed", hung=True, **{**STALE, "heartbeat": "unknown"}),
            of(unit_active="failed", hung=True, **{**STALE, "health": Health.UNKNOWN}),
            of(unit_active="failed", program="bash", hung=True, **STALE),
            differing("scope", unit_active="inactive"),
        ]),
    ],
    "not in its scope or its limits": [
        (decided(CONFINE), [
            differing("scope"), differing("limits.memory_max"), differing("limits.memory_max", "scope", session=UNKEPT),
            differing("limits.tasks_max", session=UNKEPT), differing("scope", place=FOLDER, stranded="x"),
        ]),
    ],
    "limits that this host cannot keep": [
        (decided(CONFINE, held=HeldReason.UNSUPPORTED), [differing("limits.memory_max", session=UNKEPT)]),
    ],
    "runs where it could not start again": [
        (decided(RESTART, held=HeldReason.DEPENDENCY), [of(place=FOLDER, stranded="it would not start")]),
    ],
    "as it should be": [
        (decided(), [
            of(), of(stranded="x"), of(place=FOLDER), of(health=Health.UNHEALTHY), of(heartbeat="stale"),
            differing("enabled"), of(more={"changes": change(Kind.SESSION, "scope"), "present": {}}),
        ]),
    ],
}  # fmt: skip
CASES = [
    pytest.param(name, decision, situation, id=f"{name} {number}.{position}")
    for name, decisions in ROWS.items()
    for number, (decision, situations) in enumerate(decisions, 1)
    for position, situation in enumerate(situations, 1)
]


@pytest.mark.parametrize(("name", "decision", "situation"), CASES)
def test_need(name: str, decision: dict[str, Any], situation: AgentSituation) -> None:
    assert first_match(NEEDS, situation).name == name
    assert _decision(need(situation)) == decision


def need(situation: AgentSituation) -> Need:
    """Before it is asked whether it can start here."""
    answer = first_match(NEEDS, situation).then
    return answer.details(situation, answer.need)


def test_each_row_has_a_direct_test() -> None:
    assert list(ROWS) == [row.name for row in NEEDS]
    check_shape(Examples("NEEDS", NEEDS, {}))


@pytest.mark.parametrize(
    ("situation", "said"),
    [
        (of(None, word="unknown"), "whether it still runs could not be seen"),
        (of(word="unknown", session=SessionEvidence(hidden=True)), "it lives in a tmux server that cannot be reached: "
         "another one has taken the place of its socket"),
        (of(word="unknown", unseen="no answer"), "it could not be seen: no answer"),
        (of(word="unknown"), "it could not be seen"),
        (of(WRONG), "line 3: no such runtime"),
        (of(None, more={"changes": GONE}), "removed from git"),
        (of(STOPPED, more={"changes": GONE}), "declared stopped"),
        (of(None, session=MOVED, more={"changes": GONE}),
         'somebody has moved its pane to the tmux session "mine": it is left alone there until it ends'),
        (of(more={"override": MASKED}), "somebody has masked it"),
        (of(replace(AGENT, session="its-own"), word="foreign"),
         'a tmux session "its-own" exists that this fleet did not start'),
        (of(word="foreign", session=SessionEvidence(pane=replace(NO_PANE, mark="b"))),
         'a tmux session "coder0" is that of agent b, renamed'),
        (of(word="foreign", session=MOVED),
         'somebody has moved its pane to the tmux session "mine": it is left alone there until it ends'),
        (of(health=Health.SETTLING, why="its unit is activating"), "its unit is activating"),
        (of(word="dead", why="its program has ended"), "its program has ended"),
        (differing("launch"), "its declaration has changed"),
        (of(hung=True, **STALE), "last heartbeat 90 s ago"),
        (of(**STALE), "last heartbeat 90 s ago, but its pane is still active"),
        (of(replace(AGENT, native_heartbeat=False), **STALE),
         "last heartbeat 90 s ago, but its heartbeat is not its own word"),
        (differing("program", why="vim runs in its pane"), "vim runs in its pane"),
        (differing("limits.memory_max", "scope"), "it is not in a scope of its own"),
        (differing("scope", "limits.memory_max"), "its limits are not in force"),
        (differing("limits.memory_max", session=UNKEPT),
         "this host gives the user's systemd no controller for limits.memory_max: mosaic doctor"),
        (of(place=FOLDER, stranded="it would not start"), "it would not start"),
    ],
)  # fmt: skip
def test_words(situation: AgentSituation, said: str) -> None:
    assert need(situation).message == said


def paths(made: Need) -> list[str]:
    return [one.path for one in made.changes]


def test_what_differs_is_named_but_for_what_needs_no_start() -> None:
    both = {**change(Kind.UNIT, "active", "enabled"), **change(Kind.SESSION, "launch", "scope", "limits.memory_max")}
    made = need(of(more={"changes": both}))
    assert paths(made) == ["active", "launch"]
    assert made.desired is MODEL
    assert made.present is not None
    assert made.present.key.kind is Kind.SESSION
    assert paths(
        need(
            of(
                None,
                more={
                    "changes": {
                        **UNIT_GONE,
                        **change(Kind.SESSION, "alive", "enabled", "scope", verdict=Verdict.DELETE),
                    }
                },
            )
        )
    ) == ["alive", "scope"]
    assert paths(need(of(hung=True, **STALE))) == ["heartbeat"]
    assert paths(need(of(more={"override": MASKED}))) == ["unit"]
    assert paths(need(differing("scope", "x", "limits.memory_max"))) == ["scope", "limits.memory_max"]
    assert paths(need(differing("limits.memory_max", session=UNKEPT))) == ["limits.memory_max"]
    assert need(of(more={"relaunch": True})).desired is None


def test_what_is_confined_is_known_by_its_pane_and_its_declaration() -> None:
    made = need(differing("scope"))
    assert made.desired is MODEL
    assert made.present is not None
    assert need(of(unit_active="inactive")).present is None  # the start of a unit needs no pane


def test_a_deleted_folder_is_named() -> None:
    gone = replace(FOLDER, folder_gone=True)
    made = need(of(place=gone, stranded="x"))
    assert [(one.path, one.desired) for one in made.changes] == [("working_directory", "/home/op/src")]
    assert need(of(place=FOLDER, stranded="x")).changes == ()


def test_a_stop_says_that_its_unit_has_failed() -> None:
    failed = change(Kind.UNIT, verdict=Verdict.DELETE, present=seen(Kind.UNIT, UnitEvidence(active="failed")))
    made = need(of(None, unit_active="failed", more={"changes": failed}))
    assert made.present is not None
    assert isinstance(made.present.evidence, SessionEvidence)
    assert made.present.evidence.unit_failed
    made = need(of(None, unit_active="failed", more={"changes": failed, "present": {}}))
    assert made.present is failed[Kind.UNIT].present  # nothing else of it was seen
    hidden = {ResourceKey(Kind.SESSION, NAME): replace(seen(Kind.SESSION, None), evidence=None)}
    made = need(of(None, unit_active="failed", more={"changes": failed, "present": hidden}))
    assert made.present is failed[Kind.UNIT].present
    for word in ("active", "inactive", "unknown"):
        other = change(Kind.UNIT, verdict=Verdict.DELETE, present=seen(Kind.UNIT, UnitEvidence(active=word)))
        made = need(of(None, more={"changes": other}))
        assert made.present is not None
        assert isinstance(made.present.evidence, SessionEvidence)
        assert not made.present.evidence.unit_failed
    made = need(of(None, more={"changes": UNIT_GONE}))
    assert made.present is not None
    assert isinstance(made.present.evidence, SessionEvidence)
    assert not made.present.evidence.unit_failed


A_START = Need(verb=START, reason=Reason.NOT_RUNNING, message="m")
A_RESTART = Need(verb=RESTART, reason=Reason.SPEC, disrupts=True, message="m")
A_STOP = Need(verb=STOP, reason=Reason.REMOVED, removes=True, message="m")
AWAY: dict[str, Any] = {"moving_to": "build-2"}
COMES: dict[str, Any] = {"moving": "it still runs on build-2"}


def due(made: Need, **more: Any) -> Due:
    return Due(need=made, of=of(**more))


def _said(made: Need) -> tuple[HeldReason | None, Reason, str]:
    return made.held, made.reason, made.message


STARTING = Examples("STARTS", STARTS, {
    "moves away, and is stopped": expect((None, Reason.MOVED, "moving to build-2"), due(A_STOP, more=AWAY)),
    "moves away": expect(
        (HeldReason.UNKNOWN, Reason.MOVED, "m"), due(replace(A_STOP, held=HeldReason.UNKNOWN), more=AWAY),
        due(replace(A_STOP, held=HeldReason.UNKNOWN, verb=None), more=AWAY),
    ),
    "held already": expect(
        (HeldReason.UNKNOWN, Reason.SPEC, "m"),
        due(replace(A_RESTART, held=HeldReason.UNKNOWN), more=COMES, word="dead"),
        due(replace(A_RESTART, held=HeldReason.UNKNOWN), more=AWAY),
    ),
    "starts nothing": expect(
        (None, Reason.REMOVED, "m"), due(A_STOP, no_start="x"), due(replace(A_STOP, verb=CONFINE), taken=True),
        due(replace(A_STOP, verb=None), no_start="x"),
    ),
    "waits for another host": expect(
        (HeldReason.MOVING, Reason.NOT_RUNNING, "it still runs on build-2"), due(A_START, more=COMES, word="missing"),
        due(A_START, more=COMES, word="dead", no_start="x"),
        due(replace(A_START, verb=RESTART), more=COMES, word="dead"),
    ),
    "its session's name is taken": expect(
        (HeldReason.NOT_OWNED, Reason.SPEC, f"{NAME_TAKEN}: it stays where it is"),
        due(A_RESTART, taken=True), due(A_RESTART, taken=True, no_start="x", more=COMES),
    ),
    "nothing is missing": expect(
        (None, Reason.SPEC, "m"), due(A_RESTART), due(replace(A_RESTART, verb=START), taken=True),
        due(replace(A_RESTART, disrupts=False), taken=True), due(A_RESTART, more=COMES), due(A_RESTART, more=AWAY),
    ),
    "only its unit is started": expect((None, Reason.NOT_RUNNING, "m"), due(A_START, no_start="x")),
    "would end, and not start again": expect(
        (HeldReason.DEPENDENCY, Reason.SPEC,
         "its folder is not there: it keeps running as it is until that is fixed"),
        due(A_RESTART, no_start="x", place=FOLDER), due(A_RESTART, no_start="x", place=FOLDER, word="dead"),
    ),
    "cannot start": expect(
        (HeldReason.DEPENDENCY, Reason.NOT_RUNNING, "its folder is not there"),
        due(A_START, no_start="x", place=FOLDER, word="dead"),
        due(A_START, no_start="its folder is not there", word="missing"),
    ),
}, outcome=_said)  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(STARTING))
def test_start(one: Examples, name: str, decision: Any, situation: Any) -> None:
    check(one, name, decision, situation)


def test_shape_of_starts() -> None:
    check_shape(STARTING)


def test_both_tables_are_asked_one_after_the_other() -> None:
    view = make.view(NAME, session="missing", no_start="its folder is not there")
    made = need_of(view, AGENT, {}, {}, KNOWN, tried=False)
    assert (made.verb, made.held) == (RESTART, HeldReason.DEPENDENCY)
    made = need_of(view, AGENT, {}, {}, KNOWN, tried=False, moving="not yet")
    assert (made.held, made.message) == (HeldReason.MOVING, "not yet")
    made = need_of(make.view(NAME), None, GONE, {}, KNOWN, tried=False, moving_to="build-2")
    assert (made.verb, made.reason) == (STOP, Reason.MOVED)
    made = need_of(make.view(NAME), AGENT, {}, {}, KNOWN, tried=False, relaunch=True)
    assert made.reason is Reason.REQUESTED
    assert need_of(make.view(NAME), AGENT, {}, {}, KNOWN, tried=False, override=MASKED).held is HeldReason.MASKED
    assert need_of(make.view(NAME), AGENT, {}, {}, KNOWN, tried=False) == Need()
    first_time = make.view(NAME, session="missing")
    assert [need_of(first_time, AGENT, {}, {}, NEW, tried=tried).heals for tried in (False, True)] == [False, True]


def test_a_restart_that_has_to_end_something_first() -> None:
    left = seen(Kind.SESSION, SessionEvidence(scopes=("mosaic-x.scope",)))
    assert ends_by_unit(A_RESTART)
    assert ends_by_unit(replace(A_RESTART, disrupts=False, present=left))
    assert not ends_by_unit(replace(A_RESTART, disrupts=False))
    assert not ends_by_unit(replace(A_START, present=left, disrupts=True))
    assert not ends_by_unit(replace(A_STOP, disrupts=True))
    assert not ends_by_unit(replace(A_STOP, verb=CONFINE, disrupts=True))


@pytest.mark.parametrize(
    ("view", "started", "is_due"),
    [
        ({}, 0.0, True),
        ({}, 4.9, True),
        ({}, -4.9, True),
        ({}, 5.0, False),
        ({}, -5.0, False),
        ({"pid": 7}, 0.0, False),
        ({"pid": 9999}, 0.0, False),
        ({}, 9.0, False),
        ({}, -9.0, False),
        ({"session": "a"}, 0.0, False),
        ({"session": "dead"}, 0.0, False),
        ({"session": "missing"}, 0.0, False),
        ({"session": "unknown"}, 0.0, False),
    ],
)
def test_a_request_is_for_the_process_that_was_seen(view: dict[str, Any], started: float, is_due: bool) -> None:
    known = AgentHistory(relaunch_pid=4242, relaunch_started=NOW)
    assert relaunch_due(known, make.view(NAME, **{"started": NOW + started, **view})) is is_due
    assert not relaunch_due(AgentHistory(relaunch_started=NOW), make.view(NAME, started=NOW, pid=0))


@pytest.mark.parametrize(
    ("view", "is_due"),
    [
        ({}, True),
        ({"started": NOW + 4.0}, True),
        ({"started": NOW + 6.0}, False),
        ({"pid": 8}, False),
        ({"session": "dead"}, False),
        ({"waiting": "permission"}, False),
        ({"waiting": ""}, False),
    ],
)
def test_a_process_that_went_on_and_asks_about_it(view: Mapping[str, Any], is_due: bool) -> None:
    known = AgentHistory(resumed_pid=7, resumed_started=NOW)
    assert gone_astray(known, make.view(NAME, **{"started": NOW, "pid": 7, "waiting": "resume", **view})) is is_due
    assert not gone_astray(AgentHistory(), make.view(NAME, started=NOW, pid=0, waiting="resume"))


@pytest.mark.parametrize("word", Readiness)
def test_what_a_process_asks_once_it_has_gone_on_is_somebodys(word: Readiness) -> None:
    """A person who opens the list of conversations days later must not lose the one that the agent is in."""
    known = AgentHistory(resumed_pid=7, resumed_started=NOW)
    there = word in (Readiness.AVAILABLE, Readiness.WORKING)
    assert went_on(known, make.view(NAME, started=NOW, pid=7, readiness=word)) is there
    assert not went_on(known, make.view(NAME, started=NOW, pid=8, readiness=word))


@pytest.mark.parametrize(
    ("agent", "word", "asked"),
    [
        (STOPPED, "alive", True),
        (STOPPED, "dead", True),
        (STOPPED, "missing", False),
        (replace(STOPPED, resume="always"), "alive", False),
        (replace(STOPPED, resume="never"), "alive", False),
        (replace(STOPPED, argv=("wrapper",)), "alive", False),
        (ABSENT, "alive", False),
    ],
)
def test_an_agent_that_is_stopped_begins_again(agent: Any, word: str, asked: bool) -> None:
    need = fill.stop(of(agent, word=word), Need())
    assert any(one.path == "conversation" for one in need.changes) is asked
