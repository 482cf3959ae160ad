"""Assemble what the passes of a run work with, from the host and the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from providers.kinds.registry import Registry, registry
from reconciler.context.host import HostContext
from reconciler.loop.converge import Context
from reconciler.loop.result import RunOptions
from reconciler.plan.planner import PlanOptions
from reconciler.state.store import Store
from specs.compiled import Fleet, Suspension

if TYPE_CHECKING:
    from reconciler.context.settings import Settings


def context(
    here: HostContext, store: Store, settings: Settings, options: RunOptions, *, measure: bool = False
) -> Context:
    """What the passes of a run work with. `measure`: for a listing: include resource usage and every raw
    observation."""

    def providers() -> Registry:
        from reconciler.context.service_command import service_command

        owned = store.load_inventory()
        return registry(
            owned_on=frozenset((name, agent.socket) for name, agent in owned.agents.items()),
            install=settings.install,
            command=service_command() if settings.install != "none" else (),
            measure=measure,
        )

    def suspended(fleet: Fleet) -> dict[str, Suspension]:
        from reconciler.state.pause import merge

        return merge(fleet.suspended, store.load_suspensions(), here.wall())

    return Context(
        host=here.host,
        store=store,
        registry=providers,
        suspended=suspended,
        options=PlanOptions(agents=frozenset(options.agents), allow_removals=options.allow_removals, detail=measure),
        monotonic=here.monotonic,
        sleep=here.sleep,
        stop=here.stop,
        doing=here.doing,
        looking=here.looking,
    )
