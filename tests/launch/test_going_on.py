"""A start that goes on with a conversation, on a real host: after a kill, a restart, a refusal, a reset in the pane."""

from __future__ import annotations

import pytest

from providers.launch import conversations
from providers.launch.conversations import ConversationRecord, StartRequest
from providers.names import agent_unit
from tests.hosts.waiting import eventually
from tests.launch.bench import STUB, Bench, make_agent

REFUSES, ASKS = "--refuse-resume", "--ask-at-resume"


def record(bench: Bench, name: str) -> ConversationRecord:
    path = bench.host.path_outside(conversations.record_path(name, bench.facts))
    return conversations.parse(path.read_text() if path.exists() else "")


def say(bench: Bench, name: str, text: str) -> None:
    """Until the agent has answered and recorded that it has."""
    bench.type(name, text)
    bench.shows(name, f"stub {name}> {text}")


def begun(bench: Bench, name: str) -> tuple[str, str]:
    last = record(bench, name).last_start
    assert last is not None
    return last.how, last.reason


@pytest.fixture
def two(bench: Bench) -> Bench:
    """Two agents in one folder, each with a turn in its conversation."""
    bench.declare(make_agent("a"), make_agent("b"))
    for name in ("a", "b"):
        bench.start(name)
        bench.alive(name)
        say(bench, name, f"the first of {name}")
    return bench


def test_each_goes_on_with_its_own(two: Bench) -> None:
    first = {name: record(two, name).current for name in ("a", "b")}
    for name in ("b", "a"):
        two.kill(two.alive(name))
    for name in ("a", "b"):
        assert two.program("agent-start", name).returncode == 0
        two.shows(name, f"goes on after 1 turns, the last: the first of {name}")
        last, current = record(two, name).starts, record(two, name).current
        assert [one.how for one in last] == ["new", "resumed"]
        assert last[0].status is None
        assert last[0].signal in (9, None)  # tmux may see the end of the pane before the one of its process
        assert current == first[name]
    two.host.systemctl("restart", agent_unit("a"))
    two.shows("a", "goes on after 1 turns, the last: the first of a")
    assert begun(two, "a") == ("resumed", "")


def test_a_reset_in_the_pane_is_followed(two: Bench) -> None:
    two.type("a", "/new")
    two.shows("a", "begins a new conversation")
    say(two, "a", "the second of a")
    say(two, "a", "the third of a")
    two.kill(two.alive("a"))
    assert two.program("agent-start", "a").returncode == 0
    two.shows("a", "goes on after 2 turns, the last: the third of a")
    assert [one.said for one in record(two, "a").conversations] == [True, True]


@pytest.mark.parametrize("way", ["start", "restart"])
def test_a_refusal_is_followed_by_one_new_conversation(bench: Bench, way: str) -> None:
    """The dead pane says how it ended, to the start that takes it and to the stop that ends it."""
    own = make_agent("a")
    bench.declare(make_agent("a", argv=(*own.argv, REFUSES)))
    bench.start("a")
    say(bench, "a", "the first")
    first = record(bench, "a").current
    bench.kill(bench.alive("a"))
    assert bench.program("agent-start", "a").returncode == 0
    bench.dead("a", "1")
    if way == "start":
        assert bench.program("agent-start", "a").returncode == 0
    else:
        bench.host.systemctl("restart", agent_unit("a"))
    bench.alive("a")
    bench.shows("a", "stub a is ready")
    assert begun(bench, "a") == ("fresh", "refused")
    assert record(bench, "a").current != first
    assert first in [one.session for one in record(bench, "a").conversations]


def test_one_that_waits_at_a_question_begins_again_by_a_request(bench: Bench) -> None:
    own = make_agent("a")
    bench.declare(make_agent("a", argv=(*own.argv, ASKS)))
    bench.start("a")
    say(bench, "a", "the first")
    bench.kill(bench.alive("a"))
    assert bench.program("agent-start", "a").returncode == 0
    bench.shows("a", "go on here? [y/N]")
    last = record(bench, "a").last_start
    assert last is not None
    request = StartRequest(nonce="asks-1", reason="asks", life=last.life)
    bench.host.systemctl("stop", agent_unit("a"))
    bench.write(conversations.once_path("a", bench.facts), request.render() + "\n", 0o600)
    bench.host.systemctl("start", agent_unit("a"))
    bench.shows("a", "stub a is ready")
    assert begun(bench, "a") == ("fresh", "asks")


def test_a_request_about_a_life_that_has_gone_on_all_the_same_asks_for_nothing(two: Bench) -> None:
    """The restart that it was written for was cut off, and the life it names has been followed by another."""
    first = record(two, "a").last_start
    assert first is not None
    two.kill(two.alive("a"))
    assert two.program("agent-start", "a").returncode == 0
    two.alive("a")
    request = StartRequest(nonce="late-1", reason="locked", life=first.life)
    two.write(conversations.once_path("a", two.facts), request.render() + "\n", 0o600)
    for _ in range(2):
        two.kill(two.alive("a"))
        assert two.program("agent-start", "a").returncode == 0
        two.shows("a", "goes on after 1 turns, the last: the first of a")
    assert begun(two, "a") == ("resumed", "")


def test_a_request_holds_once_wherever_a_start_is_killed(two: Bench) -> None:
    """The pane is killed a little later each time, until its start has been seen to begin a new conversation."""
    fresh = 0
    for nonce in range(3):
        two.write(conversations.once_path("a", two.facts), f"n{nonce} fresh\n", 0o600)
        two.host.systemctl("stop", agent_unit("a"))
        assert two.program("agent-start", "a").returncode == 0
        pid = int(two.panes()[0]["pane_pid"]) if two.panes()[0]["session_name"] == "a" else 0
        before = len(record(two, "a").starts)
        if pid and nonce:
            two.kill(pid)
            assert two.program("agent-start", "a").returncode == 0
        two.alive("a")
        two.shows("a", "stub a is ready")
        requested = [one for one in record(two, "a").starts if one.reason == "requested"]
        assert len(requested) == nonce + 1
        assert len(record(two, "a").starts) >= before
        fresh = len(requested)
        say(two, "a", f"after {nonce}")
    assert fresh == 3
    two.kill(two.alive("a"))
    assert two.program("agent-start", "a").returncode == 0
    two.shows("a", "goes on after 1 turns, the last: after 2")


def test_what_an_agent_starts_itself_records_nothing(two: Bench) -> None:
    before = record(two, "a")
    two.host.run(
        ["sh", "-c", f"tr '\\0' '\\n' </proc/{two.alive('a')}/environ >env; env -i $(grep ^MOSAIC env) "
         f"python3 -I -S {STUB} </dev/null"], check=False,
    )  # fmt: skip
    eventually(lambda: record(two, "a") == before, what="the same record")
