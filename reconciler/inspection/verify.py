"""Verify: whether everything of the fleet on this host is exactly as it must be, now and after a boot. Pure. A check
names its target exactly; one that does not hold says what fixes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from providers.base import HeldReason, Kind, ResourceKey, Verb
from providers.evidence import NO_HOLDER, HolderEvidence, SessionEvidence
from providers.launch import placement
from providers.launch.environment import limits_of
from providers.names import HOLDER_UNIT, agent_unit
from reconciler.attention.answers import way_to_answer
from reconciler.listing.document import Listing
from reconciler.listing.row import Row
from reconciler.model import OF_A_PERSON, AgentView, Observation, Plan, Readiness
from reconciler.status.assess import ON_PURPOSE
from reconciler.status.fleet_problems import fleet_problems
from reconciler.status.held_ways import force
from specs.compiled import Agent, Fleet
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.kinds.framework import Install

VerifyResult = Literal["ok", "note", "wrong"]
RESULTS: tuple[VerifyResult, ...] = ("ok", "note", "wrong")
RECONCILERS: Mapping[str, str] = {"timer": "mosaic-reconcile.timer", "watch": "mosaic-reconcile-watch.service"}
RECONCILE = "reconcile"
_CHANGED = ("masked", "overridden")  # reasons that speak of an agent's unit


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyCheck:
    """One thing that was looked at. `mend` is a command or an advice, "" where nothing is wrong. A `note` is worth
    knowing and no fault: what is stopped, suspended or left out on purpose."""

    name: str
    agent: str | None
    result: VerifyResult
    found: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """What keeps the fleet as git says, by itself. `enabled` and `active` are of its timer or service."""

    install: Install
    enabled: bool = False
    active: bool = False
    error: str = ""  # why that could not be seen


def verify(
    fleet: Fleet, plan: Plan, observation: Observation, listing: Listing, user: str, reconciler: Reconciler
) -> tuple[VerifyCheck, ...]:
    """Every check, in the order of a start: host, holder, then agent by agent, then what should not be there."""
    rows = {row.name: row for row in listing.rows if row.kind == "agent"}
    held = any(one.agent is None and one.reason in ON_PURPOSE for one in plan.held)
    shared = [
        # Nothing of it is done until somebody resumes, and that is on purpose.
        replace(one, result="note")
        if one.result == "wrong" and (plan.paused is not None or (held and one.name != "host"))
        else one
        for one in _shared(fleet, plan, observation, user)
    ]
    found = [*_source(listing), *shared, _by_itself(reconciler)]
    for agent in fleet.agents:
        row = rows.get(agent.name)
        if row is not None:
            found.extend(_agent(agent, row, observation, plan))
    found.extend(
        VerifyCheck(name="extra", agent=row.name, result="wrong", found=row.why, mend=_fix_extra(row))
        for row in listing.rows
        if row.kind in ("removed", "orphan") and row.wrong
    )
    return tuple(found)


def _source(listing: Listing) -> Iterable[VerifyCheck]:
    if listing.rejected:
        way = "fix the commit: mosaic fleet validate says what is wrong"
        yield VerifyCheck(name="revision", agent=None, result="wrong", found=listing.rejected, mend=way)
    elif listing.in_force and listing.in_force != listing.compared:
        text = f"{listing.compared[:12]} is not applied yet, {listing.in_force[:12]} is in force"
        yield VerifyCheck(name="revision", agent=None, result="note", found=text)
    else:
        yield VerifyCheck(name="revision", agent=None, result="ok", found=f"{listing.compared[:12]} is in force")
    if listing.pause is not None:
        text = f"the kill switch is set: {listing.pause.reason or 'no reason given'}"
        yield VerifyCheck(name="paused", agent=None, result="note", found=text)


def _shared(fleet: Fleet, plan: Plan, observation: Observation, user: str) -> Iterable[VerifyCheck]:
    own = (Kind.LINGER, Kind.HOLDER)  # these have checks of their own
    rest = replace(plan, actions=tuple(action for action in plan.actions if action.key.kind not in own))
    for problem in fleet_problems(rest):
        way = "do what it says, then: reconcile" if " is held: " in problem else RECONCILE
        yield VerifyCheck(name="host", agent=None, result="wrong", found=problem, mend=way)
    if not any(agent.state == "running" for agent in fleet.agents):
        return
    if not observation.hidden(ResourceKey(Kind.LINGER, user)):
        on = ResourceKey(Kind.LINGER, user) in observation.present
        text = f"linger is {'on' if on else 'off'} for {user}"
        way = f"loginctl enable-linger {user}"
        yield _check("linger", None, on, text if on else f"{text}: nothing starts at a boot before a login", way)
    if not observation.hidden(ResourceKey(Kind.HOLDER, HOLDER_UNIT)):
        holder = observation.present.get(ResourceKey(Kind.HOLDER, HOLDER_UNIT))
        yield from _holder(HolderEvidence.of(holder) or NO_HOLDER, fleet)


def _holder(holder: HolderEvidence, fleet: Fleet) -> Iterable[VerifyCheck]:
    """The unit, and on each tmux server exactly the session `=HOLDER`."""
    unit = holder.unit
    yield _check("holder-unit", None, unit.active == "active", f"{HOLDER_UNIT} is {unit.active}", RECONCILE)
    enabled = f"{HOLDER_UNIT} is {'' if unit.enabled else 'not '}enabled"
    yield _check("holder-boot", None, unit.enabled, enabled, RECONCILE)
    for socket, server in sorted(holder.servers.items()):
        right = server.state == "up" and server.holder
        state = "is there" if right else "is not there" if server.state == "up" else f"cannot be: {server.state}"
        text = f"session ={fleet.holder_session} on tmux server {socket} {state}"
        yield _check("holder-session", None, right, text, RECONCILE)


def _by_itself(reconciler: Reconciler) -> VerifyCheck:
    name = "reconciler"
    if reconciler.install == "none":
        text = "nothing reconciles this host by itself: what ends is not started again"
        return VerifyCheck(name=name, agent=None, result="note", found=text, mend="mosaic fleet install REPOSITORY")
    unit = RECONCILERS[reconciler.install]
    if reconciler.error:
        return VerifyCheck(name=name, agent=None, result="wrong", found=f"{unit} could not be seen: {reconciler.error}",
                     mend="mosaic doctor")  # fmt: skip
    right = reconciler.enabled and reconciler.active
    words = ("" if reconciler.active else "not ") + "active, " + ("" if reconciler.enabled else "not ") + "enabled"
    return _check(name, None, right, f"{unit} is {words}", f"systemctl --user enable --now {unit}")


def _agent(agent: Agent, row: Row, observation: Observation, plan: Plan) -> Iterable[VerifyCheck]:
    """Session, program, heartbeat and boot of one agent; of one that is not to run, that it is gone."""
    if {Kind.UNIT, Kind.SESSION} & observation.unknown.keys():
        return  # said once, for the host
    view = plan.views.get(agent.name)
    checks = tuple(_about_its_needs(agent.name, view)) if view is not None else ()
    if view is None or not view.unseen:
        checks += tuple(_running(agent, row, observation) if agent.state == "running" else _gone(agent, row))
    if row.wrong and all(check.result != "wrong" for check in checks):
        checks += (
            VerifyCheck(name="in-sync", agent=agent.name, result="wrong", found=row.why or row.sync, mend=RECONCILE),
        )
    for check in checks:
        if check.result == "wrong" and not row.wrong:  # on purpose, or it has hardly begun: a list says the same
            reason = _on_purpose(row, plan) or "; ".join(row.notes)
            found = f"{check.found} ({reason})" if reason else check.found
            yield VerifyCheck(name=check.name, agent=agent.name, result="note", found=found)
        elif check.result == "wrong":
            yield replace(check, mend=_fix(row, check))
        else:
            yield check


def _running(agent: Agent, row: Row, observation: Observation) -> Iterable[VerifyCheck]:
    session = SessionEvidence.of(observation.present.get(ResourceKey(Kind.SESSION, agent.name)))
    socket = agent.socket or "default"
    exact = session is not None and bool(session.pane.id) and session.socket == agent.socket
    # Its pane counts, whatever somebody has called the session that it is in.
    called = session.pane.session if session is not None and exact else agent.session
    target = f"session ={called} on tmux server {socket}"
    alive = exact and row.session == "alive"
    words = {"alive": "is there", "dead": "has a dead pane", "foreign": "is not ours", "unknown": "cannot be reached"}
    if exact:
        state = words.get(row.session, "is not there")
    else:
        other = session.pane.session if session is not None else ""
        where = (session.socket or "default") if session is not None else ""
        state = f"is not there: its pane is in ={other} on {where}" if other else "is not there"
    yield _check("session", agent.name, alive, f"{target} {state}", RECONCILE)
    unit = agent_unit(agent.name)
    changed = row.next_reason if row.next_reason in _CHANGED else ""
    found = f"{unit} is {row.unit}" + (f", and {changed}" if changed else "")
    yield _check("unit", agent.name, row.unit == "active" and not changed, found, RECONCILE)
    if row.session == "alive":
        right = row.program == agent.runtime
        yield _check("program", agent.name, right, f"{row.program} runs in its pane (pid {row.pid})", RECONCILE)
        yield from _place(agent, session)
        answers = row.heartbeat in ("ok", "busy")
        age = f"{row.heartbeat_age:.0f} s ago, " if row.heartbeat_age is not None and answers else ""
        said = f"heartbeat {age}{row.heartbeat_source}" if answers else row.readiness_why
        yield _check("heartbeat", agent.name, answers, said, RECONCILE)
        if row.readiness is Readiness.WAITING:
            alone = row.waiting not in OF_A_PERSON
            way = way_to_answer(agent.name) if alone else f"look at it: mosaic agent attach {agent.name}"
            yield VerifyCheck(name="waiting", agent=agent.name, result="wrong" if alone else "note",
                        found=row.readiness_why, mend=way)  # fmt: skip
        if row.readiness is Readiness.STUCK:
            yield _check("progress", agent.name, False, row.readiness_why, _well_again(row))
    enabled = f"{unit} is {'' if row.enabled else 'not '}enabled" + ("" if row.enabled else ": gone after a boot")
    if changed:
        enabled = f"{unit} is {changed}: it may not start at boot"
    if row.enabled is not None:  # else that it could not be seen is said for the host
        yield _check("boot", agent.name, bool(row.enabled) and not changed, enabled, RECONCILE)


def _about_its_needs(name: str, view: AgentView) -> Iterable[VerifyCheck]:
    if view.unseen:
        found = f"it could not be seen: {view.unseen}"
        yield VerifyCheck(name="seen", agent=name, result="wrong", found=found, mend="mosaic doctor")
    if view.stranded or view.no_start:
        found = view.stranded or f"it cannot be started: {view.no_start}"
        way = "fix that, or change its declaration" if view.no_start else f"mosaic fleet restart {name}"
        yield VerifyCheck(name="start", agent=name, result="wrong", found=found, mend=way)


def _place(agent: Agent, session: SessionEvidence | None) -> Iterable[VerifyCheck]:
    """That it is in a scope of its own, and that its limits hold there."""
    if session is None or session.scope is None:
        return
    own = session.scope == placement.OWN
    said = "in a scope of its own" if own else f"in {session.scope}, not in a scope of its own"
    yield _check("scope", agent.name, own, f"its pane is {said}", RECONCILE)
    live = session.limits
    for name, wanted in sorted(limits_of(agent.limits).items()):
        held, value = live.get(name) == wanted, live.get(name)
        unkept = name in session.unkept
        why = "this host gives the user's systemd no controller for it" if unkept else f"{value or 'nothing'} is"
        found = f"{name}={wanted} is in force" if held else f"{name}={wanted} is not in force: {why}"
        yield _check(f"limits.{name}", agent.name, held, found, "mosaic doctor" if unkept else RECONCILE)


def _gone(agent: Agent, row: Row) -> Iterable[VerifyCheck]:
    there = row.session in ("alive", "dead")  # what has only its session's name is listed as what it is
    yield _check("session", agent.name, not there, f"declared {agent.state}, its session is {row.session}", RECONCILE)
    text = f"declared {agent.state}, {agent_unit(agent.name)} is {'' if row.enabled else 'not '}enabled"
    yield _check("boot", agent.name, not row.enabled, text, RECONCILE)


def _on_purpose(row: Row, plan: Plan) -> str:
    """Why nothing is expected of it; "" if something is."""
    if plan.paused is not None:
        return "paused"
    return next((note for note in row.notes if note.startswith("suspended by")), "")


def _fix(row: Row, check: VerifyCheck) -> str:
    """What a person does about it: what holds the change has its own way out."""
    if check.name in ("waiting", "progress"):
        return check.mend
    if check.name == "heartbeat":
        return f"mosaic agent status {row.name}; if something else reports for it: mosaic doctor"
    ways = {
        HeldReason.CRASH_LOOP: f"mosaic fleet release {row.name} (its last lines: mosaic agent status {row.name})",
        HeldReason.NOT_OWNED: f"look at it: tmux -L {row.socket} attach -t ={row.name}" if row.socket else "",
        HeldReason.NOT_INSTALLED: "mosaic doctor says what to install; it is started by itself then",
        HeldReason.NOT_RUNNABLE: "mosaic doctor says what to fix; then it starts by itself",
        HeldReason.MASKED: f"systemctl --user unmask {_for_now(row)}{agent_unit(row.name)}",
        HeldReason.OVERRIDDEN: f"systemctl --user cat {agent_unit(row.name)}, and move away what is not the fleet's",
        HeldReason.WORKING: _once_idle(row),
        HeldReason.LIMIT: f"wait for its limit to end; to restart it now: mosaic fleet restart {row.name} --force",
        HeldReason.MOVING: f"it starts when that host has ended it; to have it now: mosaic fleet release {row.name}",
        HeldReason.PRUNE: "reconcile --allow-removals N",
    }
    return ways.get(HeldReason(row.next_reason), check.mend) if row.next_reason in set(HeldReason) else check.mend


def _well_again(row: Row) -> str:
    """What ends a trouble: see `reconciler.observe.troubles`."""
    ways = {
        "logged-out": f"log it in: mosaic agent attach {row.name}",
        "limit": f"wait for its limit to end, or change its account: mosaic agent attach {row.name}",
    }
    look = f"look at it: mosaic agent attach {row.name}; for a new conversation: mosaic agent reset {row.name}"
    return ways.get(row.stuck, look)


def _once_idle(row: Row) -> str:
    command = force(row.name, Verb(row.next_verb), row.desired) if row.next_verb in set(Verb) else ""
    return "it is done once it is idle" + (f"; to have it now: {command}" if command else "")


def _for_now(row: Row) -> str:
    """A mask that lasts until the next boot is not found without that word."""
    return "--runtime " if "unmask --runtime " in row.why else ""


def _fix_extra(row: Row) -> str:
    if row.kind == "removed":
        return RECONCILE
    return (
        f"systemctl --user disable --now {agent_unit(row.name)}" if row.enabled else "end it by hand if nobody needs it"
    )


def _check(name: str, agent: str | None, right: bool, found: str, mend: str) -> VerifyCheck:
    return VerifyCheck(
        name=name, agent=agent, result="ok" if right else "wrong", found=found, mend="" if right else mend
    )
