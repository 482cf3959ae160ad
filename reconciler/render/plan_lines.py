"""A plan or a run in few lines: one for each agent, one for each group of shared things. Pure.

What ends or loses something is told apart from the rest: `is_grave` says which actions those are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from providers.base import Action, Kind, Reason, Verb
from providers.evidence import NO_FILE, FileEvidence, ReseedEvidence
from reconciler.helpers.words import Paint, Tint, count, data
from reconciler.model import AgentView, Plan
from specs.dataclass import dataclass

FRAMEWORK, SERVER, RESPONDER, LINGER, MISSION, CONTRACTS, PEERS = (
    "framework", "tmux server", "responder", "linger", "mission", "contracts", "peers",
)  # fmt: skip
_SHARED: Mapping[Kind, str] = {
    Kind.FRAMEWORK: FRAMEWORK,
    Kind.RESEED: FRAMEWORK,
    Kind.HOLDER: SERVER,
    Kind.RESPONDER: RESPONDER,
    Kind.LINGER: LINGER,
    Kind.PROJECTION: MISSION,
}
_ORDER = (FRAMEWORK, SERVER, RESPONDER, LINGER, MISSION, CONTRACTS, PEERS)
_TINTS: Mapping[str, Tint] = {"+": "green", "~": "yellow", "-": "red"}
_REASONS: Mapping[Reason, str] = {
    Reason.NEW: "new in git",
    Reason.REMOVED: "not in git any more",
    Reason.MOVED: "moved to another host in git",
    Reason.SPEC: "changed in git",
    Reason.DRIFT: "changed on this host",
    Reason.NOT_RUNNING: "not running",
    Reason.UNHEALTHY: "not healthy",
    Reason.FRAMEWORK: "the framework has changed",
    Reason.REQUESTED: "requested",
}
_PROCESS: Mapping[Verb, str] = {
    Verb.START: "start",
    Verb.RESTART: "restart",
    Verb.STOP: "stop",
    Verb.CONFINE: "put into a scope of its own",
    Verb.ENABLE: "enable at boot",
    Verb.DISABLE: "do not start at boot",
}
_SHARED_VERBS: Mapping[Verb, str] = {Verb.PROJECT: "write", Verb.RESEED: "put in place", Verb.LINGER: "turn on for"}
_HEALING = (Reason.NOT_RUNNING, Reason.UNHEALTHY, Reason.DRIFT)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineGroup:
    """The actions of one agent, or of one group of shared things, in the plan's order."""

    name: str
    is_agent: bool
    actions: tuple[Action, ...]


def groups(actions: Iterable[Action]) -> tuple[LineGroup, ...]:
    """The agents in the plan's order, then the shared things. An agent that only gets new texts is not a group of its
    own: what is new for all of them is one line."""
    of_agents: dict[str, list[Action]] = {}
    shared: dict[str, list[Action]] = {}
    for action in actions:
        if action.agent is None:
            shared.setdefault(_SHARED.get(action.key.kind, FRAMEWORK), []).append(action)
        else:
            of_agents.setdefault(action.agent, []).append(action)
    own = {}
    for name, some in of_agents.items():
        if all(_is_update_of_texts(action) for action in some):
            group = PEERS if all(_is_about_peers(action) for action in some) else CONTRACTS
            shared.setdefault(group, []).extend(some)
        else:
            own[name] = some
    return (
        *(LineGroup(name=name, is_agent=True, actions=tuple(some)) for name, some in own.items()),
        *(LineGroup(name=name, is_agent=False, actions=tuple(shared[name])) for name in _ORDER if name in shared),
    )


def is_grave(action: Action) -> bool:
    """Whether the action ends a process, deletes something, or writes over what somebody has changed by hand."""
    if action.disrupts or action.losses or action.forced or action.verb in (Verb.STOP, Verb.DELETE):
        return True
    if action.verb is Verb.RESEED and (files := ReseedEvidence.of(action.present)) is not None:
        return bool(files.kept or files.moved)
    written = action.verb in (Verb.WRITE, Verb.PROJECT)
    return written and action.present is not None and action.reason is Reason.DRIFT


def lines(some: Sequence[LineGroup], views: Mapping[str, AgentView], paint: Paint, *, more: str = "") -> list[str]:
    """`+ lead  stub  start, enable at boot`: a mark (`+` comes, `~` changes, `-` goes), a name, and what is done.
    `more` as `sentences` has it."""
    marks = [_mark(group) for group in some]
    marked = zip(marks, sentences(some, views, paint, more=more), strict=True)
    return [f"{paint(mark, _TINTS[mark])} {text}" for mark, text in marked]


