"""What a plan knows of the fleet beyond this host and beyond this commit: the floor, and the order of stops."""

from __future__ import annotations

from dataclasses import replace

from providers.base import HeldReason, Verb
from reconciler.model import Inventory, Owned
from reconciler.plan.planner import PlanOptions
from specs.compiled import Peer
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.materials import parsed
from tests.strategies import make_agent, make_fleet
from tests.world import World


def test_a_role_that_moved_to_another_host_may_leave_this_one() -> None:
    world, store = World(), MemoryStore()
    boss, coder = replace(make_agent("boss"), agent_class="orchestrator"), make_agent("coder")
    before = make_fleet(boss, coder)
    before = replace(before, policy=replace(before.policy, floor="two-agent"))
    converge(world, before, store)
    world.advance(1000.0)
    gone = replace(before, agents=(coder,))
    refused = reconciler(world, store).look(gone).plan
    assert refused.refused
    assert {held.reason for held in refused.held} == {HeldReason.FLOOR}
    moved = replace(
        gone, peers=(Peer(name="far", agent_class="orchestrator", runtime="stub", state="running", host="other"),)
    )
    plan = reconciler(world, store).look(moved).plan
    assert not plan.refused
    assert any(action.verb is Verb.STOP and action.agent == "boss" for action in plan.actions)


def test_removed_agents_are_stopped_in_reverse() -> None:
    world, store = World(), MemoryStore()
    first, second = make_agent("alpha"), replace(make_agent("beta"), depends_on=("alpha",))
    third = make_agent("gamma")
    converge(world, make_fleet(first, second, third), store)
    world.advance(1000.0)
    plan = reconciler(world, store, options=PlanOptions(allow_removals=2)).look(make_fleet(third)).plan
    stops = {action.agent: action for action in plan.actions if action.verb is Verb.STOP}
    assert stops["beta"].id in stops["alpha"].depends_on


def test_an_inventory_of_an_older_version_is_still_read() -> None:
    from reconciler.state.codec import inventory_from_json, inventory_to_json

    raw = parsed(inventory_to_json(Inventory(agents={"a": Owned(agent_class="code", socket="s", depends_on=("b",))})))
    assert inventory_from_json(raw).agents["a"].depends_on == ("b",)
    del raw["agents"]["a"]["depends_on"]
    assert inventory_from_json(raw).agents["a"].depends_on == ()
