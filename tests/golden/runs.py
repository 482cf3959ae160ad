"""What a run, a preview and `mosaic fleet status` say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from providers.base import Health, HeldReason, Kind, Reason, Verb
from reconciler.git.log import HistoryLine
from reconciler.loop.result import RunResult
from reconciler.model import Plan, Readiness
from reconciler.plan_values import Summary
from reconciler.render.plan_text import plan_text
from reconciler.render.report_text import report_text
from reconciler.render.status_text import status_text
from reconciler.state.lock import Holder
from reconciler.status.conditions import ConditionReason
from reconciler.status.values import Pause
from specs.compiled import Suspension
from tests import builders as make
from tests.golden.agents import cases
from tests.golden.book import Text

NOW = make.NOW
VIEWS = {
    "coder0": make.view(why="its declaration has changed"),
    "coder2": make.view(
        "coder2", session="missing", health=Health.UNHEALTHY, why="it has no session", readiness=Readiness.DEAD
    ),
}
# Something of every kind that a plan can hold.
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
    views=VIEWS,
)
FIRST = make.plan(
    actions=(
        make.action(Verb.WRITE, None, id="w", target="/home/ada/mosaic/agent-start", reason=Reason.NEW),
        make.action(Verb.ENABLE, "coder2"),
        make.action(Verb.START, "coder2"),
    ),
    summary=Summary(create=3),
    views={"coder2": VIEWS["coder2"]},
)
COMMITS = (
    HistoryLine(sha="b" * 40, subject="Add a coder", author="Ada <ada@example.org>"),
    HistoryLine(sha="c" * 40),  # all that is known of one with an id of another kind
)


def previews() -> Iterator[Text]:
    for situation, plan in {
        "--dry-run: a first fleet": FIRST,
        "--dry-run: something of every kind": FULL,
        "--dry-run: nothing to do": make.plan(),
        "--dry-run: paused": make.plan(paused="storm"),
        "--dry-run: paused without a reason": make.plan(paused=""),
        "--dry-run: not everything could be seen": make.plan(unknown={Kind.UNIT: "the bus does not answer"}),
        "--dry-run: one reason for much that could not be seen": make.plan(
            unknown=dict.fromkeys((Kind.HOLDER, Kind.UNIT), "no bus"),
            held=(
                make.held(
                    HeldReason.UNKNOWN,
                    None,
                    target="u",
                    message="the holder could not be seen: no bus",
                ),
            ),
            summary=Summary(held=1, unchanged=1),
        ),
        "--dry-run: everything is held": make.plan(held=(make.held(),), summary=Summary(held=1, unchanged=1)),
        "--dry-run: a start is under way": make.plan(settling=("coder0",)),
    }.items():
        yield Text(situation, plan_text(plan, make.steps_of, apply="reconcile ~/fleet"))
    yield Text("--dry-run --verbose: something of every kind", plan_text(FULL, make.steps_of, more=""))
    yield Text("--dry-run: commits that are new", plan_text(make.plan(), make.steps_of, commits=COMMITS))


def result(plan: Plan = FULL, **more: object) -> RunResult:
    """A run in which one action was done and one has failed; `more` says what is otherwise."""
    outcomes = (make.outcome(), make.outcome(make.action(agent="coder2"), "failed", error="timeout"))
    bad = make.source(ConditionReason.INVALID_CONFIGURATION, attempted="b" * 40, message="commit b is bad")
    usual: dict[str, object] = {
        "plan": plan, "outcomes": outcomes, "outcome": "partial", "exit_code": 1, "passes": 2, "started_at": NOW,
        "duration_s": 0.41, "status": make.status(plan=plan, outcomes=outcomes, source=bad),
    }  # fmt: skip
    return RunResult(**{**usual, **more})  # type: ignore[arg-type]


def quiet(plan: Plan, outcome: str) -> RunResult:
    """A run that did nothing."""
    return result(plan, outcomes=(), outcome=outcome, passes=1, status=make.status(plan=plan))


def reports() -> Iterator[Text]:
    left = replace(FULL, refused=(), unknown={}, settling=(), actions=FULL.actions[:2])
    yield Text("nothing to do", report_text(quiet(make.plan(), "converged")))
    yield Text("done, failed, held and pending", report_text(result(left), short=True, more="--verbose lists them"))
    yield Text("--verbose: done, failed, held and pending", report_text(result(left)))
    made = tuple(make.outcome(action) for action in FIRST.actions)
    first = result(make.plan(), outcomes=made, outcome="converged", exit_code=0, status=make.status())
    yield Text("a first fleet", report_text(first, short=True, more="--verbose lists them"))
    yield Text("refused, and not everything was seen", report_text(result(FULL, outcomes=())))
    yield Text("paused", report_text(quiet(make.plan(paused="storm"), "paused")))


def status() -> Iterator[Text]:
    """What the last run left behind, half a minute later."""
    yield Text("all is well", status_text(make.status(), now=NOW + 30))
    much = make.status(
        plan=FULL,
        pause=Pause(reason="storm", by="ada", since=NOW - 60),
        suspended={
            "coder0": Suspension(reason="pairing", by="ada", until=NOW + 3600),
            "*": Suspension(reason="move", by="bob", until=None),
        },
    )
    needs = make.status(attention=tuple(one.case for one in cases()))
    yield Text("some need a person", status_text(needs, now=NOW + 30))
    running = Holder(pid=7, since=NOW, command="reconcile")
    yield Text("paused, drifted, suspended, and a run under way", status_text(much, now=NOW + 30, running=running))
