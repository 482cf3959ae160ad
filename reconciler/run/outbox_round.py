"""The outbox round: send waiting messages. Each agent that is available gets the first message that waits for it.

A run without messages does not import this. With messages it takes a bounded time, for all of them together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from providers.programs.base import LOSES_QUEUE
from reconciler.delivery.kickstart import first_words
from reconciler.delivery.outbox import KEEP_S, Outbox
from reconciler.delivery.send import record_event, send
from reconciler.delivery.verdict import Delivery, DeliveryState
from reconciler.errors import MosaicError
from reconciler.helpers.words import count
from reconciler.model import Readiness
from reconciler.run.limit_round import LIMIT_UNKNOWN_S, limit_is_over, mark
from specs.dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.context.host import HostContext
    from reconciler.delivery.message import Message
    from reconciler.loop.converge import Context
    from reconciler.loop.result import RunResult
    from reconciler.model import AgentView
    from reconciler.state.store import Store
    from reconciler.status.events import EventSource
    from specs.compiled import Agent, Fleet, Suspension

ROUND_S = 30.0  # in one run, for all agents; the next run takes what is left
LOCK_S = 2.0
_ENDED = "the run that was sending it was ended, and nobody knows how far it came"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRound:
    """What a round works with. `views` come from the run's last look; `over` says whether to begin nothing more."""

    fleet: Fleet
    views: Mapping[str, AgentView]
    facts: HostFacts
    store: Store
    suspended: Mapping[str, Suspension]
    source: EventSource
    paused: Callable[[], str | None]
    over: Callable[[], bool]
    wall: Callable[[], float]
    monotonic: Callable[[], float]
    send: Callable[..., Delivery] = send
    # The agents with messages from before this commit that were replaced by a namesake; None if that is unknown.
    ended: Callable[[frozenset[str], str], frozenset[str] | None] = lambda _names, _since: frozenset()
    lives: Mapping[str, str] = field(default_factory=dict)  # by agent, its present process as `Life` has it
    looked_at: float = 0.0  # when `views` were seen, in Unix seconds
    nudged: Mapping[str, str] = field(default_factory=dict)  # by agent, the limit after which it was told to go on
    again: list[str] = field(default_factory=list)  # messages that wait again since this round
    said: list[str] = field(default_factory=list)  # sentences for the caller that reads the run


def after_run(
    result: RunResult, ctx: Context, fleet: Fleet, here: HostContext, lives: Mapping[str, str] = MappingProxyType({})
) -> RunResult:
    """A round with the run's last observation. `lives`: by agent, its present process. Raises StateError and
    Unavailable."""

    def ended(names: frozenset[str], since: str) -> frozenset[str] | None:
        from reconciler.git.mirror import Checkout
        from reconciler.source import lives
        from reconciler.source.fetch import CHECKOUT

        return lives.ended(Checkout(ctx.store.state / CHECKOUT), names, since, fleet.revision)

    last = result.status.last_run
    by = OutboxRound(
        fleet=fleet,
        views=result.plan.views,
        facts=here.facts,
        store=ctx.store,
        suspended=ctx.suspended(fleet),
        source="watch" if last is not None and last.trigger == "watch" else "reconcile",
        paused=here.host.paused,
        over=here.stop,
        wall=here.wall,
        monotonic=here.monotonic,
        ended=ended,
        lives=lives,
        looked_at=result.plan.observed_at,
        nudged={name: one.limit_nudged for name, one in ctx.store.load_history(now=here.wall()).agents.items()},
    )
    left = run_round(by)
    return replace(result, messages=left or result.messages, warnings=(*result.warnings, *by.said))


def forecast(fleet: Fleet, store: Store) -> tuple[str, ...]:
    """What a preview says about messages whose agents are no longer in the fleet. Nothing if they cannot be read."""
    try:
        waiting = [one.agent for one in Outbox(store).messages() if one.state == "waiting" and not one.our_own]
    except MosaicError:
        return ()
    gone = Counter(name for name in waiting if name not in _declared(fleet))
    return tuple(f"{count(number, 'message')} for {name} would be put away" for name, number in sorted(gone.items()))