def sentences(some: Sequence[LineGroup], views: Mapping[str, AgentView], paint: Paint, *, more: str = "") -> list[str]:
    """Of each group its name and what is done, in columns. `more`: how to see all of it, said once, at the first line
    that stands for several actions."""
    width = max((len(data(group.name)) for group in some), default=0)
    runtimes = {group.name: data(_runtime(group, views)) for group in some if group.is_agent}
    wide = max(map(len, runtimes.values()), default=0)
    out = []
    for group in some:
        name = data(group.name).ljust(width)
        runtime = f"{runtimes[group.name].ljust(wide)}  " if group.is_agent and wide else ""
        what = data(_of_agent(group, views.get(group.name)) if group.is_agent else _of_shared(group))
        hint = f"   ({more})" if more and not group.is_agent and len(group.actions) > 1 else ""
        more = "" if hint else more
        out.append(f"{name}  {runtime}{what}{paint(hint, 'dim')}")
    return out


def counted(plan: Plan) -> str:
    """`5 to start, 0 to change, 0 to stop`: agents, each counted once."""
    verbs = {group.name: _verbs(group) for group in groups(plan.actions) if group.is_agent}
    kinds = [_kind(some) for some in verbs.values()]
    held = f", {plan.summary.held} held" if plan.summary.held else ""
    if not kinds:
        return f"{count(len(plan.actions), 'action')} on shared things, and no agent to start, change or stop{held}"
    restart = f"{kinds.count('restart')} to restart, " if "restart" in kinds else ""
    start, change, stop = (kinds.count(kind) for kind in ("start", "change", "stop"))
    return f"{start} to start, {restart}{change} to change, {stop} to stop{held}"


def _verbs(group: LineGroup) -> frozenset[Verb]:
    return frozenset(action.verb for action in group.actions)


def _kind(verbs: frozenset[Verb]) -> str:
    for verb, kind in ((Verb.RESTART, "restart"), (Verb.START, "start"), (Verb.STOP, "stop"), (Verb.DELETE, "stop")):
        if verb in verbs:
            return kind
    return "stop" if Verb.DISABLE in verbs else "change"


def _mark(group: LineGroup) -> str:
    verbs = _verbs(group)
    if verbs <= {Verb.STOP, Verb.DELETE, Verb.DISABLE}:
        return "-"
    new = any(action.reason is Reason.NEW for action in group.actions) if group.is_agent else _is_first(group)
    return "+" if new else "~"


def _is_first(group: LineGroup) -> bool:
    made = [action for action in group.actions if action.verb is not Verb.RELOAD]
    return bool(made) and all(action.present is None for action in made)


def _is_update_of_texts(action: Action) -> bool:
    return action.key.kind is Kind.EXTRAS and action.verb is Verb.WRITE and action.reason is not Reason.NEW


def _is_about_peers(action: Action) -> bool:
    return (FileEvidence.of(action.present) or NO_FILE).only_peers


def _runtime(group: LineGroup, views: Mapping[str, AgentView]) -> str:
    view = views.get(group.name)
    return view.runtime if view is not None else ""


def _of_agent(group: LineGroup, view: AgentView | None) -> str:
    verbs = _verbs(group)
    parts = [word for verb, word in _PROCESS.items() if verb in verbs]
    if not verbs & {Verb.START, Verb.RESTART}:
        parts += ["write its launch files"] if Verb.WRITE in verbs else []
        parts += ["delete its launch files"] if Verb.DELETE in verbs else []
    reasons = {action.reason for action in group.actions}
    if reasons & set(_HEALING) and view is not None and view.why:
        why = view.why
    else:
        why = "; ".join(_REASONS[reason] for reason in Reason if reason in reasons - {Reason.NEW})
    return ", ".join(parts) + (f": {why}" if why else "")


def _of_shared(group: LineGroup) -> str:
    if group.name == PEERS:
        return f"who is in the fleet, for {_whom(group)} (read at the next start)"
    if group.name == CONTRACTS:
        return f"new texts for {_whom(group)} (read at the next start)"
    reasons = [_REASONS[reason] for reason in Reason if any(action.reason is reason for action in group.actions)]
    why = "first time on this host" if _is_first(group) else "; ".join(reasons)
    if len(group.actions) == 1:
        only = group.actions[0]
        return f"{_SHARED_VERBS.get(only.verb, only.verb)} {only.target.rpartition('/')[2]}: {why}"
    return f"{count(len(group.actions), 'action')}, {why}"


def _whom(group: LineGroup) -> str:
    names = [str(action.agent) for action in group.actions]
    return count(len(names), "agent") if len(names) > 5 else ", ".join(names)
