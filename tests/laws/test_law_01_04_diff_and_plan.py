"""Laws 1 and 4: about the pure part."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import Json, Present
from reconciler.model import Inventory, Observation, Owned, Verdict
from reconciler.observe.observer import observe
from reconciler.plan import diff as diff_module
from reconciler.plan.desired import desired
from reconciler.plan.diff import diff, field_changes
from reconciler.plan.planner import plan
from specs.compiled import Fleet
from tests.laws.driver import MemoryStore, converge, history_for, reconciler, registry_for
from tests.strategies import FOREIGN, NAMES, WORK, Event, blindness, events, fleets, histories, revised
from tests.world import FACTS, World


@given(fleet=fleets())
def test_law_1_a_state_diffed_with_itself_is_empty(fleet: Fleet) -> None:
    wanted = desired(fleet, registry_for(Inventory()), FACTS)
    present = {
        resource.key: Present(key=resource.key, agent=resource.agent, ours=True, fields=resource.fields)
        for resource in wanted
    }
    observation = Observation(present=present, unknown={}, taken_at=1.0, digest="")
    assert diff(wanted, observation, Inventory(), fleet) == ()


VALUES = st.one_of(st.booleans(), st.integers(0, 1), st.sampled_from(["", "a", "b"]), st.none())
FIELDS = st.dictionaries(
    st.sampled_from(["a", "b.c", "d"]),
    st.one_of(VALUES, st.lists(VALUES, max_size=2), st.dictionaries(st.sampled_from(["x", "y"]), VALUES)),
)


@given(live=FIELDS, wanted=FIELDS)
def test_single_values_are_compared_as_a_differ_compares_them(live: dict[str, Json], wanted: dict[str, Json]) -> None:
    changes = field_changes(live, wanted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diff_module, "_compared", lambda *_: False)
        assert changes == field_changes(live, wanted)


@given(fleet=fleets(), happened=events())
def test_law_1_whatever_differs_names_a_field(fleet: Fleet, happened: list[Event]) -> None:
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for event in happened:
        event(world)
    for change in reconciler(world, store).changes(fleet):
        if change.verdict is Verdict.UPDATE:
            assert change.fields, change
            assert all(field.live != field.desired for field in change.fields)


@given(
    data=st.data(),
    fleet=fleets(),
    happened=events(FOREIGN, *WORK),
    blind=st.one_of(st.just(frozenset[str]()), blindness()),
    shuffled=st.randoms(use_true_random=False),
)
def test_law_4_the_order_of_the_input_never_changes_the_plan(
    data: st.DataObject, fleet: Fleet, happened: list[Event], blind: frozenset[str], shuffled: Random
) -> None:
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for event in happened:
        event(world)
    world.blind = set(blind)
    after = data.draw(st.one_of(st.just(fleet), revised(fleet)))
    store.history = data.draw(st.one_of(st.just(store.history), histories(world.now)))
    registered = registry_for(store.inventory)
    seen = observe(world, after, registered)
    wanted = list(desired(after, registered, FACTS))
    history = history_for(after, store)
    changes = list(diff(wanted, seen, store.inventory, after))
    first = plan(after, changes, seen, store.inventory, history, suspended=after.suspended, paused=None)

    present = list(seen.present.items())
    agents = list(store.inventory.agents.items())
    for some in (wanted, present, agents, changes):
        shuffled.shuffle(some)
    other = replace(seen, present=dict(present))
    inventory = replace(store.inventory, agents=dict(agents))
    assert sorted(diff(wanted, other, inventory, after), key=lambda c: c.key) == sorted(changes, key=lambda c: c.key)
    assert plan(after, changes, other, inventory, history, suspended=after.suspended, paused=None) == first


@given(fleet=fleets(), owned=st.sets(st.sampled_from(NAMES)))
def test_law_4_a_plan_is_a_function_of_its_values(fleet: Fleet, owned: set[str]) -> None:
    """Two hosts in the same state, two controllers with the same memory: the same plan, ids and order included."""
    world = World()
    inventory = Inventory(agents={name: Owned(agent_class="coder", socket=fleet.socket) for name in sorted(owned)})
    one = reconciler(world, MemoryStore(inventory)).look(fleet)
    two = reconciler(world.copy(), MemoryStore(inventory)).look(fleet)
    assert one.plan == two.plan
