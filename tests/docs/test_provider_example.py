"""The worked example of `docs/write-a-provider.md` does what the page says."""

from __future__ import annotations

from typing import Any

from providers.base import Kind, Provider, Verb
from providers.kinds.registry import Registry
from reconciler.loop.apply import apply
from reconciler.model import Change, History, Inventory, Plan, Verdict
from reconciler.observe.observer import observe
from reconciler.plan.desired import desired
from reconciler.plan.diff import diff
from reconciler.plan.planner import PlanOptions, plan
from tests.docs.pages import page
from tests.launch.bench import make_agent, make_fleet
from tests.world import World
from tests.world_model import File

PAGE = page("docs/write-a-provider.md")
FLEET = make_fleet(make_agent("lead"), make_agent("coder0"))
SHARED = PlanOptions(agents=frozenset({"none of them"}))  # the example is alone: it is not about agents


def example() -> Provider:
    """The class out of the page."""
    (code,) = (block.text for block in PAGE.blocks if block.language == "python")
    names: dict[str, Any] = {}
    exec(compile(code, PAGE.name, "exec"), names)  # noqa: S102  # our own page
    made: Provider = names["MembersProvider"]()
    return made


def look(world: World, registry: Registry) -> tuple[tuple[Change, ...], Plan]:
    seen = observe(world, FLEET, registry)
    changes = diff(desired(FLEET, registry, world.facts), seen, Inventory(), FLEET)
    return changes, plan(FLEET, changes, seen, Inventory(), History(), suspended={}, paused=None, options=SHARED)


def carry_out(world: World, registry: Registry) -> Plan:
    _, made = look(world, registry)
    done = apply(made, world, registry, monotonic=lambda: 0.0, deadline=1.0)
    assert {one.result for one in done} <= {"done"}
    return made


def test_it_writes_its_file_once_and_mends_it() -> None:
    world = World()
    registry: Registry = {Kind.FRAMEWORK: example()}
    path = f"{world.facts.mosaic_home}/fleet/members"
    assert [action.verb for action in carry_out(world, registry).actions] == [Verb.WRITE]
    right = world.files[path]
    assert right.content.endswith("\ncoder0\nlead\n")
    changes, made = look(world, registry)
    assert (changes, made.actions) == ((), ())
    world.files[path] = File(right.content + "somebody\n", right.mode)
    ((change,), _) = look(world, registry)
    assert [field.path for field in change.fields]
    carry_out(world, registry)
    assert world.files[path] == right


def test_a_file_of_somebody_else_is_left_alone() -> None:
    world = World()
    registry: Registry = {Kind.FRAMEWORK: example()}
    path = f"{world.facts.mosaic_home}/fleet/members"
    world.files[path] = File("mine\n", 0o644)
    ((change,), made) = look(world, registry)
    assert change.verdict is Verdict.CONFLICT
    assert made.actions == ()
    assert [one.target for one in made.held] == [path]
