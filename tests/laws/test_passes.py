"""A run is passes of one kind, and nothing beside them."""

from __future__ import annotations

import pytest

from providers.steps import UnitJob, WriteFile
from reconciler.loop import converge
from reconciler.loop.apply import PEERS_AT_ONCE
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


def test_lists_of_peers_are_written_after_what_is_due_for_agents() -> None:
    world, store = World(), MemoryStore()
    names = [f"coder{number}" for number in range(PEERS_AT_ONCE + 6)]
    controller = reconciler(world, store)
    controller.converge(make_fleet(*map(make_agent, names)))
    world.kill_session("coder1")
    world.advance(600)
    world.tally.batches.clear()
    after = make_fleet(make_agent("coder0", state="stopped"), *map(make_agent, names[1:]), revision="2" * 40)
    done = controller.converge(after)
    assert {outcome.result for outcome in done.outcomes} == {"done"}
    steps = [step for batch in world.tally.batches for step in batch]
    jobs = [at for at, step in enumerate(steps) if isinstance(step, UnitJob)]
    written = {
        name: at
        for at, step in reversed(list(enumerate(steps)))
        if isinstance(step, WriteFile) and (name := step.path.rpartition("/")[0].rpartition("/")[2]).endswith(".d")
    }
    begun = max(jobs[:2])  # the stop, and the start of the one that was killed
    assert written.pop("coder1.d") < begun  # a start reads its list of peers
    assert len(written) > PEERS_AT_ONCE
    assert min(written.values()) > begun
