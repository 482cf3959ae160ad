"""An agent that git does not know any more is still a conversation: what is known of it, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from providers.base import Health
from reconciler.observe.agent_view import build_views
from reconciler.observe.observer import observe
from reconciler.plan.planner import PlanOptions
from tests.laws.driver import MemoryStore, reconciler, registry_for
from tests.strategies import make_agent, make_fleet
from tests.world import World
from tests.world_model import File


@pytest.mark.parametrize(("source", "ended"), [("sidecar", False), ("native", True), ("hook", True)])
def test_only_its_own_word_says_that_a_removed_agent_is_idle(source: str, ended: bool) -> None:
    """Whether its runtime answers for itself stood in git, and is not known any more. A sidecar says that the process
    is there; an agent may think for a minute without a word."""
    world, store = World(), MemoryStore()
    fleet = make_fleet(make_agent("coder"), make_agent("thinker", runtime="claude"))
    reconciler(world, store).converge(fleet)
    found = world.find("thinker")
    assert found is not None
    world.advance(60.0)
    found[1].activity = world.now - 20.0  # its last output; less than `idle_after` ago
    stamp = datetime.fromtimestamp(world.now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    beat = File(f"ts={stamp} pid={found[1].pid} status=ok source={source}\n", 0o600)
    world.files[f"{world.facts.run_dir}/thinker.hb"] = beat
    without = replace(fleet, revision="b" * 40, agents=fleet.agents[:1])

    done = reconciler(world, store, options=PlanOptions(allow_removals=1)).converge(without)

    assert (world.find("thinker") is None) is ended
    assert [held.agent for held in done.last.plan.held] == ([] if ended else ["thinker"])


def test_what_cannot_be_seen_is_not_called_still_here() -> None:
    world, store = World(), MemoryStore()
    fleet = make_fleet(make_agent("coder"), make_agent("stopped", state="stopped"))
    reconciler(world, store).converge(fleet)
    world.blind.add("tmux")
    views = build_views(fleet, observe(world, fleet, registry_for(store.inventory)), store.inventory)
    assert views["stopped"].health is Health.UNKNOWN