def run_round(by: OutboxRound) -> bool:
    """Make one round, with the fleet's lock held. Returns whether a message waits for a living agent: that agent's next
    report may end the wait. Raises StateError and Unavailable."""
    outbox = Outbox(by.store)
    agents = {agent.name: agent for agent in by.fleet.agents}
    end = by.monotonic() + ROUND_S
    served: set[str] = set()
    left = False
    tried = _tried_lately(outbox, by.wall())
    waiting = [one for one in outbox.messages() if _still_waits(one, agents.get(one.agent), outbox, by)]
    for message in _of_this_life(waiting, outbox, by):
        agent, view = agents.get(message.agent), by.views.get(message.agent)
        if agent is None or view is None or view.session != "alive":
            continue
        if not _meant_for_now(message, agent, view, by):
            left = True
            continue
        first = message.agent not in served
        served.add(message.agent)
        hands_off = by.over() or by.monotonic() >= end or by.paused() is not None
        may = first and not hands_off and _may_be_sent(by, view, tried)
        sent = may and _hand_over(message, agent, outbox, by)
        left = left or not sent
    if not outbox.messages():
        outbox.sweep(by.wall())
    return left or bool(by.again)


def _still_waits(message: Message, agent: Agent | None, outbox: Outbox, by: OutboxRound) -> bool:
    """Put away what no longer waits. Only a run sends from the outbox, and runs never overlap: a message that is
    `sending` as a round begins belongs to a run that was ended."""
    now = by.wall()
    if message.state == "queued":
        return _taken_back(message, agent, outbox, by)
    if message.state == "sending":
        _record(message, Delivery(word="unconfirmed", reason=_ENDED), by)
        outbox.end(message, now, state="unconfirmed", reason=_ENDED)
    elif message.state in ("unconfirmed", "put-away") and (message.ended or message.created) + KEEP_S <= now:
        outbox.end(message, now, state=None)
    elif message.state == "waiting" and message.expires and message.expires <= now:
        why = "it expired before it could be delivered" + (f": {message.reason}" if message.reason else "")
        _record(message, Delivery(word="not-delivered", reason=why), by)
        outbox.end(message, now, state=None)
    elif message.kickstart and (agent is None or agent.kickstart is None):
        outbox.end(message, now, state=None)
    elif message.life and message.state == "waiting" and by.lives.get(message.agent, message.life) != message.life:
        outbox.end(message, now, state=None)  # the life that it was for is over
    else:
        return message.state == "waiting"
    return False


def _taken_back(message: Message, agent: Agent | None, outbox: Outbox, by: OutboxRound) -> bool:
    """Look after a message that was in its program's own queue; if it waits again, the next round takes it up."""
    from reconciler.run.queue_round import decide

    now, view = by.wall(), by.views.get(message.agent)
    if agent is None or message.ended + KEEP_S <= now:
        outbox.end(message, now, state=None)
        return False
    free = view is not None and may_be_sent(view)
    found = decide(
        message, view, by.lives.get(message.agent, ""), by.looked_at, free=free, host=by.fleet.host, facts=by.facts
    )
    if found is None:
        return False
    if found.word == "delivered":
        outbox.end(message, now, state=None)
        return False
    _record(message, found, by)
    again = found.word == "not-delivered"
    outbox.end(message, now, state="waiting" if again else "unconfirmed", reason=found.reason)
    by.again.extend([message.id] if again else [])
    return False


def _of_this_life(waiting: list[Message], outbox: Outbox, by: OutboxRound) -> list[Message]:
    """The messages whose agent is still the one they were written to. The others are put away for a person to read: the
    agent was removed, or another one has its name by now."""
    declared = _declared(by.fleet)
    older: dict[str, set[str]] = {}
    for one in waiting:
        if one.revision not in ("", by.fleet.revision) and not one.our_own:
            older.setdefault(one.revision, set()).add(one.agent)
    others = {since: by.ended(frozenset(names), since) for since, names in older.items()}
    kept, put_away = [], Counter[str]()
    for one in waiting:
        why = ""
        if one.agent not in declared:
            why = f"{one.agent} was removed from the fleet before it could be delivered"
        elif one.agent in older.get(one.revision, ()):
            found = others[one.revision]
            if found is None:
                why = f"the history since commit {one.revision[:12]} is not here, so it is not known whether "
                why += f"{one.agent} is still the agent that it was written to"
            elif one.agent in found:
                why = f"it was written to an earlier {one.agent}, which was removed; another agent has that name now"
        if why and one.our_own:
            outbox.end(one, by.wall(), state=None)
        elif why:
            _record(one, Delivery(word="not-delivered", reason=f"it was put away: {why}"), by)
            outbox.end(one, by.wall(), state="put-away", reason=why)
            put_away[one.agent] += 1
        else:
            kept.append(_noted(one, declared[one.agent], outbox, by))
    for name, number in sorted(put_away.items()):
        by.said.append(
            f"{count(number, 'message')} for {name} {'was' if number == 1 else 'were'} put away: "
            f"{'it was' if number == 1 else 'they were'} written to an earlier agent of that name; to read: "
            f"mosaic agent outbox {name}"
        )
    return kept


