"""Reset: end an agent's conversation and begin a new one, by its program's own command or by a restart."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from providers.base import ObserveError
from providers.filesystem.guarded_read import read_regular
from providers.launch.conversations import StartRequest
from providers.machine.conversation_files import note_reset, read_record, request_start
from providers.machine.heartbeat_files import MAX_BYTES, parse
from providers.names import agent_unit
from providers.steps import CaptureDead, Step, StepResult, UnitJob
from providers.tmux.pane_input import PaneError, Panes, Where
from reconciler.agents.reset_verdict import ResetRecord, Restarted, Sight, after_restart, evidence, newest
from reconciler.errors import MosaicError, Refused
from reconciler.model import AgentHistory
from reconciler.plan.holding.backoff import noted_start
from reconciler.state.event_log import EventLog
from reconciler.state.lock import run_lock
from reconciler.status.events import Event, EventType
from specs.dataclass import replace

if TYPE_CHECKING:
    from providers.base import Json
    from providers.host import Host, HostFacts
    from providers.programs.base import Program
    from reconciler.agents.observer import AgentObserver
    from reconciler.context.fleet import FleetContext
    from reconciler.delivery.verdict import Delivery
    from reconciler.status.events import EventSource
    from specs.compiled import Agent, Fleet

LOCK_WAIT_S = 15.0  # a run that is under way is waited for
RESTART_S = 120.0  # for the unit's stop and start
UP_S = 30.0  # for its program to be there again
VERIFY_S = 10.0  # for evidence that the conversation is a new one
GRACE_S = 1.0  # how long an emptied screen has to last, and waits for the program's own report
POLL_S = 0.1


def must_not_be_held(place: FleetContext, fleet: Fleet, agent: Agent, *, force: bool) -> None:
    """Raises Refused while the fleet is paused, and for an agent that is to be left alone unless `force`."""
    from reconciler.state.pause import merge, read_pause

    pause = read_pause(place.facts)
    if pause is not None:
        raise Refused(f"the fleet is paused: {pause.reason or 'no reason given'}", help="mosaic fleet resume")
    held = merge(fleet.suspended, place.store.load_suspensions(), time.time())
    one = held.get(agent.name) or held.get("*")
    if one is not None and not force:
        raise Refused(f"agent {agent.name} is suspended by {one.by}: {one.reason}", help="--force does it all the same")


def restart(place: FleetContext, agent: Agent, observer: AgentObserver, host: Host) -> Restarted:
    """Restart its unit, wait until its program is there, and read from its report which session it is in. This is not a
    crash, so no backoff follows. Raises Locked, and MosaicError if it does not come up."""
    now = time.time()
    before = _Words(place.facts, agent.name).record()
    with run_lock(place.store, now=now, wait_s=LOCK_WAIT_S):
        history = place.store.load_history(now=now)
        known = noted_start(history.agents.get(agent.name, AgentHistory()), now)
        place.store.save_history(replace(history, agents={**history.agents, agent.name: known}))
        _begin_again(place, agent, observer, host)
        view = observer.view(agent.name)
        deadline = time.monotonic() + UP_S
        while view.health != "healthy" and time.monotonic() < deadline:
            time.sleep(POLL_S)
            view = observer.view(agent.name)
    if view.health != "healthy":
        raise MosaicError(f"agent {agent.name} was restarted and is not up: {view.why}", help="mosaic fleet status")
    return _restarted(place.facts, agent, before, since=now)


def _restarted(facts: HostFacts, agent: Agent, before: ResetRecord, *, since: float) -> Restarted:
    """Wait for the new program's report, if its program ever reports sessions."""
    words = _Words(facts, agent.name)
    deadline = time.monotonic() + VERIFY_S
    while True:
        over = not before.session or time.monotonic() >= deadline
        found = after_restart(before, words.record(), since=since, over=over)
        if found.word:
            return found
        time.sleep(POLL_S)


def _begin_again(place: FleetContext, agent: Agent, observer: AgentObserver, host: Host) -> None:
    from reconciler.state.logs import save_crash

    view = observer.view(agent.name)
    if view.session == "dead" and view.pane:
        keep = CaptureDead(socket=agent.socket, pane=view.pane, agent=agent.name)
        kept = carry_out(host, keep)
        if kept.output:
            save_crash(place.store, agent.name, kept.output)
    restart_anew(agent.name, place.facts, host)


def restart_anew(agent: str, facts: HostFacts, host: Host) -> None:
    """Stop an agent's unit, ask for a new conversation, start the unit. Whoever is ended in between leaves an agent
    whose next start goes on with its conversation or begins the new one: never a request that a later crash would
    meet. Raises MosaicError."""
    unit, refused = agent_unit(agent), ""
    try:
        ended = carry_out(host, UnitJob(verb="stop", unit=unit, timeout_s=RESTART_S))
        if not ended.ok:
            raise MosaicError(f"agent {agent} was not restarted: {ended.error}", help="mosaic fleet status")
        request_start(agent, facts, StartRequest(nonce=f"reset-{time.time_ns()}", life=_last_life(agent, facts)))
    except OSError as error:
        refused = str(error)
    finally:
        begun = carry_out(host, UnitJob(verb="start", unit=unit, timeout_s=RESTART_S))
    if not begun.ok:
        raise MosaicError(f"agent {agent} was not started again: {begun.error}", help="mosaic fleet status")
    if refused:
        why = f"agent {agent} goes on with its conversation: the request for a new one was not written: {refused}"
        raise MosaicError(why, help="mosaic doctor")


