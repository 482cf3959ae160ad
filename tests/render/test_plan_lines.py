"""A plan in few lines: who is named, what is put together, and what is never put together."""

from __future__ import annotations

import pytest

from providers.base import Action, Kind, Present, Reason, ResourceKey, Verb
from providers.evidence import FileEvidence
from reconciler.helpers.words import no_paint
from reconciler.model import Plan
from reconciler.plan_values import Summary
from reconciler.render.plan_lines import counted, groups, is_grave, lines
from reconciler.render.plan_text import plan_text
from reconciler.render.report_text import report_text
from tests import builders as make
from tests.golden import runs


def shared(kind: Kind, verb: Verb, target: str, *, reason: Reason = Reason.FRAMEWORK, there: bool = False) -> Action:
    key = ResourceKey(kind, target)
    present = Present(key=key, agent=None, ours=True, fields={}) if there else None
    return make.action(verb, None, id=f"{verb}:{kind}:{target}", key=key, target=target, reason=reason, present=present)


def texts(agent: str, *, only_peers: bool, reason: Reason = Reason.SPEC) -> Action:
    key = ResourceKey(Kind.EXTRAS, agent)
    seen = Present(key=key, agent=agent, ours=True, fields={}, evidence=FileEvidence(only_peers=only_peers))
    return make.action(
        Verb.WRITE, agent, id=f"write:extras:{agent}", key=key, target=f"{agent}.d", reason=reason, present=seen
    )


def first_fleet(agents: int) -> Plan:
    files = [shared(Kind.FRAMEWORK, Verb.WRITE, f"/home/ada/.config/mosaic/fleet/bin/file-{n}") for n in range(11)]
    names = [f"agent{n}" for n in range(agents)]
    actions = (
        *files,
        shared(Kind.FRAMEWORK, Verb.RELOAD, "the user's systemd manager"),
        shared(Kind.RESEED, Verb.RESEED, "the framework's files"),
        shared(Kind.LINGER, Verb.LINGER, "ada", reason=Reason.NEW),
        shared(Kind.PROJECTION, Verb.PROJECT, "/home/ada/.config/mosaic/fleet/NORTH_STAR.md", reason=Reason.NEW),
        shared(Kind.HOLDER, Verb.ENABLE, "mosaic-tmux-holder.service", reason=Reason.NEW),
        shared(Kind.HOLDER, Verb.START, "mosaic-tmux-holder.service", reason=Reason.NEW),
        *(make.action(verb, name, id=f"{verb}:{name}") for name in names for verb in (Verb.ENABLE, Verb.START)),
    )
    views = {name: make.view(name, session="missing", why="it has no session") for name in names}
    return make.plan(actions=actions, summary=Summary(create=agents + 15), views=views)


def test_the_first_fleet_fits_a_screen() -> None:
    plan = first_fleet(5)
    text = plan_text(plan, make.steps_of, apply="reconcile ~/fleet").splitlines()
    assert len(text) <= 24
    assert max(map(len, text)) <= 100
    assert [line.split()[1] for line in text if line.startswith("+ agent")] == [f"agent{n}" for n in range(5)]
    assert text[-1] == "Plan: 5 to start, 0 to change, 0 to stop.   Apply: reconcile ~/fleet"
    assert sum("(--verbose lists them)" in line for line in text) == 1


def test_every_action_is_in_one_group() -> None:
    plan = first_fleet(3)
    told = [action for group in groups(plan.actions) for action in group.actions]
    assert sorted(action.id for action in told) == sorted(action.id for action in plan.actions)


def test_new_peers_are_one_line_for_all() -> None:
    new = make.action(Verb.START, "coder9")
    peers = [texts(name, only_peers=True) for name in ("a", "b", "c")]
    found = groups([new, *peers, texts("d", only_peers=False)])
    assert [(group.name, len(group.actions)) for group in found] == [("coder9", 1), ("contracts", 1), ("peers", 3)]
    assert counted(make.plan(actions=(new, *peers))) == "1 to start, 0 to change, 0 to stop"
    assert len(lines(found, {}, no_paint)) == 3


def test_texts_of_one_that_starts_are_part_of_that() -> None:
    found = groups([texts("a", only_peers=True), make.action(Verb.RESTART, "a")])
    assert [(group.name, group.is_agent) for group in found] == [("a", True)]


@pytest.mark.parametrize(
    ("action", "grave"),
    [
        (make.action(Verb.START), False),
        (make.action(Verb.RESTART, disrupts=True), True),
        (make.action(Verb.RESTART, reason=Reason.UNHEALTHY), False),  # its program has ended by itself
        (make.action(Verb.STOP), True),
        (make.action(Verb.DELETE), True),
        (make.action(Verb.START, losses=("vim in window 1",)), True),
        (make.action(Verb.START, forced="ada", despite="it works"), True),
        (shared(Kind.FRAMEWORK, Verb.WRITE, "/bin/agent-start"), False),
        (shared(Kind.FRAMEWORK, Verb.WRITE, "/bin/agent-start", reason=Reason.DRIFT), False),  # it was not there
        (shared(Kind.FRAMEWORK, Verb.WRITE, "/bin/agent-start", reason=Reason.DRIFT, there=True), True),
        (shared(Kind.FRAMEWORK, Verb.DELETE, "/bin/old", there=True), True),
        (texts("a", only_peers=True), False),
        (texts("a", only_peers=False, reason=Reason.DRIFT), True),
    ],
)
def test_what_ends_or_loses_something(action: Action, grave: bool) -> None:
    assert is_grave(action) is grave


def test_what_is_grave_of_many_shared_things_is_told_by_its_name() -> None:
    edited = shared(Kind.FRAMEWORK, Verb.WRITE, "/bin/agent-start", reason=Reason.DRIFT, there=True)
    plan = make.plan(actions=(*first_fleet(1).actions, edited))
    blocks = plan_text(plan, make.steps_of).split("\n\n")
    assert blocks[1] == "ends or loses something"
    assert "/bin/agent-start" in blocks[2]
    assert "/bin/agent-start" not in blocks[3]


def test_changes_of_shared_things_alone_touch_no_agent() -> None:
    plan = make.plan(actions=(shared(Kind.FRAMEWORK, Verb.WRITE, "/bin/agent-start"),))
    assert "no agent" in counted(plan)


def test_a_report_has_one_line_for_whom_all_was_done() -> None:
    plan = first_fleet(2)
    made = [make.outcome(action) for action in plan.actions]
    made[-1] = make.outcome(plan.actions[-1], "failed", error="timeout")
    left = make.plan(views=plan.views, actions=(plan.actions[-1],))
    text = report_text(runs.result(left, outcomes=tuple(made), status=make.status()), short=True).splitlines()
    whole = [line.split()[1] for line in text if line.startswith("done ") and "(" not in line]
    assert whole == ["agent0", "framework", "tmux", "linger", "mission"]
    own = [line for line in text if "[agent1]" in line]
    assert [line.split()[:2] for line in own] == [["done", "enable"], ["failed", "start"]]
    assert own[-1].endswith(": timeout")


def test_a_report_that_is_not_short_has_every_action() -> None:
    plan = first_fleet(2)
    made = tuple(make.outcome(action) for action in plan.actions)
    text = report_text(runs.result(make.plan(), outcomes=made, status=make.status()))
    assert sum(line.startswith("done ") for line in text.splitlines()) == len(made)
