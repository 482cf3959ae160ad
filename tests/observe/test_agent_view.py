"""What a heartbeat and a turn record are worth: credited by process, harmless when old, foreign or torn."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.base import Health, HeldReason, Verb
from providers.evidence import SessionEvidence
from providers.programs.base import Reading
from reconciler.model import AgentView, Inventory, Readiness
from reconciler.observe.agent_view import build_views
from reconciler.observe.attribution import AttributedHeartbeat
from reconciler.observe.idle_threshold import VARIABLE, with_idle_threshold
from reconciler.observe.live_state import LiveState, StateEvidence, live_state
from reconciler.observe.observer import observe
from specs.compiled import Fleet
from tests.laws.driver import MemoryStore, reconciler, registry_for
from tests.strategies import make_agent, make_fleet
from tests.world import World
from tests.world_model import File

FLEET = make_fleet(make_agent("coder"), make_agent("thinker", runtime="claude"))


def started() -> tuple[World, MemoryStore]:
    """Both agents run for ten minutes and are quiet; something answers for the one that has no heartbeat of its own."""
    world, store = World(), MemoryStore()
    reconciler(world, store).converge(FLEET)
    world.advance(600.0)
    answer_for(world, "thinker")
    return world, store


def answer_for(world: World, agent: str, *, status: str = "ok", age: float = 0.0, words: str = "") -> None:
    """As the responder does."""
    found = world.find(agent)
    assert found is not None
    world.heartbeat(agent, age=age, pid=found[1].pid, status=status)
    file = world.files[f"{world.facts.run_dir}/{agent}.hb"]
    file.content = file.content.rstrip("\n") + f" source=sidecar {words}".rstrip() + "\n"


def view(world: World, name: str = "thinker", fleet: Fleet = FLEET) -> AgentView:
    return build_views(fleet, observe(world, fleet, registry_for(Inventory())), Inventory(), detail=True)[name]


def test_a_quiet_agent_is_available_and_a_native_one_says_so_itself() -> None:
    world, _ = started()
    assert view(world).readiness is Readiness.AVAILABLE
    assert view(world).readiness_why == "no sign of activity for 600 s"
    assert view(world, "coder").readiness is Readiness.AVAILABLE


def test_what_a_hook_says_outweighs_what_stands_in_for_it() -> None:
    world, _ = started()
    world.turn("thinker", status="busy", age=500.0)
    seen = view(world)
    assert (seen.readiness, seen.available) == (Readiness.WORKING, False)  # a turn does not age
    assert seen.readiness_why == "hook (Stop) says busy"

    world.turn("thinker", age=2.0)
    answer_for(world, "thinker", status="busy")  # its pane had output a moment ago
    seen = view(world)
    assert (seen.readiness, seen.available) == (Readiness.AVAILABLE, True)  # its own word, after its last output
    assert seen.idle == pytest.approx(2.0, abs=0.01)


def test_output_after_a_turn_has_ended_takes_its_word_back() -> None:
    world, _ = started()
    found = world.find("thinker")
    assert found is not None
    world.turn("thinker", age=60.0)
    found[1].activity = world.now - 58.5  # the prompt is painted after the hook has run
    assert view(world).available is True
    found[1].activity = world.now - 30.0
    assert view(world).available is False


@pytest.mark.parametrize(
    ("words", "readiness", "available"),
    [
        ("waiting=permission", Readiness.WAITING, False),
        ("waiting=question", Readiness.WAITING, False),
        ("waiting=login", Readiness.WAITING, True),
        ("stuck=rate-limit", Readiness.STUCK, True),
    ],
)
def test_positive_evidence(words: str, readiness: Readiness, available: bool) -> None:
    world, _ = started()
    world.turn("thinker", words, age=400.0)
    seen = view(world)
    assert (seen.readiness, seen.available) == (readiness, available)
    assert words.partition("=")[2] in seen.readiness_why
    world.files.pop(f"{world.facts.run_dir}/thinker.turn")
    answer_for(world, "thinker", words=words)  # the responder carries it over
    assert view(world).readiness is readiness


@pytest.mark.parametrize(
    "line",
    [
        "ts=2023-11-14T22:13:21Z pid=1 status=busy waiting=permission\n",  # of another process
        "ts=1990-01-01T00:00:00Z pid={pid} status=busy\n",  # of an earlier life with the same pid
        "ts=2023-11-14T22:",  # torn
        "",
        "\x00\x01 foreign",
        "ts=2199-01-01T00:00:00Z pid={pid} status=busy\n",
        "pid={pid} status=busy\n",
        "x" * 9000,
    ],
)
def test_a_turn_record_of_something_else_is_harmless(line: str) -> None:
    world, _ = started()
    found = world.find("thinker")
    assert found is not None
    before = view(world)
    world.files[f"{world.facts.run_dir}/thinker.turn"] = File(line.format(pid=found[1].pid), 0o600)
    after = view(world)
    assert (after.readiness, after.available, after.health) == (before.readiness, before.available, before.health)


def test_a_turn_record_alone_is_no_heartbeat() -> None:
    world, _ = started()
    world.files.pop(f"{world.facts.run_dir}/thinker.hb")
    world.turn("thinker")
    seen = view(world)
    assert (seen.readiness, seen.readiness_why) == (Readiness.UNKNOWN, "no heartbeat file")
    assert ("turn", "status", "ok") in {one[:3] for one in seen.evidence}


def test_a_sidecar_speaks_for_the_process_in_the_pane_and_for_no_other() -> None:
    world, _ = started()
    world.heartbeat("thinker", pid=1)
    world.files[f"{world.facts.run_dir}/thinker.hb"].content = (
        world.files[f"{world.facts.run_dir}/thinker.hb"].content.rstrip("\n") + " source=sidecar\n"
    )
    assert view(world).readiness_why == "written by pid 1, which is not in the pane"


def test_nobody_is_restarted_because_the_one_who_answers_for_it_has_stopped() -> None:
    world, store = started()
    answer_for(world, "thinker", age=300.0)
    seen = view(world)
    assert (seen.readiness, seen.health) == (Readiness.STALE, Health.HEALTHY)
    plan = reconciler(world, store).converge(FLEET).last.plan
    assert (plan.actions, plan.held) == ((), ())


def test_a_stale_heartbeat_of_a_program_that_does_not_beat_itself_is_told_and_heals_nothing() -> None:
    world, store = started()
    found = world.find("thinker")
    assert found is not None
    world.heartbeat("thinker", age=300.0, pid=found[1].pid)
    plan = reconciler(world, store).converge(FLEET).last.plan
    (held,) = plan.held
    assert (held.agent, held.verb, held.reason) == ("thinker", Verb.RESTART, HeldReason.UNKNOWN)
    assert plan.views["thinker"].why == "last heartbeat 300 s ago, not native"


def test_dead_and_unseen() -> None:
    world, _ = started()
    world.kill_pane("coder", status=3)
    world.kill_session("thinker")
    assert view(world, "coder").readiness_why == "its program has ended with status 3"
    assert view(world).readiness_why == "it has no session"
    assert {view(world, "coder").readiness, view(world).readiness} == {Readiness.DEAD}
    world.blind.add("tmux")
    assert view(world).readiness is Readiness.UNKNOWN


def test_heartbeats_that_cannot_be_seen_make_no_one_stale() -> None:
    world, _ = started()
    world.blind.add("heartbeats")
    assert {view(world).readiness, view(world, "coder").readiness} == {Readiness.UNKNOWN}


def test_every_sighting_has_a_source_and_a_time() -> None:
    world, _ = started()
    world.turn("thinker", "waiting=question", age=30.0)
    seen = {(one.source, one.what): one for one in view(world).evidence}
    assert seen["turn", "waiting"].value == "question"
    assert seen["turn", "waiting"].at == pytest.approx(world.now - 30.0, abs=0.01)
    assert seen["heartbeat", "writer"].value == "sidecar"
    assert seen["systemd", "active"].at == world.now
    sources = {"git", "systemd", "tmux", "screen", "proc", "cgroup", "heartbeat", "turn"}
    assert {one.source for one in seen.values()} == sources


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90.0), ("90s", 90.0), ("2m", 120.0), ("0.5", 0.5), (" 60 ", 60.0), ("", 300.0)]
)
def test_the_environment_has_its_own_threshold(text: str, seconds: float) -> None:
    fleet, unread = with_idle_threshold(FLEET, {VARIABLE: text})
    assert (fleet.heartbeats.idle_after, unread) == (seconds, "")


@pytest.mark.parametrize("text", ["soon", "-5", "0", "nan", "1e400"])
def test_a_threshold_that_is_none_leaves_the_fleet_s(text: str) -> None:
    fleet, unread = with_idle_threshold(FLEET, {VARIABLE: text})
    assert fleet == FLEET
    assert VARIABLE in unread


def test_the_threshold_decides() -> None:
    world, _ = started()
    beats = replace(FLEET.heartbeats, idle_after=601.0)
    assert view(world, fleet=replace(FLEET, heartbeats=beats)).readiness is Readiness.WORKING


def test_a_screen_after_a_login_outweighs_a_report_of_a_logout() -> None:
    """A login reports nothing, so the report of the logout stays the newest one."""
    said = AttributedHeartbeat(
        "ok", 1.0, 99.0, "", stale_after=45.0, stuck="authentication_failed", event="StopFailure"
    )
    none = AttributedHeartbeat("unknown", None, 0.0, "there is none")

    def state(reading: Reading) -> LiveState:
        seen = SessionEvidence(screen=reading, pids=(7,))
        return live_state(
            StateEvidence(session="alive", seen=seen, heartbeat=said, turn=none, now=100.0, life="7.1", idle=600.0)
        )

    asking = state(Reading(composer="empty", turn="idle"))
    assert (asking.readiness, asking.stuck) == (Readiness.STUCK, "logged-out")
    done = state(Reading(composer="empty", turn="idle", without=("logged-out",)))
    assert (done.readiness, done.stuck) == (Readiness.AVAILABLE, "")
    assert done.trouble is not None
    assert done.trouble.over == 100.0