def _last_life(agent: str, facts: HostFacts) -> str:
    with suppress(ObserveError):
        last = read_record(agent, facts).last_start
        return last.life if last else ""
    return ""


def carry_out(host: Host, step: Step) -> StepResult:
    """Carry out one step to its end."""
    host.begin([("reset", step)])
    deadline = time.monotonic() + RESTART_S + 10.0
    while time.monotonic() < deadline:
        for name, result in host.completed(1.0):
            if name == "reset":
                return result
    return StepResult(ok=False, changed=False, error="it did not end in time")


def by_command(place: FleetContext, fleet: Fleet, agent: Agent, program: Program, text: str) -> Delivery:
    """Type the program's own command, and wait for evidence that it has worked. `delivered` means that the conversation
    begins again; raises what `deliver` does."""
    from providers.programs.base import LATE_SESSIONS
    from reconciler.delivery.deliver import deliver, delivery_io
    from reconciler.delivery.verdict import Delivery

    by = delivery_io(place.facts, place.store)
    look = _Looking(place.facts, fleet, agent, program, by.panes)
    before, was = look.record(), look.sight() or Sight(lines=(), row=0, ready=False)
    submitted = time.time()
    sent = deliver(agent, text, by, verify=False, as_is=True, program=program)
    if sent.word == "not-delivered":
        return sent
    deadline, seen_at, late = time.monotonic() + VERIFY_S, 0.0, program.name in LATE_SESSIONS
    while (now := time.monotonic()) < deadline:
        shown = evidence(before, look.record(), was, look.sight(), submitted=submitted, late=late)
        seen_at = (seen_at or now) if shown else 0.0
        if shown and (shown != "pane" or now - seen_at >= GRACE_S):
            with suppress(OSError, ObserveError):  # it is a new conversation; only a crash soon would go back
                last = read_record(agent.name, place.facts).last_start
                note_reset(agent.name, place.facts, last.life if last else "", submitted)
            return Delivery(word="delivered", evidence=shown)
        time.sleep(POLL_S)
    return Delivery(
        word="unconfirmed",
        reason=sent.reason or f"`{text}` was typed, and nothing shows that the conversation is a new one",
        way=f"look: mosaic agent tail {agent.name}; mosaic agent reset {agent.name} --restart ends its program",
    )


class _Words:
    """The report of an agent's program about itself."""

    def __init__(self, facts: HostFacts, agent: str) -> None:
        self._folder, self._agent = facts.run_dir, agent

    def record(self) -> ResetRecord:
        return newest([self._read(kind) for kind in ("turn", "hb")])

    def _read(self, kind: str) -> ResetRecord:
        with suppress(OSError):
            path = Path(self._folder, f"{self._agent}.{kind}")
            found = parse(read_regular(path, limit=MAX_BYTES, follow=False), time.time())
            if found.error is None and found.own:
                by: Literal["hook", "status-file"] = "hook" if kind == "turn" else "status-file"
                return ResetRecord(ts=found.ts, event=found.event, session=found.session, pid=found.pid, by=by)
        return ResetRecord()


class _Looking(_Words):
    """What an agent's program reports and its screen shows, read repeatedly."""

    def __init__(self, facts: HostFacts, fleet: Fleet, agent: Agent, program: Program, panes: Panes) -> None:
        super().__init__(facts, agent.name)
        self._program, self._panes = program, panes
        self._where = Where(socket=agent.socket, session=agent.session, agent=agent.name, fleet=fleet.name)

    def sight(self) -> Sight | None:
        try:
            pane = self._panes.state(self._where)
            screen = self._panes.shot(self._where, pane)[1] if pane.found == "pane" else None
        except PaneError:
            return None
        if screen is None:
            return None
        return Sight(lines=screen.lines, row=screen.cursor[1], ready=self._program.read(screen).composer == "empty")


def record_event(
    place: FleetContext, agent: str, message: str, how: str, *, source: EventSource = "operator", forced: str = ""
) -> None:
    """Record who did what to whom; `forced`: the objection that was overruled. Raises StateError."""
    by = "mosaic"
    if source == "operator":
        from reconciler.delivery.signing import who

        by = who(place.facts.user)
        if by != place.facts.user:
            source, message = "agent", message.replace("an operator", f"agent {by}", 1)
    status = place.store.load_status()
    log = EventLog(
        store=place.store,
        source=source,
        fleet=place.store.state.name,
        tenant_id=place.facts.user,
        host=status.host if status else place.facts.hostname,
    )
    message += f"; forced, though {forced}" if forced else ""
    fields: dict[str, Json] = {"by": by, "how": how, "forced": bool(forced)}
    event = Event(type=EventType.RESET, message=message, agent=agent, fields=fields)
    log.write([event], now=time.time(), revision=status.applied_revision if status else "")
