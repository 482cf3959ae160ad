"""What a run does about what needs a person, at no cost where nothing does: list it, and hand its notices over."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from reconciler.errors import MosaicError
from reconciler.state.may_need import may_need_a_person
from specs.dataclass import replace

if TYPE_CHECKING:
    from reconciler.context.host import HostContext
    from reconciler.loop.result import RunOptions, RunResult
    from reconciler.model import Plan
    from reconciler.run.attention_round import AttentionRound
    from reconciler.source.intake import Intake
    from reconciler.state.store import Store
    from specs.compiled import Fleet

SOON_S = 0.5  # until a resident loop lists a message that this run left unconfirmed


def what_needs_a_person(
    store: Store, intake: Intake, plan: Plan, options: RunOptions, here: HostContext
) -> AttentionRound | None:
    """What needs a person; None if nothing does, and nothing did."""
    if not may_need_a_person(store, plan.views, store.load_history(now=here.wall())):
        return None
    from reconciler.run.attention_round import after_look

    source: Literal["watch", "reconcile"] = "watch" if options.trigger == "watch" else "reconcile"
    # A run within `mosaic update` leaves notices to the next one: nobody there would hand them over.
    paused = plan.paused is not None or options.trigger == "update"
    try:
        return after_look(store, intake.fleet, plan.views, source=source, paused=paused, now=here.wall())
    except MosaicError as error:
        intake.warnings.append(f"what needs a person: {error.message}")
        return None


def with_notices(result: RunResult, attention: AttentionRound, fleet: Fleet) -> RunResult:
    """The result with what its caller is to hand over, and where."""
    sockets = {fleet.socket, *(agent.socket for agent in fleet.agents)} if attention.notices else ()
    return replace(result, notices=attention.notices, notices_at=attention.again, sockets=tuple(sorted(sockets)))


def looking_again(result: RunResult, store: Store, here: HostContext) -> RunResult:
    """The messages of this run come after its list of what needs a person: one that is unconfirmed since then makes a
    resident loop look again at once."""
    if not os.path.isdir(store.state / "outbox"):
        return result
    from reconciler.run.attention_round import unlisted

    return replace(result, notices_at=here.wall() + SOON_S) if unlisted(store) else result


def hand_over(result: RunResult, store: Store, here: HostContext) -> None:
    """Notify people, with the fleet's lock free; it ends within the longest of the rules' timeouts. Every caller of
    `run_locked` does this, or its own: nobody is notified again."""
    if not result.notices:
        return
    from reconciler.notify.deliveries import GRACE_S, Deliveries

    here.doing("notifying people")
    sent = Deliveries(store, here.environ, here.facts.uid, "reconcile")
    try:
        sent.begin(result.notices, result.sockets)
        sent.wait(max(one.rule.timeout for one in result.notices) + GRACE_S)
    finally:
        sent.close()
