"""A healthy conversation lasts: its id is the same after any heals, restarts and reboots, unless somebody ends it, it
is gone, or the agent has become another one. Two agents of one folder never have each other's."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given
from hypothesis import strategies as st

from providers.launch.conversations import ConversationRecord, parse, record_path, reset_line
from specs.compiled import Agent, Limits, OnResume
from tests.laws.driver import MemoryStore, converge, reconciler
from tests.strategies import make_agent, make_fleet
from tests.world import SimulatedKill, World

NAMES = ("coder", "coder0")  # in one folder
KEEPS = ("kill-pane", "kill-session", "kill-server", "reboot", "unit", "restart", "limits", "model", "controller")
ENDS = ("fresh", "reset", "stopped", "gone", "class")
POLICIES: tuple[OnResume, ...] = ("on-heal", "always")
BACK = "back"  # to the first one, by its id
EVENTS = st.lists(st.tuples(st.sampled_from((*KEEPS, *KEEPS, *ENDS, BACK)), st.sampled_from(NAMES)), max_size=8)


class Story:
    """A fleet of two agents, and what happens to them."""

    def __init__(self, policy: OnResume) -> None:
        self.world, self.store = World(), MemoryStore()
        self.agents = {name: replace(make_agent(name), resume=policy) for name in NAMES}
        self.revision = 1
        self.settle()
        self.first = {name: self.record(name).current for name in NAMES}

    def settle(self) -> None:
        """Runs until both are up: a heal may have to wait."""
        fleet = make_fleet(*self.agents.values(), revision=f"{self.revision:040x}")
        for _ in range(12):
            if not converge(self.world, fleet, self.store).last.plan.held:
                return
            self.world.advance(400.0)

    def declare(self, name: str, **changes: object) -> None:
        self.revision += 1
        self.agents[name] = replace(self.agents[name], **changes)  # type: ignore[arg-type]
        self.settle()

    def record(self, name: str) -> ConversationRecord:
        path = record_path(name, self.world.facts)
        return parse(self.world.files[path].content) if path in self.world.files else ConversationRecord()

    def happens(self, event: str, name: str) -> None:
        agent: Agent = self.agents[name]
        world = self.world
        if event == "kill-pane":
            world.kill_pane(name)
        elif event == "kill-session":
            world.kill_session(name)
        elif event == "kill-server":
            world.kill_server(agent.socket)
        elif event == "reboot":
            world.reboot()
        elif event == "unit":
            world.stop_unit(f"mosaic-agent@{name}.service")
        elif event == "restart":
            self.declare(name, generation=agent.generation + 1, restart_session="")
        elif event == "limits":
            self.declare(name, limits=Limits(tasks_max=100 + self.revision))
        elif event == "model":
            self.declare(name, model=f"m{self.revision}")
        elif event == "controller":
            world.kill_pane(name)
            self.store.kill_in = self.revision % 3
            try:
                self.settle()
            except SimulatedKill:
                reconciler(world, self.store).after_kill()
            self.store.kill_in = None
        elif event == "fresh":
            self.declare(name, generation=agent.generation + 1, restart_session="fresh")
        elif event == BACK:
            self.declare(name, generation=agent.generation + 1, restart_session=self.first[name])
        elif event == "stopped":
            self.declare(name, state="stopped")
            self.declare(name, state="running")
        elif event == "class":
            self.declare(name, agent_class=f"class{self.revision}")
        elif event == "gone":
            world.gone.add(self.record(name).current)
            world.kill_pane(name)
        elif event == "reset":
            path = record_path(name, world.facts)
            last = self.record(name).last_start
            assert last is not None
            world.files[path].content += reset_line(last.life, world.now)
            world.kill_pane(name)
        self.settle()


@given(events=EVENTS, policy=st.sampled_from(POLICIES))
def test_a_healthy_conversation_lasts(events: list[tuple[str, str]], policy: OnResume) -> None:
    story = Story(policy)
    assert story.first["coder"] != story.first["coder0"]
    for event, name in events:
        assume(event != BACK or story.first[name] not in story.world.gone)
        before = {one: story.record(one).current for one in NAMES}
        story.happens(event, name)
        after = {one: story.record(one).current for one in NAMES}
        ends = event in ENDS and not (policy == "always" and event in ("stopped", "class"))
        for one in NAMES:
            assert after[one].startswith(f"{one}-"), "it has the conversation of another agent"
            if one == name and event == BACK:
                assert after[one] == story.first[one]
            elif one == name and ends:
                assert after[one] != before[one]
            else:
                assert after[one] == before[one], f"{event} has cost {one} its conversation"


@given(events=st.lists(st.sampled_from(KEEPS), max_size=5))
def test_with_the_policy_never_each_start_begins_a_new_one(events: list[str]) -> None:
    story = Story("never")
    for event in events:
        story.happens(event, "coder")
    starts = story.record("coder").starts
    assert len({one.session for one in starts}) == len(starts)
    assert {one.how for one in starts} == {"new"}
