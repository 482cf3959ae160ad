"""A new mission or contract ends nothing: agents go on, what they were given is known, and what is new is there at the
next start."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.observe.agent_view import build_views
from specs.compiled import Fleet, PersonaText, mission_digest
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.laws.oracle import living
from tests.strategies import fleets, make_agent, make_fleet
from tests.world import World

TEXTS = st.sampled_from(("# One\n", "# Two\n"))


def with_persona(fleet: Fleet, text: str) -> Fleet:
    given_ = PersonaText(text=text, digest="0" * 12, purpose="p", persistent=False)
    return replace(fleet, personas={agent.agent_class: given_ for agent in fleet.agents})


@given(fleet=fleets(), mission=st.sampled_from(("", "# Grow\n", "# Shrink\n")), persona=TEXTS)
def test_nothing_is_ended_for_a_new_mission_or_contract(fleet: Fleet, mission: str, persona: str) -> None:
    world, store = World(), MemoryStore()
    converge(world, fleet, store, runs=2)
    before, ended = living(world), len(world.tally.ended)
    after = with_persona(replace(fleet, mission=mission, revision="e" * 40), persona)
    converge(world, after, store, runs=2)
    assert len(world.tally.ended) == ended
    assert living(world).keys() >= before.keys()
    for name in before:
        env = world.files[f"{world.facts.agents_dir}/{name}.env"].content
        agent = next((one for one in after.agents if one.name == name), None)
        assert agent is not None
        assert f"MOSAIC_MISSION={mission_digest(after, agent)}\n" in env


@given(first=TEXTS, second=TEXTS)
def test_what_an_agent_was_given_is_seen_until_it_is_started_anew(first: str, second: str) -> None:
    world, store = World(), MemoryStore()
    agent = make_agent("a")
    old, new = with_persona(make_fleet(agent), first), with_persona(make_fleet(agent, revision="2" * 40), second)
    converge(world, old, store)
    for _ in range(2):
        view = reconciler(world, store).converge(new).last.plan.views["a"]
        assert (view.mission, view.mission_now) == (mission_digest(old, agent), mission_digest(new, agent))
        assert view.behind is (first != second)
        assert bool(store.history.agents["a"].mission_since) is view.behind
    world.kill_pane("a")
    world.advance(60.0)
    view = converge(world, new, store).last.plan.views["a"]
    assert not view.behind
    assert view.mission == mission_digest(new, agent)
    assert store.history.agents["a"].mission_since == 0.0


def test_a_pane_that_is_dead_was_given_nothing() -> None:
    world, store = World(), MemoryStore()
    fleet = with_persona(make_fleet(make_agent("a")), "# One\n")
    converge(world, fleet, store)
    world.kill_pane("a")
    observation = reconciler(world, store).look(fleet).observation
    assert build_views(fleet, observation, store.inventory)["a"].mission == ""
