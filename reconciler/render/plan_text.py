"""What `reconcile --dry-run` says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from providers.base import Action
from reconciler.documents import StepsOf
from reconciler.model import Plan
from reconciler.render.words import Paint, change, count, data, held_line, loss, no_paint, short, value
from reconciler.times import rfc3339

if TYPE_CHECKING:
    from reconciler.history import HistoryLine


def plan_text(
    plan: Plan,
    steps_of: StepsOf,
    *,
    commits: Sequence[HistoryLine] = (),
    known: str = "",
    paint: Paint = no_paint,
) -> str:
    """The commits that would come into force, then in the order of a run what all agents share and one block for each
    agent that changes; what is held, unknown and left over, and a count. `known`: what to say of the commit if it may
    not be the newest."""
    blocks = [
        _head(plan),
        _list("commits that come into force (newest first)", [_commit(one) for one in commits], paint),
    ]
    shared = [action for action in plan.actions if action.agent is None]
    if shared:
        blocks.append([paint("framework", "bold"), *_actions(shared, steps_of, paint)])
    agents = list(dict.fromkeys(action.agent for action in plan.actions if action.agent is not None))
    blocks += [_agent(plan, name, steps_of, paint) for name in agents]
    blocks += [
        _list("held", [held_line(held, plan.observed_at) for held in plan.held], paint),
        _list("refused", [data(sentence) for sentence in plan.refused], paint),
        _list("unknown (nothing follows from it)",
              [f"{data(what)}: {data(why)}" for what, why in plan.not_seen.items()], paint),
        _list("settling", [f"{data(name)}: its start is under way" for name in plan.settling], paint),
        _list("orphans (declared nowhere; left alone)", [data(orphan) for orphan in plan.orphans], paint),
        [closing(plan, known)],
    ]  # fmt: skip
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def closing(plan: Plan, known: str = "") -> str:
    """The count, or `No changes: ...` as a sentence."""
    total, still = plan.summary, f"{count(plan.summary.unchanged, 'agent')} unchanged"
    if plan.actions:
        parts = [
            f"{number} {verb}"
            for number, verb in (
                (total.create, "to create"), (total.update, "to update"), (total.remove, "to remove"),
                (total.heal, "to heal"), (total.held, "held"),
            )
            if number
        ]  # fmt: skip
        return f"Plan: {count(len(plan.actions), 'action')}; {', '.join([*parts, still])}."
    if plan.paused is not None:
        why = f" ({data(plan.paused)})" if plan.paused else ""
        return f"No changes: the fleet is paused{why}; {total.held} held, {still}."
    if plan.not_seen:
        return f"No changes: not everything could be seen, so nothing is concluded; {total.held} held, {still}."
    if plan.held:
        return f"No changes: everything that is due is held; {total.held} held, {still}."
    if plan.settling:
        return f"No changes: {count(len(plan.settling), 'start')} under way, {still}."
    return f"No changes: {data(plan.host)} is as {short(plan.revision)} says{known}; {still}."


def _head(plan: Plan) -> list[str]:
    where = f"fleet {data(plan.fleet)} on {data(plan.host)}"
    lines = [f"{where}, commit {short(plan.revision)}, seen {rfc3339(plan.observed_at)}"]
    if plan.paused is not None:
        lines.append(f"PAUSED: {data(plan.paused) or 'no reason given'}. Nothing is done until `mosaic fleet resume`.")
    return lines


def _commit(one: HistoryLine) -> str:
    author = data(one.author.partition(" <")[0])
    return " ".join(word for word in (short(one.sha), data(one.subject), author and f"({author})") if word)


def _agent(plan: Plan, name: str, steps_of: StepsOf, paint: Paint) -> list[str]:
    actions = [action for action in plan.actions if action.agent == name]
    view = plan.views.get(name)
    known = [data(word) for word in (view.runtime, view.agent_class) if word] if view else []
    lines = [paint(f"agent {data(name)}", "bold") + (f" ({', '.join(known)})" if known else "")]
    if view is not None and view.why:
        lines.append(f"  now: {data(view.why)}")
    lines += _actions(actions, steps_of, paint)
    if view is not None and any(action.disrupts for action in actions):
        lost = loss(view, plan.observed_at)
        if lost:
            lines.append(paint(f"  lost: {lost}", "red"))
    return lines


def _actions(actions: Iterable[Action], steps_of: StepsOf, paint: Paint) -> list[str]:
    lines = []
    for action in actions:
        disrupts = ", disrupts" if action.disrupts else ""
        lines.append(f"  {paint(str(action.verb), 'yellow')} {data(action.target)} ({action.reason}{disrupts})")
        lines += _changes(action)
        lines += [paint(f"      forced by {data(action.forced)}, though {data(action.despite)}", "red")] * bool(
            action.forced
        )
        lines += [paint(f"      lost with it: {data(one)}", "red") for one in action.losses]
        lines += [f"      $ {data(step.command)}" for step in steps_of(action)]
    return lines


def _changes(action: Action) -> list[str]:
    """A line for each field that differs; what is made from nothing fits on one."""
    made = action.changes and all(one.live is None for one in action.changes)
    if made:
        return ["      (absent) -> " + "; ".join(f"{data(one.path)}: {value(one.desired)}" for one in action.changes)]
    return [f"      {change(one)}" for one in action.changes]


def _list(title: str, rows: list[str], paint: Paint) -> list[str]:
    return [paint(title, "bold"), *(f"  {row}" for row in rows)] if rows else []
