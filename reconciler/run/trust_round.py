"""The trust round: answer the question of trust in an agent's own folder, for classes whose rule says so.

The same function answers as for a person: the dialog is read again under the lock, and its keys are pressed once. A
case that was answered, or that is not for the rule, costs the next runs nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from reconciler.answering.answer import answer
from reconciler.answering.choose import Unfit, choose
from reconciler.answering.record import record_answer
from reconciler.answering.trust import RULE, has_rule, objection
from reconciler.answering.verdict import DialogAnswer, ShownDialog, WantedAnswer
from reconciler.attention.case import AttentionKind, case_id
from reconciler.delivery.deliver import delivery_io
from reconciler.helpers.atomic_files import parse_json, read_optional
from reconciler.model import Readiness
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.context.host import HostContext
    from reconciler.loop.converge import Context
    from reconciler.loop.result import RunResult
    from reconciler.model import AgentView
    from reconciler.state.store import Store
    from reconciler.status.events import EventSource
    from specs.compiled import Agent, Fleet, Suspension

LOCK_S = 2.0
VERIFY_S = 4.0
MOST = 8  # in one run; the next run answers the others
AGAIN_S = 60.0  # until a case is tried again whose key may never have arrived
TRIES = 3  # then it is for a person, who has been told of it all the while
ALLOW = WantedAnswer(how="allow")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRound:
    """What a round works with. `views` come from the run's last look; `over` says whether to begin nothing more."""

    fleet: Fleet
    views: Mapping[str, AgentView]
    facts: HostFacts
    store: Store
    suspended: Mapping[str, Suspension]
    source: EventSource
    over: Callable[[], bool]
    now: float  # Unix seconds
    answer: Callable[..., DialogAnswer] = answer


def due(fleet: Fleet, agent: Agent, view: AgentView | None) -> bool:
    """Whether the agent waits at a question of trust, and its class has the rule."""
    if view is None or view.session != "alive" or view.readiness is not Readiness.WAITING or view.waiting != "trust":
        return False
    return agent.state == "running" and has_rule(fleet, agent)


def after_run(result: RunResult, ctx: Context, fleet: Fleet, here: HostContext) -> None:
    """A round with the run's last observation. Raises StateError and Unavailable."""
    last = result.status.last_run
    run_round(
        TrustRound(
            fleet=fleet,
            views=result.plan.views,
            facts=here.facts,
            store=ctx.store,
            suspended=ctx.suspended(fleet),
            source="watch" if last is not None and last.trigger == "watch" else "reconcile",
            over=lambda: here.stop() or here.host.paused() is not None,
            now=here.wall(),
        )
    )


def run_round(by: TrustRound) -> tuple[str, ...]:
    """Make one round. Returns the agents that were answered for."""
    given = _Given(by.store, by.now)
    asked = [
        agent
        for agent in by.fleet.agents
        if due(by.fleet, agent, by.views.get(agent.name)) and not given.against(agent, by.views[agent.name])
    ]
    done = []
    for agent in asked[:MOST]:
        if by.over():
            break
        if {agent.name, "*"} & by.suspended.keys():
            continue
        found = by.answer(
            agent,
            ALLOW,
            delivery_io(by.facts, by.store, by.fleet.heartbeats),
            check=partial(given.check, agent),
            lock_s=LOCK_S,
            verify_s=VERIFY_S,
        )
        who = f"{by.fleet.host}:mosaic"
        record_answer(by.fleet, by.store, agent.name, found, how="allow", by=who, source=by.source, rule=RULE)
        given.note(agent, found)
        if found.word == "answered":
            done.append(agent.name)
    return tuple(done)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """The case that was last answered for an agent, how often, and when (Unix seconds)."""

    case: str
    tries: int = 1
    at: float = 0.0


class _Given:
    """What was answered by the rule, in `trusted.json`. A try is noted before its key is pressed: a run that is killed
    in between has used it up."""

    def __init__(self, store: Store, now: float) -> None:
        self._store, self._path, self._now = store, store.state / "trusted.json", now
        self._known = self._read()
        self._before: dict[str, _Try | None] = {}  # of those that this round has noted

    def against(self, agent: Agent, view: AgentView) -> str:
        """What speaks against answering, by what the run has seen; "" for nothing, or if it has not seen the text."""
        if not view.question:
            return ""
        dialog = ShownDialog(
            case=case_id(agent.name, view.life, AttentionKind.TRUST, view.question, view.choices),
            kind=AttentionKind.TRUST,
            question=view.question,
            choices=view.choices,
            takes_text=view.takes_text,
        )
        fit = choose(ALLOW, dialog)
        return fit.reason if isinstance(fit, Unfit) else self._objection(agent, dialog)

    def check(self, agent: Agent, dialog: ShownDialog) -> str:
        """The same by the screen, at the last moment. "" for nothing: then it is noted as tried. Raises StateError."""
        against = self._objection(agent, dialog)
        if not against:
            known = self._before[agent.name] = self._known.get(agent.name)
            tries = known.tries + 1 if known is not None and known.case == dialog.case else 1
            self._save(agent, _Try(case=dialog.case, tries=tries, at=self._now))
        return against

    def note(self, agent: Agent, found: DialogAnswer) -> None:
        """What became of a try. Nothing pressed: it was none; answered: it was the last one. Raises StateError."""
        if agent.name not in self._before:
            return
        if found.word in ("changed", "not-answered"):
            self._save(agent, self._before[agent.name])
        elif found.word == "answered":
            self._save(agent, replace(self._known[agent.name], tries=TRIES))

    def _objection(self, agent: Agent, dialog: ShownDialog) -> str:
        known = self._known.get(agent.name)
        if known is not None and known.case == dialog.case:
            if known.tries >= TRIES:
                return "the rule has answered it before, and it is still shown"
            if 0 <= self._now - known.at < AGAIN_S:
                return "the rule has just answered it"
        return objection(dialog, agent.working_directory)

    def _save(self, agent: Agent, one: _Try | None) -> None:
        self._known.pop(agent.name, None)
        if one is not None:
            self._known[agent.name] = one
        known = {name: {"case": one.case, "tries": one.tries, "at": one.at} for name, one in self._known.items()}
        self._store.write(self._path, json.dumps(known))

    def _read(self) -> dict[str, _Try]:
        """A damaged file counts as none: then a dialog may be answered once more. An older version kept the case."""
        try:
            raw = parse_json(read_optional(self._path) or b"{}")
        except (OSError, ValueError):
            return {}
        found = {}
        for name, one in raw.items() if isinstance(raw, dict) else ():
            case, tries, at = (
                (one.get("case"), one.get("tries"), one.get("at")) if isinstance(one, dict) else (one, 1, 0)
            )
            if isinstance(case, str) and isinstance(tries, int) and isinstance(at, int | float):
                found[str(name)] = _Try(case=case, tries=tries, at=float(at))
        return found