def _declared(fleet: Fleet) -> dict[str, str]:
    """By name: the other host that it is on, "" for this one."""
    here = {agent.name: "" for agent in fleet.agents if agent.state != "absent"}
    return here | {peer.name: peer.host for peer in fleet.peers if peer.state != "absent"}


def _noted(one: Message, host: str, outbox: Outbox, by: OutboxRound) -> Message:
    reason = one.reason
    if host:
        reason = f"{one.agent} is on host {host} now: cancel it here, and send it again"
    if one.our_own or (one.revision == by.fleet.revision and reason == one.reason):
        return one
    return outbox.note(one, by.wall(), revision=by.fleet.revision, reason=reason)


def _tried_lately(outbox: Outbox, now: float) -> frozenset[str]:
    """The agents with a message of the last hour that nobody knows the end of: at a limit, one an hour is enough to
    learn whether it is over."""
    ended = ((one.agent, one.ended) for one in outbox.messages() if one.state == "unconfirmed")
    return frozenset(agent for agent, at in ended if at + LIMIT_UNKNOWN_S > now)


def _may_be_sent(by: OutboxRound, view: AgentView, tried: frozenset[str]) -> bool:
    """Whether a living agent is free to take something up, and nobody asked to leave it alone."""
    at_limit = limit_is_over(view, by.wall()) and view.name not in tried
    return not {view.name, "*"} & by.suspended.keys() and (may_be_sent(view) or at_limit)


def _meant_for_now(message: Message, agent: Agent, view: AgentView, by: OutboxRound) -> bool:
    """Whether it may be what an agent gets first after its limit. That is what tells it to go on; where nothing does,
    or it was told and still shows that limit an hour after its end, any message."""
    if not limit_is_over(view, by.wall()) or message.life or not agent.limit_nudge or not view.until_at:
        return True
    return by.nudged.get(view.name) == mark(view) and view.until_at + LIMIT_UNKNOWN_S <= by.wall()


def may_be_sent(view: AgentView) -> bool:
    """Whether an agent is free to take something up: available, or quiet if nothing answers for it."""
    quiet = view.readiness in (Readiness.UNKNOWN, Readiness.STALE) and view.available is True
    return view.readiness is Readiness.AVAILABLE or quiet


def _hand_over(message: Message, agent: Agent, outbox: Outbox, by: OutboxRound) -> bool:
    """Whether the message is done; a refused one continues to wait, with the reason."""
    begun = False

    def begin() -> None:
        nonlocal begun
        if not outbox.begin(message, by.wall()):
            raise _Cancelled
        begun = True

    try:
        text = message.text or first_words(agent.kickstart or message.kickstart, agent, by.facts)
        if message.preface:
            text = f"{message.preface}\n\n{text}"
        found = by.send(
            by.fleet,
            agent,
            text,
            facts=by.facts,
            store=by.store,
            sender=message.sender,
            lock_s=LOCK_S,
            grace_s=0.0,
            source=by.source,
            message_id=message.id,
            before_paste=begin,
            refusals=message.tries == 0,
        )
    except _Cancelled:
        return True
    except MosaicError as error:
        if begun:
            raise  # it says `sending`, and the next round corrects that
        outbox.end(message, by.wall(), state="waiting", reason=error.message)
        return False
    if found.word == "not-delivered":
        outbox.end(message, by.wall(), state="waiting", reason=found.reason)
        return False
    if found.queued and agent.runtime in LOSES_QUEUE and message.text and not message.life:
        outbox.queued(message, by.wall(), by.lives.get(agent.name, ""))
        return True
    kept: DeliveryState | None = "unconfirmed" if found.word == "unconfirmed" else None
    outbox.end(message, by.wall(), state=kept, reason=found.reason)
    return True


class _Cancelled(Exception):
    """Somebody took the message back at the last moment."""


def _record(message: Message, found: Delivery, by: OutboxRound) -> None:
    size = len(message.text.encode())
    record_event(
        by.fleet, by.store, message.agent, found,
        sender=message.sender, source=by.source, size=size, message_id=message.id,
    )  # fmt: skip
