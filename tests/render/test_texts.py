"""What people read: whole, plain, and harmless to a terminal whatever the names are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.base import Health, HeldReason, Kind, Reason, Verb
from reconciler.classify import Readiness
from reconciler.conditions import ConditionReason
from reconciler.history import HistoryLine
from reconciler.lock import Holder
from reconciler.model import Plan, Summary
from reconciler.render.plan_text import closing, plan_text
from reconciler.render.report_text import report_text
from reconciler.render.status_text import status_text
from reconciler.render.words import value
from reconciler.results import RunResult
from reconciler.status import Pause
from specs.compiled import Suspension
from tests import builders as make

NOW = make.NOW
FULL = make.plan(
    actions=(
        make.action(
            Verb.RESTART,
            reason=Reason.SPEC,
            disrupts=True,
            changes=(make.change(), make.change("argv", ["a"], ["b", "c"])),
        ),
        make.action(Verb.ENABLE, "coder2", changes=(make.change("enabled", None, True),)),
        make.action(Verb.RELOAD, None, id="r", target="the user's systemd manager", reason=Reason.FRAMEWORK),
    ),
    held=(make.held(),),
    unknown={Kind.LINGER: "loginctl hangs"},
    orphans=("unit mosaic-agent@old.service",),
    refused=("4 agents would be removed",),
    settling=("coder3",),
    summary=Summary(create=1, update=1, held=1, unchanged=3),
    views={
        "coder0": make.view(why="its declaration has changed"),
        "coder2": make.view(
            "coder2", session="missing", health=Health.UNHEALTHY, why="it has no session", readiness=Readiness.DEAD
        ),
    },
)


def test_a_plan() -> None:
    assert plan_text(FULL, make.steps_of) == (
        """\
fleet demo on build-1, commit 1a2b3c4d5e6f, seen 2025-11-20T03:16:00Z

framework
  reload the user's systemd manager (framework-changed)
      $ systemctl --user daemon-reload

agent coder0 (claude, coder)
  now: its declaration has changed
  restart mosaic-agent@coder0.service (spec-changed, disrupts)
      model: opus -> sonnet
      argv: ["a"] -> ["b", "c"]
      $ systemctl --user restart mosaic-agent@coder0.service
  lost: ends the conversation in its pane (running for 2h, last activity 5s ago)

agent coder2 (claude, coder)
  now: it has no session
  enable mosaic-agent@coder2.service (new-in-git)
      (absent) -> enabled: true
      $ systemctl --user enable mosaic-agent@coder2.service

held
  coder1: restart mosaic-agent@coder1.service: working (it works), since 2025-11-20T03:15:00Z (1m ago); """
        """drain timeout 2025-11-20T03:21:00Z (in 5m)

refused
  4 agents would be removed

unknown (nothing follows from it)
  linger: loginctl hangs

settling
  coder3: its start is under way

orphans (declared nowhere; left alone)
  unit mosaic-agent@old.service

Plan: 3 actions; 1 to create, 1 to update, 1 held, 3 agents unchanged.
"""
    )


@pytest.mark.parametrize(
    ("plan", "sentence"),
    [
        (make.plan(), "No changes: build-1 is as 1a2b3c4d5e6f says; 1 agent unchanged."),
        (make.plan(paused="storm"), "No changes: the fleet is paused (storm); 0 held, 1 agent unchanged."),
        (make.plan(paused=""), "No changes: the fleet is paused; 0 held, 1 agent unchanged."),
        (
            make.plan(unknown={Kind.UNIT: "?"}),
            "No changes: not everything could be seen, so nothing is concluded; 0 held, 1 agent unchanged.",
        ),
        (
            make.plan(held=(make.held(),), summary=Summary(held=1, unchanged=1)),
            "No changes: everything that is due is held; 1 held, 1 agent unchanged.",
        ),
        (make.plan(settling=("coder0",)), "No changes: 1 start under way, 1 agent unchanged."),
    ],
)
def test_no_changes_is_a_sentence(plan: Plan, sentence: str) -> None:
    assert closing(plan) == sentence


def test_a_plan_begins_with_the_commits_that_it_is_about() -> None:
    commits = (
        HistoryLine(sha="b" * 40, subject="Add a \x1b[31mcoder", author="Ada <ada@example.org>"),
        HistoryLine(sha="c" * 40),  # all that is known of one with an id of another kind
    )
    assert plan_text(make.plan(), make.steps_of, commits=commits).splitlines()[1:6] == [
        "",
        "commits that come into force (newest first)",
        "  bbbbbbbbbbbb Add a coder (Ada)",
        "  cccccccccccc",
        "",
    ]


def test_a_paused_plan_says_so_first() -> None:
    assert plan_text(make.plan(paused="storm"), make.steps_of).splitlines()[1] == (
        "PAUSED: storm. Nothing is done until `mosaic fleet resume`."
    )


def made(plan: Plan = FULL, **more: object) -> RunResult:
    outcomes = (make.outcome(), make.outcome(make.action(agent="coder2"), "failed", error="timeout"))
    bad = make.source(ConditionReason.INVALID_CONFIGURATION, attempted="b" * 40, message="commit b is bad")
    usual: dict[str, object] = {
        "plan": plan, "outcomes": outcomes, "outcome": "partial", "exit_code": 1, "passes": 2, "started_at": NOW,
        "duration_s": 0.41, "status": make.status(plan=plan, outcomes=outcomes, source=bad),
    }  # fmt: skip
    return RunResult(**{**usual, **more})  # type: ignore[arg-type]


def test_a_report() -> None:
    plan = replace(FULL, refused=(), unknown={}, settling=(), actions=FULL.actions[:2])
    assert report_text(made(plan)) == (
        """\
