"""What a force lets through, what other people would lose, and who waits for another host, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from providers.base import FieldChange, HeldReason, Kind, Present, Reason, ResourceKey, Verb
from providers.evidence import NO_PANE, SessionEvidence
from providers.pane_values import OtherPane
from reconciler.helpers.decision_table import first_match
from reconciler.listing.document import Listing
from reconciler.listing.row import Row
from reconciler.model import AgentHistory, Inventory, Owned, Readiness
from reconciler.observe.may_end import Ending
from reconciler.plan.holding.forced import (
    FORCES,
    RECORDS,
    RELAUNCH,
    ForcedEnd,
    ForcedRecord,
    forced,
    still_due,
    with_force,
)
from reconciler.plan.holding.losses import LOSSES, Losing, losses_digest, with_losses
from reconciler.plan.holding.moving import (
    ANSWERS,
    ARRIVALS,
    Arriving,
    OldHost,
    answered,
    first_starts,
    moving_to,
    unasked,
    why_held,
)
from reconciler.plan.need import Need
from specs.compiled import Moving, Peer, Policy
from tests import builders as make
from tests.builders import NOW
from tests.tables.fleets import make_agent, make_fleet
from tests.tables.rows import Examples, check, check_shape, expect, params

NAME = "coder0"
AGENT = make_agent(NAME, generation=2)
STOPPED, ABSENT = replace(AGENT, state="stopped"), replace(AGENT, state="absent")
WORKS = make.view(NAME, readiness=Readiness.WORKING, started=NOW - 60)
KNOWN = forced(AgentHistory(), pid=4242, started=NOW - 60, change="generation 2", by="ada", revision="r1")
RESTART = Need(verb=Verb.RESTART, reason=Reason.SPEC, disrupts=True)
END = ForcedEnd(need=RESTART, view=WORKS, agent=AGENT, known=KNOWN, against="it works")
RECORD = ForcedRecord(known=KNOWN, view=WORKS, agent=AGENT, revision="r2")


def end(**more: Any) -> ForcedEnd:
    return replace(END, **more)


def need(**more: Any) -> ForcedEnd:
    return replace(END, need=replace(RESTART, **more))


def record(change: str = "generation 2", **more: Any) -> ForcedRecord:
    return replace(RECORD, known=replace(KNOWN, forced_for=change), **more)


OTHER = OtherPane(id="%9", window=1, index=2, pid=77, command="vim")
SHARED = Present(
    key=ResourceKey(Kind.SESSION, NAME), agent=NAME, ours=True, fields={},
    evidence=SessionEvidence(pane=replace(NO_PANE, session=NAME, others=(OTHER,))),
)  # fmt: skip
LINE = "vim in window 1, pane 2 (%9, pid 77)"
REMOVES = Need(verb=Verb.STOP, removes=True, present=SHARED)
LOSING = Losing(need=REMOVES, losses=(LINE,), let="")
SOCKET = (FieldChange(path="socket", live="a", desired="b"),)
MOVE = Moving(host="build-2", ssh="x", said="no answer")


def arriving(word: Any = "silent", policy: Any = "wait", **more: Any) -> Arriving:
    return Arriving(move=replace(MOVE, word=word, **more), policy=policy)


def row(**more: Any) -> Row:
    usual: dict[str, Any] = {
        "name": NAME, "kind": "agent", "session": "missing", "unit": "inactive", "desired": "absent", "enabled": False,
        "may_stop_why": "",
    }  # fmt: skip
    made = object.__new__(Row)
    for word, value in {**usual, **more}.items():
        object.__setattr__(made, word, value)
    return made


def there(**more: Any) -> OldHost:
    known: dict[str, Any] = {word: more.pop(word) for word in ("name", "rejected", "here") if word in more}
    usual: dict[str, Any] = {"name": "build-2", "asked": "build-2", "here": "build-1"}
    return OldHost(**{**usual, **known}, row=row(**more))


def nowhere(**more: Any) -> OldHost:
    return replace(there(**more), row=None)


def _held(made: Need) -> tuple[HeldReason | None, tuple[str, ...]]:
    return made.held, made.losses


EXAMPLES = (
    Examples("FORCES", FORCES, {
        "ends nothing": expect(False, need(verb=None), need(verb=Verb.START), need(verb=Verb.CONFINE)),
        "nothing lives": expect(False, need(disrupts=False)),
        "held": expect(False, need(held=HeldReason.MOVING)),
        "another process": expect(
            False, end(known=AgentHistory()), end(view=replace(WORKS, pid=4241)), end(view=replace(WORKS, pid=9999)),
            end(view=replace(WORKS, started=NOW - 40)),
            end(view=replace(WORKS, started=NOW - 55)), end(view=replace(WORKS, started=NOW - 65)),
            end(view=make.view(NAME, session="a-word-unknown", started=NOW - 60)),
            end(view=replace(WORKS, session="dead")), end(view=replace(WORKS, session="foreign")),
            end(known=replace(KNOWN, forced_pid=0), view=replace(WORKS, pid=0)),
        ),
        "another change": expect(
            False, end(agent=replace(AGENT, generation=3)), end(agent=STOPPED), end(agent=None),
            need(reason=Reason.REQUESTED), end(known=replace(KNOWN, forced_for=RELAUNCH)),
        ),
        "not to be ended at all": expect(False),
        "need not wait": expect(False, end(against="")),
        "forced": expect(
            True, END, need(reason=Reason.DRIFT), need(reason=Reason.UNHEALTHY),
            end(view=replace(WORKS, started=NOW - 55.1)), end(view=replace(WORKS, started=NOW - 64.9)),
            replace(need(verb=Verb.STOP), agent=STOPPED, known=replace(KNOWN, forced_for="stopped")),
            replace(need(verb=Verb.STOP), agent=None, known=replace(KNOWN, forced_for="removed")),
            replace(need(verb=Verb.STOP), agent=ABSENT, known=replace(KNOWN, forced_for="removed")),
            replace(need(reason=Reason.REQUESTED), known=replace(KNOWN, forced_for=RELAUNCH)),
        ),
    }),
    Examples("RECORDS", RECORDS, {
        "none": expect(True, replace(RECORD, known=AgentHistory()),
                       replace(RECORD, known=replace(KNOWN, forced_pid=0), view=replace(WORKS, session="dead"))),
        "unseen": expect(True, replace(RECORD, view=replace(WORKS, session="unknown")),
                         record("stopped", view=replace(WORKS, session="unknown"))),
        "the process is gone": expect(
            False, *(replace(RECORD, view=replace(WORKS, session=word)) for word in ("dead", "missing", "foreign")),
            replace(RECORD, view=replace(WORKS, pid=7)), record(RELAUNCH, view=replace(WORKS, session="dead")),
        ),
        "a relaunch": expect(True, record(RELAUNCH), record(RELAUNCH, agent=None)),
        "git still says so": expect(
            True, RECORD, record("stopped", agent=STOPPED), record("removed", agent=None),
            record("removed", agent=ABSENT),
        ),
        "not read yet": expect(True, record("stopped", revision="r1"), record("generation 3", revision="r1")),
        "git says otherwise": expect(
            False, record("stopped"), record("generation 3"), record("generation 1", revision="r0"),
        ),
    }),
    Examples("LOSSES", LOSSES, {
        "held already": expect(
            (HeldReason.MOVING, ()), replace(LOSING, need=replace(REMOVES, held=HeldReason.MOVING))
        ),
        "nobody else is there": expect((None, ()), replace(LOSING, losses=())),
        "its session stays": expect(
            (None, ()), *(replace(LOSING, need=replace(REMOVES, **more)) for more in (
                {"removes": False}, {"removes": False, "changes": SOCKET}, {"verb": Verb.RESTART},
                {"verb": Verb.START, "changes": SOCKET}, {"verb": None, "changes": SOCKET},
                {"verb": Verb.RESTART, "changes": (replace(SOCKET[0], path="launch"),)},
                {"verb": Verb.RESTART, "changes": (replace(SOCKET[0], path="working_directory"),)},
            ))
        ),
        "let go": expect((None, (LINE,)), replace(LOSING, let=losses_digest([LINE]))),
        "others would lose something": expect(
            (HeldReason.NOT_OWNED, (LINE,)), LOSING, replace(LOSING, let="another"), replace(LOSING, let="zzz"),
            replace(LOSING, need=replace(REMOVES, verb=Verb.RESTART, changes=SOCKET)),
        ),
    }, outcome=_held),
    Examples("ARRIVALS", ARRIVALS, {
        "let go": expect("", arriving("runs", released=True), arriving(released=True)),
        "gone there": expect("", arriving("gone")),
        "runs there": expect(ARRIVALS[2].then, arriving("runs"), arriving("runs", "start", ssh=None)),
        "silent, and no way there": expect("", arriving(ssh=None)),
        "silent, and nobody waits": expect("", arriving("silent", "start")),
        "silent": expect(ARRIVALS[5].then, arriving(), arriving("silent", "a-word-unknown")),
        "not asked": expect(ARRIVALS[6].then, arriving(""), arriving("", "start", ssh=None),
                             arriving("zzz-unknown"), arriving("zzz-unknown", "start", ssh=None)),
    }),
    Examples("ANSWERS", ANSWERS, {
        "this host": expect("gone", there(name="build-1"), there(name="build-1", session="alive")),
        "another host": expect("silent", there(name="build-3"), nowhere(name="build-3")),
        "not there": expect("gone", nowhere()),
        "runs, and is to": expect(
            "runs", there(desired="running", session="alive"), there(desired="running", unit="active")
        ),
        "is to run": expect("runs", there(desired="running"), there(desired="running", session="dead", unit="failed")),
        "runs": expect("runs", there(session="alive"), there(session="unknown"), there(unit="active"),
                       there(session="dead", unit="activating", desired="stopped")),
        "comes back at a boot": expect("runs", there(enabled=True), there(enabled=None)),
        "ended": expect("gone", there(), there(session="dead", unit="failed"), there(unit=""),
                        there(desired="stopped")),
    }),
)  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), [
    each for each in params(*EXAMPLES) if "not to be ended" not in str(each.id)
])  # fmt: skip
def test_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    if one.table is ANSWERS:
        found = next(row for row in ANSWERS if row.when(situation))
        assert (found.name, found.then[0]) == (name, decision)
        assert found.then[1](situation)
    else:
        check(one, name, decision, situation)


@pytest.mark.parametrize("allowed", [None, False])
def test_what_is_not_this_fleets_is_ended_by_nobody(allowed: bool | None) -> None:
    """No view is both alive, for the record, and foreign, for the table: the row stands guard all the same."""
    ending = Ending(allowed, "no")
    with patch("reconciler.plan.holding.forced.may_end", return_value=ending):
        row = first_match(FORCES, END)
        assert (row.name, row.then) == ("not to be ended at all", False)


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.name)
def test_shape(one: Examples) -> None:
    check_shape(one)


def test_a_force_is_written_to_the_need_with_what_speaks_against_the_end() -> None:
    made = with_force(RESTART, WORKS, AGENT, KNOWN, Policy())
    assert (made.forced, made.despite) == ("ada", "it works")
    assert with_force(RESTART, WORKS, AGENT, AgentHistory(), Policy()) is RESTART
    assert with_force(RESTART, replace(WORKS, readiness=Readiness.AVAILABLE), AGENT, KNOWN, Policy()) is RESTART


def test_a_record_that_is_not_due_is_forgotten() -> None:
    assert still_due(KNOWN, WORKS, AGENT, "r2") is KNOWN
    gone = still_due(KNOWN, replace(WORKS, session="dead"), AGENT, "r2")
    assert (gone.forced_pid, gone.forced_started, gone.forced_for, gone.forced_by, gone.forced_from) == (
        0,
        0.0,
        "",
        "",
        "",
    )


def test_what_others_lose_is_named() -> None:
    held = with_losses(REMOVES, "")
    assert held.losses == (LINE,)
    assert held.message == (
        f"other people have panes in its session that would end with it: {LINE}; "
        "to end them all the same: mosaic fleet release coder0"
    )
    assert with_losses(REMOVES, losses_digest([LINE])).held is None
    assert with_losses(replace(REMOVES, present=None), "") == replace(REMOVES, present=None)
    assert losses_digest([LINE]) == losses_digest((LINE,)) != losses_digest([LINE, LINE])
    assert len(losses_digest([])) == 12


def fleet(**more: Any) -> Any:
    return make_fleet(AGENT, moving={NAME: replace(MOVE, **more)})


def test_why_it_waits() -> None:
    assert why_held(fleet(word="runs"), NAME) == "moving from build-2: no answer"
    assert why_held(fleet(word="silent"), NAME) == (
        "moving from build-2, and whether it still runs there is not known: no answer"
    )
    assert why_held(fleet(), NAME) == "moving from build-2, which has not been asked yet"
    assert why_held(fleet(word="runs", released=True), NAME) == ""
    assert why_held(fleet(word="runs"), "nobody") == ""
    assert why_held(replace(fleet(word="silent"), policy=Policy(moving="start")), NAME) == ""


def test_a_start_that_nobody_can_vouch_for_is_said() -> None:
    assert "no way there is declared" in unasked(fleet(word="silent", ssh=None), NAME)
    assert "not to wait" in unasked(replace(fleet(word="silent"), policy=Policy(moving="start")), NAME)
    for more in (
        {"word": "silent"},
        {"word": "runs"},
        {"word": "silent", "ssh": None, "released": True},
        {"word": "gone"},
    ):
        assert unasked(fleet(**more), NAME) == ""
    assert unasked(make_fleet(AGENT), NAME) == ""


def test_of_an_agent_that_is_not_there_nothing_lives() -> None:
    assert not nowhere().there
    assert not nowhere().to_run


def test_where_it_goes_and_who_starts_here_first() -> None:
    peer = Peer(name=NAME, agent_class="coder", runtime="stub", state="running", host="build-2")
    others = (
        replace(peer, name="x", host="a"),
        replace(peer, name="a", host="c"),
        replace(peer, state="absent", host="b"),
        peer,
    )
    assert moving_to(make_fleet(peers=others), NAME) == "build-2"
    assert moving_to(make_fleet(peers=(replace(peer, state="stopped"),)), NAME) == "build-2"
    assert moving_to(make_fleet(peers=others[:3]), NAME) == ""
    placed = replace(AGENT, placed=True)
    known = Inventory(agents={NAME: Owned(agent_class="coder", socket="s", launch_digest="d")})
    assert first_starts(make_fleet(placed), Inventory()) == (placed,)
    assert first_starts(make_fleet(placed), Inventory(agents={NAME: Owned(agent_class="coder", socket="s")})) == (
        placed,
    )
    assert first_starts(make_fleet(placed), known) == ()
    for other in (AGENT, replace(placed, state="stopped"), replace(placed, state="absent"), replace(placed, held="x")):
        assert first_starts(make_fleet(other), Inventory()) == ()


def listing(*rows: Row, host: str = "build-2", rejected: str = "") -> Listing:
    made = object.__new__(Listing)
    for word, value in {"host": host, "rows": rows, "rejected": rejected}.items():
        object.__setattr__(made, word, value)
    return made


@pytest.mark.parametrize(
    ("answer", "word", "said"),
    [
        ("no way there", "silent", "no way there"),
        (listing(host="build-1"), "gone", "that is this very host"),
        (listing(host="build-3"), "silent", 'the host that answers there is "build-3"'),
        (listing(), "gone", "it is not there"),
        (listing(row(name="x", session="alive"), row(kind="peer", session="alive")), "gone", "it is not there"),
        (listing(row(name="a", session="alive"), row()), "gone", "it has ended there"),
        (listing(row(name="x"), row(kind="orphan", session="alive")), "runs", "it still runs there"),
        (listing(row(kind="removed", session="alive", may_stop_why="it works")), "runs",
         "it still runs there (it works)"),
        (listing(row(desired="running", session="alive")), "runs",
         "it still runs there, and build-2 has not taken the commit yet"),
        (listing(row(desired="running"), rejected="a typo"), "runs",
         "it is not running there, but build-2 does not take the newest commit: a typo"),
        (listing(row(enabled=True)), "runs", "it has ended there, and would come back at a boot"),
        (listing(row()), "gone", "it has ended there"),
    ],
)  # fmt: skip
def test_answers(answer: Listing | str, word: str, said: str) -> None:
    assert answered(answer, NAME, "build-2", "build-1") == (word, said)
