"""`--plan`: exactly the plan that somebody has seen, and nothing that becomes due because of it."""

from __future__ import annotations

from dataclasses import replace

from reconciler.loop import converge
from specs.compiled import Policy
from tests.laws.driver import RUN_S, MemoryStore, reconciler
from tests.strategies import make_agent, make_fleet
from tests.world import World


def test_what_becomes_due_after_the_plan_is_left_for_another_one() -> None:
    world, store = World(), MemoryStore()
    one_by_one = Policy(on_change="immediately", max_unavailable=1)
    fleet = make_fleet(make_agent("coder0"), make_agent("coder1"), policy=one_by_one)
    controller = reconciler(world, store)
    controller.converge(fleet)
    agents = tuple(replace(agent, generation=1) for agent in fleet.agents)
    changed = replace(fleet, revision="b" * 40, agents=agents)
    seen = controller.look(changed)
    assert [action.id for action in seen.plan.actions if action.disrupts] == ["restart:systemd:coder0"]

    done = converge.converge(controller.context(), changed, world.elapsed + RUN_S, first=seen)

    assert {outcome.action.id for outcome in done.outcomes} == {action.id for action in seen.plan.actions}
    assert world.tally.started == {"coder0": 2, "coder1": 1}
    assert [action.id for action in done.last.plan.actions] == ["restart:systemd:coder1"]  # and said to be due
