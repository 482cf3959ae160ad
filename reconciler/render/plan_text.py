"""The text of `reconcile --dry-run`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from providers.base import Action
from reconciler.helpers.words import Paint, Tint, count, data, no_paint, short, value
from reconciler.model import Held, Plan
from reconciler.render.plan_lines import LineGroup, counted, groups, is_grave, lines
from reconciler.run.documents import StepsOf
from reconciler.status.phrases import change, held_lines, loss, not_seen_lines
from specs.dataclass import replace

if TYPE_CHECKING:
    from reconciler.git.log import HistoryLine


def plan_text(
    plan: Plan,
    steps_of: StepsOf,
    *,
    commits: Sequence[HistoryLine] = (),
    known: str = "",
    more: str = "--verbose lists them",
    apply: str = "",
    looks: bool = True,
    paint: Paint = no_paint,
) -> str:
    """First, in full, what ends or loses something; then a line for each agent and each group of shared things; what
    is held, unknown and left over, and a count. `known`: what to say of the commit if it may not be the newest; `more`:
    how to see every step and field, "" if this text is to have them all, in the order of a run; `apply`: the command
    that does it; `looks`: whether this host reconciles by itself."""
    blocks = [
        _head(plan, paint),
        _list("commits that come into force (newest first)", [_commit(one) for one in commits], paint),
        *_groups_text(plan, steps_of, paint, more),
        _list("held", _held(plan, looks), paint, "yellow"),
        _list("refused", [data(sentence) for sentence in plan.refused], paint, "red"),
        _list("unknown (no conclusion is drawn from it)",
              not_seen_lines(plan.not_seen), paint, "yellow"),
        _list("settling", [f"{data(name)}: its start is under way" for name in plan.settling], paint),
        _list("orphans (declared nowhere; left alone)", [data(orphan) for orphan in plan.orphans], paint),
        [closing(plan, known, apply)],
    ]  # fmt: skip
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _groups_text(plan: Plan, steps_of: StepsOf, paint: Paint, more: str) -> list[list[str]]:
    grave, plain = [], []
    for group in groups(plan.actions):
        some = tuple(action for action in group.actions if is_grave(action))
        rest = tuple(action for action in group.actions if action not in some)
        if not some:
            plain.append(group)
        elif group.is_agent:  # all of it: what else is done to somebody who is ended belongs to it
            grave.append(group)
        else:
            grave.append(replace(group, actions=some))
            plain += [replace(group, actions=rest)] if rest else []
    head = [[paint("ends or loses something", "red")]] if grave else []
    return [
        *head,
        *(_in_full(plan, group, steps_of, paint) for group in grave),
        *([lines(plain, plan.views, paint, more=more)] if more else _by_run(plan, plain, steps_of, paint)),
    ]


def _by_run(plan: Plan, some: Sequence[LineGroup], steps_of: StepsOf, paint: Paint) -> list[list[str]]:
    """In full: what all share comes first in a run."""
    order = sorted(some, key=lambda group: group.is_agent)
    return [_in_full(plan, group, steps_of, paint) for group in order]


def _in_full(plan: Plan, group: LineGroup, steps_of: StepsOf, paint: Paint) -> list[str]:
    if group.is_agent:
        return _agent(plan, group, steps_of, paint)
    return [paint(group.name, "bold"), *_actions(group.actions, steps_of, paint)]


def closing(plan: Plan, known: str = "", apply: str = "") -> str:
    """The count, or `No changes: ...` as a sentence."""
    total, still = plan.summary, f"{count(plan.summary.unchanged, 'agent')} unchanged"
    if plan.actions:
        return f"Plan: {counted(plan)}." + (f"   Apply: {data(apply)}" if apply else "")
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


def _head(plan: Plan, paint: Paint) -> list[str]:
    where = f"fleet {data(plan.fleet)} on {data(plan.host)}"
    head = [f"{where}, commit {short(plan.revision)}"]
    if plan.paused is not None:
        why = data(plan.paused) or "no reason given"
        head.append(f"{paint('PAUSED', 'yellow')}: {why}. Nothing is done until `mosaic fleet resume`.")
    return head


def _commit(one: HistoryLine) -> str:
    author = data(one.author.partition(" <")[0])
    return " ".join(word for word in (short(one.sha), data(one.subject), author and f"({author})") if word)


def _agent(plan: Plan, group: LineGroup, steps_of: StepsOf, paint: Paint) -> list[str]:
    name, actions = group.name, group.actions
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


def _held(plan: Plan, looks: bool) -> list[str]:
    # What could not be seen has its reason under "unknown", once.
    whys = {f": {why}" for why in plan.not_seen.values() if why}
    held = [_without(one, whys) for one in plan.held]
    return [line for one in held_lines(held, plan.observed_at, plan.views, looks=looks) for line in one]


def _without(held: Held, whys: Collection[str]) -> Held:
    known = next((why for why in whys if held.message.endswith(why)), None)
    return held if known is None else replace(held, message=f'{held.message.removesuffix(known)}: see "unknown"')


def _list(title: str, rows: list[str], paint: Paint, tint: Tint = "bold") -> list[str]:
    return [paint(title, tint), *(f"  {row}" for row in rows)] if rows else []
