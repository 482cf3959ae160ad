"""The outbox and its postman: once, in order, never twice, whatever ends a run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.machine.facts import gather
from reconciler.delivery.message import Message, next_id
from reconciler.delivery.outbox import KEEP_S, MAX_OF_AGENT, Outbox, would_end
from reconciler.delivery.verdict import Delivery, DeliveryState
from reconciler.errors import MosaicError, NotFound, Refused
from reconciler.model import AgentView, Readiness
from reconciler.run.outbox_round import OutboxRound, forecast, run_round
from reconciler.state.event_log import read_events
from reconciler.state.store import Store
from specs.compiled import Agent, Fleet, Peer, Suspension
from tests import builders as make
from tests.launch.bench import make_agent, make_fleet

NOW = 1_763_608_560.0
FLEET = make_fleet(make_agent("coder0", kickstart="Hello."), make_agent("coder1"))


class Killed(BaseException):
    """The process ends here."""


class Agents:
    """Stands in for the delivery: what each agent was given, and what to answer."""

    def __init__(self) -> None:
        self.given: list[tuple[str, str]] = []
        self.answer = Delivery(word="delivered", evidence="pane")
        self.step: Callable[[str], None] = lambda _: None

    def send(self, fleet: Fleet, agent: Agent, text: str, **options: Any) -> Delivery:
        del fleet
        self.step("look")
        if self.answer.word == "not-delivered":
            return self.answer
        options["before_paste"]()
        self.step("marked")
        self.given.append((agent.name, text))
        self.step("given")
        return self.answer


class Post:
    """A store, its outbox, and rounds."""

    def __init__(self, home: Path) -> None:
        self.store = Store(home / "state", home / "run")
        self.outbox = Outbox(self.store)
        self.agents = Agents()
        self.now = NOW
        self.paused: str | None = None
        self.suspended: dict[str, Suspension] = {}
        self.views: dict[str, AgentView] = {name: view(name) for name in ("coder0", "coder1")}
        self.fleet = FLEET
        self.others: frozenset[str] | None = frozenset()
        self.said: list[str] = []

    def put(self, text: str, agent: str = "coder0", **options: Any) -> Message:
        return self.outbox.put(agent=agent, sender="build-1:operator", text=text, now=self.now, **options)

    def round(self) -> bool:
        return run_round(
            OutboxRound(
                fleet=self.fleet,
                views=self.views,
                facts=gather({}),
                store=self.store,
                suspended=self.suspended,
                source="reconcile",
                paused=lambda: self.paused,
                over=lambda: False,
                wall=lambda: self.now,
                monotonic=lambda: 0.0,
                send=self.agents.send,
                ended=lambda names, _since: None if self.others is None else names & self.others,
                said=self.said,
            )
        )

    def states(self) -> list[tuple[str, str]]:
        return [(one.text, one.state) for one in self.outbox.messages()]

    def told(self) -> list[Mapping[str, Any]]:
        return [one for one in read_events(self.store) if one["type"] == "message"]


def view(name: str, **changes: Any) -> AgentView:
    values: dict[str, Any] = {"available": True, "readiness": Readiness.AVAILABLE, **changes}
    return replace(make.view(name), **values)


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


@pytest.mark.parametrize("state", ["waiting", "unconfirmed", "put-away", None])
def test_one_that_was_cancelled_never_comes_back(post: Post, state: DeliveryState | None) -> None:
    seen = post.put("one")
    post.outbox.cancel(seen.id, NOW)
    post.outbox.end(seen, NOW, state=state, reason="an older look")
    assert post.states() == []


def test_one_that_is_cancelled_while_it_is_refused_never_comes_back(post: Post) -> None:
    seen = post.put("one")
    post.agents.answer = Delivery(word="not-delivered", reason="a draft")

    def cancel(_: str) -> None:
        post.outbox.cancel(seen.id, NOW)

    post.agents.step = cancel
    post.round()
    assert post.states() == []


def test_one_in_a_round_and_in_order(post: Post) -> None:
    for text in ("one", "two"):
        post.put(text)
    post.put("other", agent="coder1")
    assert post.round()
    assert post.agents.given == [("coder0", "one"), ("coder1", "other")]
    assert not post.round()
    assert post.agents.given[2:] == [("coder0", "two")]
    assert not (post.store.state / "outbox").exists()
    assert not post.round()
    assert len(post.agents.given) == 3


def test_the_folder_is_private_and_so_are_its_files(post: Post) -> None:
    message = post.put("words")
    folder = post.store.state / "outbox"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / f"{message.id}.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "changes",
    [
        {"available": False, "readiness": Readiness.WORKING},
        {"available": None, "readiness": Readiness.UNKNOWN},
        {"available": True, "readiness": Readiness.WAITING},
        {"available": True, "readiness": Readiness.STUCK},
        {"available": True, "session": "dead"},
        {"available": True, "session": "missing"},
        {"available": True, "session": "foreign"},
    ],
)
def test_it_waits_for_an_agent_that_is_not_free(post: Post, changes: dict[str, Any]) -> None:
    post.put("one")
    post.views["coder0"] = view("coder0", **changes)
    assert post.round() is (changes.get("session", "alive") == "alive")
    assert post.agents.given == []
    post.views["coder0"] = view("coder0")
    post.round()
    assert post.agents.given == [("coder0", "one")]


def test_hands_off(post: Post) -> None:
    post.put("one")
    post.paused = "a storm"
    post.round()
    post.paused = None
    for name in ("coder0", "*"):
        post.suspended = {name: Suspension(reason="r", by="b", until=None)}
        post.round()
    post.suspended = {"coder1": Suspension(reason="r", by="b", until=None)}
    assert post.agents.given == []
    post.round()
    assert post.agents.given == [("coder0", "one")]


def test_what_was_refused_waits_and_says_why(post: Post) -> None:
    post.put("one")
    post.put("two")
    post.agents.answer = Delivery(word="not-delivered", reason="its pane is in copy mode")
    assert post.round()
    assert post.round()
    first, second = post.outbox.messages()
    assert (first.reason, first.tries, first.state) == ("its pane is in copy mode", 2, "waiting")
    assert (second.reason, second.tries) == ("", 0)
    post.agents.answer = Delivery(word="delivered", evidence="hook")
    post.round()
    assert post.agents.given == [("coder0", "one")]


def test_what_is_unconfirmed_is_kept_and_never_sent_again(post: Post) -> None:
    post.put("one")
    post.put("two")
    post.agents.answer = Delivery(word="unconfirmed", reason="it stands unsent in its composer")
    post.round()
    post.agents.answer = Delivery(word="delivered", evidence="hook")
    for _ in range(3):
        post.round()
    assert post.agents.given == [("coder0", "one"), ("coder0", "two")]
    assert post.states() == [("one", "unconfirmed")]
    assert post.outbox.messages()[0].reason == "it stands unsent in its composer"
    post.now += KEEP_S + 1
    post.round()
    assert post.states() == []


@pytest.mark.parametrize("at", ["look", "marked", "given"])
def test_killed_while_it_is_sent(post: Post, at: str) -> None:
    post.put("one")
    post.agents.step = lambda step: kill(step == at)
    with pytest.raises(Killed):
        post.round()
    post.agents.step = lambda _: None
    for _ in range(3):
        post.round()
    assert post.agents.given.count(("coder0", "one")) == (0 if at == "marked" else 1)
    assert post.states() == ([] if at == "look" else [("one", "unconfirmed")])
    if at != "look":
        assert "nobody knows" in post.outbox.messages()[0].reason
        assert [one["result"] for one in post.told()] == ["unconfirmed"]


def kill(now: bool) -> None:
    if now:
        raise Killed


class Dying(Store):
    """Ends its process before or after the nth file that it writes."""

    left = 1_000

    def guard(self, path: Path) -> None:
        if path.parent.name == "outbox" and path.suffix == ".json":
            self.left -= 1
            kill(self.left <= 0)
        super().guard(path)


@pytest.mark.parametrize("answer", ["delivered", "unconfirmed", "not-delivered"])
@pytest.mark.parametrize("after", range(1, 8))
def test_killed_at_every_write(tmp_path: Path, after: int, answer: Any) -> None:
    post = Post(tmp_path)
    dying = Dying(post.store.state, post.store.runtime)
    texts = ["one", "two"]
    for text in texts:
        post.put(text)
    post.agents.answer = Delivery(word=answer)
    kept, post.store = post.store, dying
    dying.left = after
    try:
        for _ in range(3):
            post.round()
    except Killed:
        pass
    post.store = kept
    post.agents.answer = Delivery(word="delivered")
    for _ in range(4):
        post.round()
    given = [text for _, text in post.agents.given]
    assert len(given) == len(set(given))
    accounted = {*given, *(text for text, state in post.states() if state == "unconfirmed")}
    assert accounted == set(texts)
    assert given == sorted(given)


def without(*names: str, fleet: Fleet = FLEET, **changes: Any) -> Fleet:
    return replace(fleet, agents=tuple(one for one in fleet.agents if one.name not in names), **changes)


def test_what_waits_for_one_that_is_removed_is_put_away(post: Post) -> None:
    for text in ("one", "two"):
        post.put(text)
    post.put("other", agent="coder1")
    post.outbox.put_kickstart(agent="coder0", sender="build-1:mosaic", kickstart="Hello.", now=post.now)
    post.outbox.put_mission(agent="coder0", sender="build-1:mosaic", mission="m", text="It changed.", now=post.now)
    post.fleet = without("coder0")
    post.round()
    assert post.agents.given == [("coder1", "other")]
    assert post.states() == [("one", "put-away"), ("two", "put-away")]
    assert {one.reason for one in post.outbox.messages()} == {
        "coder0 was removed from the fleet before it could be delivered"
    }
    assert [(one["agent"], one["result"]) for one in post.told()] == [("coder0", "not-delivered")] * 2
    assert "put away: coder0 was removed" in post.told()[0]["message"]
    assert post.said == [
        "2 messages for coder0 were put away: they were written to an earlier agent of that name; to read: "
        "mosaic agent outbox coder0"
    ]
    post.fleet = FLEET  # another coder0
    for _ in range(3):
        post.round()
    assert post.agents.given == [("coder1", "other")]
    assert len(post.told()) == 2
    assert len(post.said) == 1
    post.now += KEEP_S + 1
    post.round()
    assert post.states() == []


def test_a_tombstone_is_a_removal(post: Post) -> None:
    post.put("one")
    post.fleet = replace(FLEET, agents=tuple(replace(one, state="absent") for one in FLEET.agents))
    post.round()
    assert post.states() == [("one", "put-away")]


def test_one_that_was_added_again_gets_nothing_of_the_one_before(post: Post) -> None:
    post.put("one", revision="a" * 40)
    post.put("new", revision=FLEET.revision)
    post.put("other", agent="coder1", revision="a" * 40)
    post.others = frozenset({"coder0"})
    post.round()
    assert post.agents.given == [("coder0", "new"), ("coder1", "other")]
    assert post.states() == [("one", "put-away")]
    assert "another agent has that name now" in post.outbox.messages()[0].reason


def test_nothing_is_sent_where_nobody_can_tell(post: Post) -> None:
    post.put("one", revision="a" * 40)
    post.others = None
    post.round()
    assert post.agents.given == []
    assert post.states() == [("one", "put-away")]
    assert "the history since commit aaaaaaaaaaaa is not here" in post.outbox.messages()[0].reason


@pytest.mark.parametrize("changes", [{"runtime": "claude"}, {"agent_class": "painter"}, {"state": "stopped"}, {}])
def test_a_life_goes_on_whatever_else_changes(post: Post, changes: dict[str, Any]) -> None:
    post.put("one", revision="a" * 40)
    post.views["coder0"] = view("coder0", session="dead")
    post.fleet = replace(FLEET, agents=tuple(replace(one, **changes) for one in FLEET.agents))
    post.round()
    assert post.states() == [("one", "waiting")]
    assert post.outbox.messages()[0].revision == FLEET.revision  # it need not be looked up again
    post.others = frozenset({"coder0"})
    post.views["coder0"] = view("coder0")
    post.round()
    assert post.agents.given == [("coder0", "one")]


def test_one_that_moved_to_another_host_keeps_its_messages(post: Post) -> None:
    post.put("one", revision="a" * 40)
    peer = Peer(name="coder0", agent_class="coder", runtime="stub", state="running", host="far")
    post.fleet = without("coder0", peers=(peer,))
    for _ in range(2):
        post.round()
    (kept,) = post.outbox.messages()
    assert (kept.state, kept.tries) == ("waiting", 0)
    assert "coder0 is on host far now" in kept.reason
    post.fleet = FLEET
    post.round()
    assert post.agents.given == [("coder0", "one")]


def test_what_was_typed_and_not_confirmed_stays_so_when_its_agent_is_removed(post: Post) -> None:
    post.put("one")
    post.agents.step = lambda step: kill(step == "given")
    with pytest.raises(Killed):
        post.round()
    post.fleet = without("coder0")
    post.round()
    assert post.states() == [("one", "unconfirmed")]
    post.outbox.cancel(post.outbox.messages()[0].id, post.now)


def test_a_preview_says_what_would_be_put_away(post: Post) -> None:
    post.put("one")
    assert forecast(FLEET, post.store) == ()
    assert forecast(without("coder0"), post.store) == ("1 message for coder0 would be put away",)
    assert would_end(post.store, ["coder0", "coder1"]) == {"coder0": 1}


def test_it_expires(post: Post) -> None:
    post.put("one", expires=NOW + 60)
    post.views["coder0"] = view("coder0", available=False, readiness=Readiness.WORKING)
    post.round()
    assert len(post.states()) == 1
    post.now += 60
    assert not post.round()
    assert post.states() == []
    assert [(one["result"], one["id"] is not None) for one in post.told()] == [("not-delivered", True)]


def test_it_is_bounded(post: Post) -> None:
    for number in range(MAX_OF_AGENT):
        post.put(f"{number}")
    with pytest.raises(Refused, match="100 messages for coder0"):
        post.put("one more")
    post.put("another agent's", agent="coder1")
    assert [one.text for one in post.outbox.messages()][:3] == ["0", "1", "2"]  # all of the same millisecond


def test_a_message_is_cancelled_by_its_id(post: Post) -> None:
    one, two = post.put("one"), post.put("two")
    with pytest.raises(NotFound, match="several"):
        post.outbox.cancel(one.id[:3], NOW)
    with pytest.raises(NotFound, match="no message"):
        post.outbox.cancel("nothing", NOW)
    assert post.outbox.cancel(one.id, NOW) == one
    assert post.outbox.cancel(two.id[:-2], NOW).text == "two"
    assert post.states() == []


def test_one_that_was_taken_back_at_the_last_moment_is_not_sent(post: Post) -> None:
    message = post.put("one")
    post.agents.step = lambda step: void(post.outbox.cancel(message.id, NOW)) if step == "look" else None
    post.round()
    assert post.agents.given == []
    assert post.states() == []


def test_what_is_being_sent_is_not_cancelled(post: Post) -> None:
    message = post.put("one")

    def look(step: str) -> None:
        if step == "marked":
            with pytest.raises(Refused, match="being sent"):
                post.outbox.cancel(message.id, NOW)

    post.agents.step = look
    post.round()
    assert post.agents.given == [("coder0", "one")]


def void(_: object) -> None:
    """Nothing."""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"id": 5}', b"\xff", b'{"id": "x", "agent": "coder0"}'])
def test_a_damaged_message_is_shown_and_never_sent(post: Post, content: bytes) -> None:
    message = post.put("one")
    path = post.store.state / "outbox" / f"{message.id}.json"
    path.write_bytes(content)
    post.put("two")
    post.round()
    assert post.agents.given == [("coder0", "two")]
    assert [one.state for one in post.outbox.messages()] == ["damaged"]
    post.outbox.cancel(message.id, NOW)
    assert not post.outbox.messages()


def test_a_foreign_time_or_state_is_damage(post: Post) -> None:
    message = post.put("one")
    path = post.store.state / "outbox" / f"{message.id}.json"
    good = json.loads(path.read_text())
    changes: list[dict[str, object]] = [
        {"created": "x"}, {"created": 10**400}, {"expires": float("nan")}, {"tries": float("inf")}, {"tries": None},
        {"state": "sent"}, {"state": []}, {"text": 5}, {"more": 1}, {"agent": ["coder0"]}, {"sender": "a -> b] "},
        {"text": "end of a paste \x1b[201~"}, {"text": "one\r"}, {"text": " "}, {"text": "\ud800"},
    ]  # fmt: skip
    for change in changes:
        path.write_text(json.dumps({**good, **change}))
        assert [one.state for one in post.outbox.messages()] == ["damaged"], change
    post.round()
    assert post.agents.given == []


def test_the_first_words_go_first_and_only_the_newest(post: Post) -> None:
    post.put("one")
    for _ in range(2):
        post.outbox.put_kickstart(agent="coder0", sender="build-1:mosaic", kickstart="Hello.", now=NOW)
    post.round()
    post.round()
    assert post.agents.given == [("coder0", "Hello."), ("coder0", "one")]
    assert post.states() == []


def test_first_words_that_are_not_declared_any_more_are_dropped(post: Post) -> None:
    post.outbox.put_kickstart(agent="coder1", sender="build-1:mosaic", kickstart="Hello.", now=NOW)
    post.round()
    assert post.agents.given == []
    assert post.states() == []


def test_first_words_that_cannot_be_read_wait(post: Post, tmp_path: Path) -> None:
    words = tmp_path / "hello.md"
    agent = make_agent("coder0", kickstart=str(words))
    post.fleet = make_fleet(agent)
    post.outbox.put_kickstart(agent="coder0", sender="build-1:mosaic", kickstart=str(words), now=NOW)
    post.round()
    assert "is not there" in post.outbox.messages()[0].reason
    words.write_text("Read the plan.\n")
    post.round()
    assert post.agents.given == [("coder0", "Read the plan.")]


def test_an_error_of_ours_before_the_paste_changes_nothing(post: Post) -> None:
    post.put("one")

    def broken(step: str) -> None:
        raise MosaicError(f"no place for the lock at {step}")

    post.agents.step = broken
    post.round()
    post.agents.step = lambda _: None
    post.round()
    assert post.agents.given == [("coder0", "one")]


def test_ids_only_grow() -> None:
    known: tuple[Message, ...] = ()
    for moment in (NOW, NOW, NOW - 100.0, NOW + 0.001, 0.0):
        name = next_id(moment, known, "ffff" if len(known) % 2 else "0000")
        known = (*known, Message(id=name, agent="a", sender="s", created=moment))
    assert [one.id for one in known] == sorted(one.id for one in known)


def test_the_names_of_foreign_files_count_for_nothing() -> None:
    odd = ("z", "zz-zz", "ZZZZZZZZ-1", "\u00b2" * 8, "zzzzzzzzz", "", "-")
    known = tuple(Message(id=name, agent="", sender="", created=0.0, state="damaged") for name in odd)
    assert next_id(NOW, known, "0000") == next_id(NOW, (), "0000")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync is what these tests would spend their time with."""
    monkeypatch.setattr("os.fsync", lambda _: None)
