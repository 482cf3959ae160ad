"""The lives round: find agents whose process is a new one, tell people how it began, and prepare its first message.

A life is one process in a pane. How it began is read from the agent's conversation record once, when the life is new,
and kept in `lives.json`: a run in which nothing has begun reads no conversation record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import ObserveError, Verb
from reconciler.helpers.atomic_files import parse_json, read_optional
from reconciler.status.lives import Life, life_of, lives_from_json, lives_to_json, process_of
from specs.dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from providers.host import Host, HostFacts
    from providers.launch.conversations import ConversationRecord
    from reconciler.loop.converge import Converged
    from reconciler.model import AgentView
    from reconciler.state.store import Store
    from reconciler.status.events import EventSource
    from specs.compiled import Agent, Fleet

FILE = "lives.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lives:
    """`now`: the lives after this look, by agent; `before`: as they were recorded."""

    now: Mapping[str, Life] = field(default_factory=dict)
    before: Mapping[str, Life] = field(default_factory=dict)

    def notes(self, now: float) -> dict[str, str]:
        """By agent, how its life began, for lists; what is not worth a line is left out."""
        return {name: said for name, life in self.now.items() if (said := life.note(now))}

    @property
    def unsettled(self) -> bool:
        return any(not life.settled for life in self.now.values())


def load(store: Store) -> dict[str, Life]:
    """The recorded lives, by agent. A damaged file counts as missing: the lives that go on are taken as they are."""
    try:
        return lives_from_json(parse_json(read_optional(store.state / FILE) or b"{}"))
    except (OSError, ValueError):
        return {}


def observe(
    fleet: Fleet,
    views: Mapping[str, AgentView],
    store: Store,
    facts: HostFacts,
    *,
    boot: str,
    now: float,
    started: frozenset[str] = frozenset(),
    since: float | None = None,
) -> Lives:
    """Compare what lives with what is recorded; writes nothing, and reads the conversation records of new lives
    only. `started`: agents that this run has started; `since`: when the previous run began, in Unix seconds. A
    life without a recorded one before it counts as new if one of the two says so."""
    before = load(store)
    lives: dict[str, Life] = {}
    for agent in fleet.agents:
        view, known = views.get(agent.name), before.get(agent.name)
        if view is None or view.session != "alive" or not view.pid:
            if known is not None:
                lives[agent.name] = known  # not seen just now, or between two lives
            continue
        same = known is not None and known.process == process_of(view, boot)
        if known is not None and same and known.settled:
            lives[agent.name] = known
            continue
        try:
            record = _record(agent.name, facts)
        except ObserveError:
            if known is not None:
                lives[agent.name] = known  # looked at again
            continue
        life = life_of(view, boot, record, now)
        if known is not None and same:
            owed = known.owed
        else:
            fresh = agent.name in started or (since is not None and view.started >= since)
            owed = known is not None or fresh
        lives[agent.name] = replace(life, owed=owed, logged=not (owed and life.notable))
    return Lives(now=lives, before=before)


def _record(name: str, facts: HostFacts) -> ConversationRecord:
    """Raises ObserveError."""
    from providers.machine.conversation_files import read_record

    return read_record(name, facts)


def started_by(done: Converged) -> frozenset[str]:
    """The agents that a run has started."""
    starts = (Verb.START, Verb.RESTART)
    return frozenset(
        one.action.agent
        for one in done.outcomes
        if one.action.verb in starts and one.result == "done" and one.action.agent is not None
    )


def finish(fleet: Fleet, lives: Lives, store: Store, source: EventSource, *, now: float) -> None:
    """Put the first messages of new lives into the outbox, and log how they began. The caller holds the fleet's lock.
    Raises StateError, MosaicError.

    Messages are stored before the life is recorded, and the life before its event is written. If we are killed in
    between, the next run stores them again, in place of those that still wait, and looks whether the event is there.
    """
    agents = {agent.name: agent for agent in fleet.agents}
    recorded = dict(lives.now)
    for name, life in lives.now.items():
        if life.owed and life.settled:
            _prepare(agents[name], life, fleet.host, store, now)
            recorded[name] = replace(life, owed=False)
    _remember(lives, store, now)
    _save(recorded, lives.before, store)
    due = {name: life for name, life in recorded.items() if not life.logged}
    if due:
        _log(due, lives.before, fleet, store, source, now)
        _save({**recorded, **{name: replace(life, logged=True) for name, life in due.items()}}, {}, store)


def _prepare(agent: Agent, life: Life, host: str, store: Store, now: float) -> None:
    """A new conversation begins with the first words, and with why it is a new one if it should have gone on. One that
    goes on has had them; it may be told to continue."""
    if life.how != "resumed" and agent.kickstart is not None:
        from reconciler.delivery.kickstart import kickstart

        kickstart(agent, host, store, now=now, preface=life.preface)
        return
    text = life.preface or (agent.resume_nudge if life.interrupted else "")
    if text:
        from reconciler.delivery.outbox import Outbox

        Outbox(store).put_nudge(agent=agent.name, sender=f"{host}:mosaic", text=text, life=life.process, now=now)


def _remember(lives: Lives, store: Store, now: float) -> None:
    """In the history: which processes went on with a conversation, as far as that is new."""
    from reconciler.model import AgentHistory

    fresh = {name: life for name, life in lives.now.items() if life.how == "resumed" and lives.before.get(name) != life}
    if fresh:
        history = store.load_history(now=now)
        agents = dict(history.agents)
        for name, life in fresh.items():
            known = agents.get(name, AgentHistory())
            agents[name] = replace(
                known, resumed_pid=int(life.process.rpartition(":")[2]), resumed_started=life.started
            )
        store.save_history(replace(history, agents=agents))


def _save(lives: Mapping[str, Life], before: Mapping[str, Life], store: Store) -> None:
    if lives != before:
        store.write(store.state / FILE, json.dumps(lives_to_json(lives)))


def _log(
    due: Mapping[str, Life], before: Mapping[str, Life], fleet: Fleet, store: Store, source: EventSource, now: float
) -> None:
    """An earlier run that was ended may have written some of these events."""
    from reconciler.state.event_log import EventLog, read_events
    from reconciler.status.events import Event, EventType

    again = {name for name, life in due.items() if name in before and before[name].process == life.process}
    written = {one.get("life") for one in read_events(store)} if again else set()
    events = [
        Event(
            type=EventType.CONVERSATION_RESUMED if life.how == "resumed" else EventType.CONVERSATION_FRESH,
            message=life.why,
            agent=name,
            fields={
                "session": life.session or None,
                "reason": life.reason or None,
                "interrupted": life.interrupted,
                "life": life.process,
            },
        )
        for name, life in due.items()
        if name not in again or life.process not in written
    ]
    log = EventLog(store=store, source=source, fleet=fleet.name, tenant_id=fleet.tenant_id, host=fleet.host)
    log.write(events, now=now, revision=fleet.revision)


def note_kept(fleet: Fleet, lives: Lives, views: Mapping[str, AgentView], host: Host) -> None:
    """Record on the panes which mission and contract those agents run on whose program went on with an older one; a
    later run does so where this one is ended before."""
    nothing = Life(process="")
    due = [agent for agent in fleet.agents if _is_unnoted(lives.now.get(agent.name, nothing), views.get(agent.name))]
    if not due:
        return
    from reconciler.run.mission_round import note_mission

    for agent in due:
        note_mission(agent, views[agent.name], lives.now[agent.name].runs_on, host)


def _is_unnoted(life: Life, view: AgentView | None) -> bool:
    return bool(life.newer) and view is not None and view.session == "alive" and view.mission == life.newer
