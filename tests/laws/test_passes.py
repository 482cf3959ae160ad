"""A run is passes of one kind, and nothing beside them."""

from __future__ import annotations

import pytest

from reconciler.loop import converge
from tests.laws.driver import RUN_S, MemoryStore, reconciler
from tests.strategies import make_agent, make_fleet
from tests.world import World


def test_every_pass_of_a_run_is_reconcile_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world, store = World(), MemoryStore()
    fleet = make_fleet(make_agent("coder0"), make_agent("coder1"))
    passes: list[converge.Pass] = []
    one_pass = converge.reconcile_once

    def counted(*args: object, **more: object) -> converge.Pass:
        passes.append(one_pass(*args, **more))  # type: ignore[arg-type]
        return passes[-1]

    monkeypatch.setattr(converge, "reconcile_once", counted)
    done = reconciler(world, store).converge(fleet)
    assert done.passes == len(passes) > 1
    assert done.last is passes[-1]
    assert done.outcomes == [outcome for seen in passes for outcome in seen.outcomes]


def test_one_pass_by_itself_applies_the_whole_plan() -> None:
    world, store = World(), MemoryStore()
    controller = reconciler(world, store)
    fleet = make_fleet(make_agent("coder0"))
    shown = controller.look(fleet).plan
    seen = converge.reconcile_once(controller.context(), fleet, world.elapsed + RUN_S)
    assert [outcome.action.id for outcome in seen.outcomes] == [action.id for action in shown.actions]
    assert world.tally.started == {"coder0": 1}
