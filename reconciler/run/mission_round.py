"""The mission round: handle agents on an older mission or contract than git has.

Nobody is restarted for it. An agent gets one message about each change; one that may be reset between tasks gets a new
conversation once, when it has nothing to do. What a crash must not lose is written before it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from providers.launch.additions import place as place_of
from providers.programs.registry import program
from providers.steps import NoteMission
from reconciler.agents.reset import by_command, carry_out, record_event
from reconciler.agents.reset_verdict import objection, reset_text
from reconciler.context.fleet import FleetContext
from reconciler.delivery.kickstart import kickstart
from reconciler.delivery.outbox import Outbox
from reconciler.loop.converge import look
from reconciler.model import AgentHistory, AgentView, History, Readiness
from specs.compiled import changed_in
from specs.dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from providers.host import Host
    from reconciler.context.host import HostContext
    from reconciler.context.settings import Settings
    from reconciler.delivery.message import Message
    from reconciler.delivery.verdict import Delivery
    from reconciler.loop.converge import Context
    from reconciler.loop.result import RunResult
    from reconciler.status.events import EventSource
    from reconciler.status.lives import Life
    from specs.compiled import Agent, Fleet, Suspension

MOST_NOTICES = 50  # in one run; the next run handles the others
MOST_RESET = 3
ROUND_S = 30.0  # in one run, for all resets

MissionWord = Literal["", "tell", "reset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionRound:
    """What a round works with. `views` come from the run's last look, `look` takes a new one; `over` says whether to
    begin nothing more."""

    fleet: Fleet
    views: Mapping[str, AgentView]
    place: FleetContext
    host: Host
    chosen: frozenset[str]  # only these agents; all if empty
    suspended: Mapping[str, Suspension]
    source: EventSource
    look: Callable[[], Mapping[str, AgentView]]
    over: Callable[[], bool]
    wall: Callable[[], float]
    monotonic: Callable[[], float]
    reset: Callable[..., Delivery] = by_command
    missed: Mapping[str, str] = field(default_factory=dict)  # see `due`


def after_run(
    result: RunResult,
    ctx: Context,
    fleet: Fleet,
    here: HostContext,
    settings: Settings,
    lives: Mapping[str, Life] = MappingProxyType({}),
) -> RunResult:
    """A round with the run's last observation. `lives`: by agent, how its process began. Raises StateError and
    MosaicError."""
    last = result.status.last_run
    by = MissionRound(
        fleet=fleet,
        views=result.plan.views,
        place=FleetContext(facts=here.facts, settings=settings, store=ctx.store, spec=None),
        host=here.host,
        chosen=ctx.options.agents,
        suspended=ctx.suspended(fleet),
        source="watch" if last is not None and last.trigger == "watch" else "reconcile",
        look=lambda: look(ctx, fleet).plan.views,
        over=lambda: here.stop() or here.host.paused() is not None,
        wall=here.wall,
        monotonic=here.monotonic,
        missed={name: life.newer for name, life in lives.items() if life.newer},
    )
    return replace(result, messages=run_round(by))


def due(fleet: Fleet, agent: Agent, view: AgentView, known: AgentHistory, missed: str = "") -> MissionWord:
    """What to do for one agent. A reset that was begun once is not begun again, whatever became of it. `missed`: the
    digest that its start would have given it, if its program went on with an older mission and contract: it is told of
    that one even where the policy is only to show."""
    wanted = fleet.on_mission.get(agent.agent_class, fleet.on_mission.get("*", "show"))
    if not view.behind or (wanted == "show" and missed != view.mission_now):
        return ""
    if wanted == "reset" and agent.reset_between_tasks and known.mission_reset != view.mission_now:
        return "reset"
    return "tell" if known.mission_told != view.mission_now else ""


def run_round(by: MissionRound) -> bool:
    """Make one round, with the fleet's lock held. Returns whether an agent waits to be reset: its next report may end
    that wait. Raises StateError and MosaicError."""
    outbox = Outbox(by.place.store)
    _take_back(outbox, by)
    history = by.place.store.load_history(now=by.wall())
    nobody = AgentHistory()
    informed, waiting = [], []
    for agent in by.fleet.agents:
        view = by.views.get(agent.name)
        if view is None or {agent.name, "*"} & by.suspended.keys() or (by.chosen and agent.name not in by.chosen):
            continue
        what = due(by.fleet, agent, view, history.agents.get(agent.name, nobody), by.missed.get(agent.name, ""))
        if what == "reset":
            waiting.append(agent)
        elif what == "tell":
            informed.append(agent)
    _send_notices(informed[:MOST_NOTICES], outbox, by)
    return _reset_all(waiting, outbox, by)


def what_to_say(agent: Agent, view: AgentView, fleet: Fleet, path: str) -> str:
    """Two lines: what has changed, and where it is."""
    words = {"mission": "the mission of this fleet", "contract": f"your contract as {agent.agent_class}"}
    changed = [words[part] for part in changed_in(view.mission, view.mission_now)]
    have = "has" if len(changed) == 1 else "have"
    first = f"{' and '.join(changed)} {have} changed since you were started (commit {fleet.revision[:12]})."
    return (
        f"{first[0].upper()}{first[1:]}\n"
        f"Read {path} when you have finished what you are in the middle of: it takes the place of what you were given."
    )


def _send_notices(agents: list[Agent], outbox: Outbox, by: MissionRound) -> None:
    """Into the outbox first, then into the history: if we are killed in between, the next run finds the message."""
    if not agents:
        return
    for agent in agents:
        path = place_of(agent.name, by.place.facts).contract
        view = by.views[agent.name]
        outbox.put_mission(
            agent=agent.name,
            sender=f"{by.fleet.host}:mosaic",
            mission=view.mission_now,
            text=what_to_say(agent, view, by.fleet, path),
            now=by.wall(),
        )
    _note(by, {agent.name: _with_notice(by.views[agent.name].mission_now) for agent in agents})


def _take_back(outbox: Outbox, by: MissionRound) -> None:
    """Drop messages that became outdated while they waited: the agent has the newest mission, or a newer message
    exists."""
    for message in outbox.messages():
        if message.mission and message.state == "waiting" and _is_outdated(message, by):
            outbox.end(message, by.wall(), state=None)


def _is_outdated(message: Message, by: MissionRound) -> bool:
    view = by.views.get(message.agent)
    if view is None:
        return True
    if view.session in ("unknown", "foreign") or (view.session == "alive" and not view.mission):
        return False
    return not view.behind or view.mission_now != message.mission


def _reset_all(agents: list[Agent], outbox: Outbox, by: MissionRound) -> bool:
    """Whether an agent is left that waits for a reset."""
    end, left = by.monotonic() + ROUND_S, 0
    begun = 0
    for agent in agents:
        free = _is_free(by.views[agent.name])
        if not free or begun >= MOST_RESET or by.over() or by.monotonic() >= end:
            left += 1
            continue
        view = by.look().get(agent.name)  # it may have begun something since the run's last look
        if view is None or not view.behind or not _is_free(view):
            left += 1
            continue
        begun += 1
        left += not _reset(agent, view, outbox, by)
    return left > 0


def _is_free(view: AgentView) -> bool:
    return view.readiness is Readiness.AVAILABLE and view.available is True and not objection(view, restart=False)


def _reset(agent: Agent, view: AgentView, outbox: Outbox, by: MissionRound) -> bool:
    """Whether it is done: a new conversation with the newest contract, or, if that is uncertain or its program reads
    its contract only at its start, a message that says where the contract is."""
    known = program(agent.runtime)
    text = reset_text(agent, known, "")
    if text is None:
        _send_notices([agent], outbox, by)
        return True
    _note(by, {agent.name: _reset_for(view.mission_now)})
    answer = by.reset(by.place, by.fleet, agent, known, text)
    if answer.word == "not-delivered":
        _note(by, {agent.name: _reset_for("")})
        return False
    fresh = answer.word == "delivered"
    if fresh:
        kickstart(agent, by.fleet.host, by.place.store, now=by.wall())
    if not fresh or known.reads == "start" or not note_mission(agent, view, view.mission_now, by.host):
        _send_notices([agent], outbox, by)
    said = f"it was reset for a new mission or contract: {answer.word}"
    record_event(by.place, agent.name, said, "runtime", source=by.source)
    return True


def note_mission(agent: Agent, view: AgentView, mission: str, host: Host) -> bool:
    """Record on the agent's pane that it has this mission and contract now. Returns whether that worked."""
    step = NoteMission(socket=agent.socket, pane=view.pane, agent=agent.name, mission=mission)
    return carry_out(host, step).ok


MissionChange = Callable[[AgentHistory], AgentHistory]


def _with_notice(digest: str) -> MissionChange:
    return lambda known: replace(known, mission_told=digest)


def _reset_for(digest: str) -> MissionChange:
    return lambda known: replace(known, mission_reset=digest)


def _note(by: MissionRound, changes: Mapping[str, MissionChange]) -> None:
    """Raises StateError."""
    store = by.place.store
    history: History = store.load_history(now=by.wall())
    agents = dict(history.agents)
    for name, change in changes.items():
        agents[name] = change(agents.get(name, AgentHistory()))
    store.save_history(replace(history, agents=agents))