done start mosaic-agent@coder0.service [coder0] (new-in-git)
failed start mosaic-agent@coder2.service [coder2] (new-in-git): timeout
source InvalidConfiguration: commit b is bad
held coder1: restart mosaic-agent@coder1.service: working (it works), since 2025-11-20T03:15:00Z (1m ago); """
        """drain timeout 2025-11-20T03:21:00Z (in 4m 59s)
pending restart mosaic-agent@coder0.service (spec-changed)
pending enable mosaic-agent@coder2.service (new-in-git)
Not converged yet: build-1 at 1a2b3c4d5e6f; 1 done, 1 failed, 1 held, 3 agents unchanged; 0.41 s, 2 passes.
"""
    )


def test_a_quiet_report_is_one_line() -> None:
    quiet = made(make.plan(), outcomes=(), outcome="converged", passes=1, status=make.status())
    assert report_text(quiet) == (
        "No changes: everything is as git says: build-1 at 1a2b3c4d5e6f; 1 agent unchanged; 0.41 s, 1 pass.\n"
    )
    paused = made(make.plan(paused="storm", actions=()), outcomes=(), outcome="paused", passes=1, status=make.status())
    assert report_text(paused).startswith("Paused: nothing was done (storm): build-1 at")


def test_a_status() -> None:
    status = make.status(
        plan=FULL,
        pause=Pause(reason="storm", by="ada", since=NOW - 60),
        suspended={"coder0": Suspension(reason="pairing", by="ada", until=NOW + 3600), "*": SUSPENDED},
    )
    text = status_text(status, now=NOW + 30, running=Holder(pid=7, since=NOW, command="reconcile"))
    for line in (
        "fleet demo of ada on build-1",
        "commit 1a2b3c4d5e6f in force",
        "PAUSED by ada since 2025-11-20T03:15:00Z (1m 30s ago): storm",
        "last run 2025-11-20T03:15:59Z (31s ago): converged in 0.40 s (started by timer, exit code 0)",
        "a run is under way: pid 7 (reconcile) since 2025-11-20T03:16:00Z",
        "Ready             False   2025-11-20T03:16:00Z  RefusedByGuard    4 agents would be removed",
        "AGENT   DESIRED  LIVE     STATE    HEALTH     SYNC     SINCE  RESTARTS  NEXT                   WHY",
        "coder2  running  stopped  dead     unhealthy  drifted  -      0         enable: new-in-git     "
        "it has no session",
        "suspended: coder0 by ada (pairing), until 2025-11-20T04:16:00Z (in 59m 30s)",
        "suspended: the whole fleet by bob (move), until somebody lifts it",
        "orphan: unit mosaic-agent@old.service",
    ):
        assert line in text.splitlines()


SUSPENDED = Suspension(reason="move", by="bob", until=None)
NASTY = st.text(st.characters(codec="utf-8"), max_size=10) | st.sampled_from(
    ["\x1b[31m", "\x9b2J", "a\nb", "\u202e", "\r"]
)


@settings(deadline=None)  # the machine may be busy
@given(NASTY, NASTY)
def test_no_name_and_no_reason_reaches_the_terminal_raw(name: str, reason: str) -> None:
    nasty = make.plan(
        fleet=name,
        host=name,
        revision=name,
        actions=(make.action(agent=name, target=name, changes=(make.change(name, reason, {name: [reason]}),)),),
        held=(make.held(HeldReason.WORKING, name, target=name, message=reason),),
        unknown={Kind.UNIT: reason},
        orphans=(name,),
        refused=(reason,),
        settling=(name,),
        views={name: make.view(name, runtime=name, agent_class=name, why=reason)},
    )
    status = make.status(plan=nasty, pause=Pause(reason=reason, by=name), suspended={name: SUSPENDED})
    for text in (
        plan_text(nasty, make.steps_of),
        report_text(made(nasty, status=status)),
        status_text(status, now=NOW),
    ):
        assert all(char == "\n" or char.isprintable() or char == " " or ord(char) > 0x9F for char in text)
        assert not set(text) & set("\x1b\r\x9b\u202e\u2028")
        assert len(text.splitlines()) < 60  # a name does not make lines of its own


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        (None, "(absent)"),
        ("", '""'),
        ("plain words", "plain words"),
        ("two\nlines", '"two lines"'),
        (" padded", '"padded"'),
        ("(absent)", '"(absent)"'),
        (True, "true"),
        (1.5, "1.5"),
        (["a", "b c"], '["a", "b c"]'),
        ({"k": None}, '{"k": null}'),
    ],
)
def test_a_value_is_shown_whole(item: object, shown: str) -> None:
    assert value(item) == shown


def test_nothing_is_cut() -> None:
    long = "x" * 5000
    assert long in plan_text(
        make.plan(actions=(make.action(changes=(make.change("argv", "a", long),)),)), make.steps_of
    )
    assert long in status_text(make.status(plan=make.plan(views={"a": make.view("a", why=long)})), now=NOW)
