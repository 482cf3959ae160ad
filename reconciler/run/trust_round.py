"""The trust round: answer the question of trust in an agent's own folder, for classes whose rule says so.

The same function answers as for a person: the dialog is read again under the lock, and its keys are pressed once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from reconciler.answering.answer import answer
from reconciler.answering.record import record_answer
from reconciler.answering.trust import RULE, has_rule, objection
from reconciler.answering.verdict import DialogAnswer, ShownDialog, WantedAnswer
from reconciler.delivery.deliver import delivery_io
from reconciler.helpers.atomic_files import parse_json, read_optional
from reconciler.model import Readiness
from specs.dataclass import dataclass

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
        )
    )


def run_round(by: TrustRound) -> tuple[str, ...]:
    """Make one round. Returns the agents that were answered for."""
    given = _Given(by.store)
    asked = [agent for agent in by.fleet.agents if due(by.fleet, agent, by.views.get(agent.name))]
    done = []
    for agent in asked[:MOST]:
        if by.over():
            break
        if {agent.name, "*"} & by.suspended.keys():
            continue
        found = by.answer(
            agent,
            WantedAnswer(how="allow"),
            delivery_io(by.facts, by.store, by.fleet.heartbeats),
            check=partial(given.check, agent),
            lock_s=LOCK_S,
            verify_s=VERIFY_S,
        )
        who = f"{by.fleet.host}:mosaic"
        record_answer(by.fleet, by.store, agent.name, found, how="allow", by=who, source=by.source, rule=RULE)
        if found.word in ("changed", "not-answered"):
            given.forget(agent)
        if found.word == "answered":
            done.append(agent.name)
    return tuple(done)


class _Given:
    """The case that was last answered for each agent: none is answered twice, whatever became of it."""

    def __init__(self, store: Store) -> None:
        self._store, self._path = store, store.state / "trusted.json"
        self._noted: set[str] = set()  # by this round

    def check(self, agent: Agent, dialog: ShownDialog) -> str:
        """What speaks against answering it; "" for nothing, and then it is noted as answered. Raises StateError."""
        known = self._read()
        against = objection(dialog, agent.working_directory)
        if not against and known.get(agent.name) == dialog.case:
            against = "the rule has answered it before, and it is still shown"
        if not against:
            self._store.write(self._path, json.dumps({**known, agent.name: dialog.case}))
            self._noted.add(agent.name)
        return against

    def forget(self, agent: Agent) -> None:
        """Nothing was pressed: what this round has noted for it is no answer. Raises StateError."""
        if agent.name in self._noted:
            known = self._read()
            known.pop(agent.name, None)
            self._store.write(self._path, json.dumps(known))

    def _read(self) -> dict[str, str]:
        """A damaged file counts as none: then a dialog may be answered once more."""
        try:
            raw = parse_json(read_optional(self._path) or b"{}")
        except (OSError, ValueError):
            return {}
        return {str(name): str(case) for name, case in raw.items()} if isinstance(raw, dict) else {}
