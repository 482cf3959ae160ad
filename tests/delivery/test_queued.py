"""A message in the queue of a program that loses it: done, or delivered to the next life once; never twice."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.launch.conversations import record_path
from reconciler.delivery import send as sending
from reconciler.delivery.outbox import KEEP_S, Outbox
from reconciler.delivery.queued import taken_up
from reconciler.delivery.verdict import Delivery
from reconciler.model import Readiness
from reconciler.run.outbox_round import OutboxRound, run_round
from reconciler.state.event_log import read_events
from reconciler.state.store import Store
from tests import builders as make
from tests.launch.bench import make_agent, make_fleet
from tests.world import FACTS

NOW = make.NOW
WHOLE = "[build-1:ada -> private-host:coder0] and then the docs"
QUEUED = Delivery(word="delivered", evidence="hook", queued=True)


def claude(text: str, at: float = NOW + 1, **entry: Any) -> str:
    stamp = f"2025-11-20T{3 + int(at - NOW) // 3600:02}:16:{int(at - NOW) % 60:02}.5Z"
    return (
        json.dumps({"type": "user", "timestamp": stamp, "message": {"role": "user", "content": text}, **entry}) + "\n"
    )


class Life:
    """An agent whose program loses its queue, over several processes; the rounds that look after it."""

    def __init__(self, home: Path, runtime: str = "claude") -> None:
        self.store = Store(home / "state", home / "run")
        self.facts = replace(FACTS, mosaic_home=str(home / "mosaic"))
        self.fleet = make_fleet(make_agent("coder0", runtime=runtime))
        self.kept = home / "one.jsonl"
        self.pid, self.now, self.looked_at = 7, NOW, NOW
        self.readiness = Readiness.WORKING
        self.session = "alive"
        self.given: list[str] = []
        self.answer = QUEUED
        self.begins(7, "new")

    def begins(self, pid: int, how: str, session: str = "s1", file: Path | None = None) -> None:
        self.pid = pid
        path = Path(record_path("coder0", self.facts))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as record:
            words = f"life={pid}.5\tprogram=claude\tdir=/\thow={how}\tid={session}\tfile={file or self.kept}"
            record.write(f"\nstart\tat={NOW:.0f}\t{words}\n")

    def send(self, _fleet: object, agent: object, text: str, **options: Any) -> Delivery:
        del agent
        options["before_paste"]()
        self.given.append(text)
        return self.answer

    def round(self) -> bool:
        self.looked_at += 10
        free = self.readiness is Readiness.AVAILABLE
        seen = make.view("coder0", pid=self.pid, session=self.session)
        view = replace(seen, readiness=self.readiness, available=free)
        return run_round(
            OutboxRound(
                fleet=self.fleet, views={"coder0": view}, facts=self.facts, store=self.store, suspended={},
                source="reconcile", paused=lambda: None, over=lambda: False, wall=lambda: self.now,
                monotonic=lambda: 0.0, send=self.send, lives={"coder0": f"boot:{self.pid}"}, looked_at=self.looked_at,
            )
        )  # fmt: skip

    @property
    def states(self) -> list[str]:
        return [one.state for one in Outbox(self.store).messages()]


@pytest.fixture
def life(tmp_path: Path) -> Life:
    """A message has just been put into the queue of the program, from the outbox."""
    made = Life(tmp_path)
    Outbox(made.store).put(agent="coder0", sender="build-1:ada", text="and then the docs", now=NOW, revision=make.SHA)
    made.readiness = Readiness.AVAILABLE
    made.round()
    made.readiness = Readiness.WORKING
    assert (made.given, made.states) == (["and then the docs"], ["queued"])
    made.answer = Delivery(word="delivered", evidence="hook")
    return made


def test_it_is_done_once_its_program_is_free_again(life: Life) -> None:
    life.round()
    assert life.states == ["queued"]
    life.readiness = Readiness.AVAILABLE
    life.round()
    assert (life.states, life.given) == ([], ["and then the docs"])


def test_a_look_from_before_says_nothing(life: Life) -> None:
    life.readiness, life.looked_at = Readiness.AVAILABLE, NOW - 20
    life.round()
    assert life.states == ["queued"]


@pytest.mark.parametrize("lost", ["", claude("something else"), claude(WHOLE, type="queue-operation", message=None)])
def test_one_that_was_lost_is_delivered_to_the_next_life_once(life: Life, lost: str) -> None:
    if lost:
        life.kept.write_text(lost)
    life.begins(8, "resumed")
    assert life.round()
    assert life.states == ["waiting"]
    (told,) = [one for one in read_events(life.store) if one["type"] == "message"]
    assert told["result"] == "not-delivered"
    life.readiness = Readiness.AVAILABLE
    for _ in range(3):
        life.round()
    assert (life.states, life.given) == ([], ["and then the docs"] * 2)


@pytest.mark.parametrize(
    "turn",
    [
        claude(WHOLE),
        claude(f"first\n\n{WHOLE}"),
        claude("", message={"role": "user", "content": [{"type": "text", "text": WHOLE}]}),
        claude("", message=None, attachment={"type": "queued_command", "prompt": WHOLE}),
    ],
)
def test_one_that_its_conversation_has_is_never_sent_again(life: Life, turn: str) -> None:
    life.kept.write_text(claude("earlier") + turn + '{"torn')
    life.begins(8, "resumed")
    life.readiness = Readiness.AVAILABLE
    life.round()
    assert (life.states, life.given) == ([], ["and then the docs"])


def test_the_same_text_in_an_older_turn_does_not_count() -> None:
    assert taken_up(claude(WHOLE).encode(), WHOLE, NOW)
    assert not taken_up(claude(WHOLE).encode(), WHOLE, NOW + 60)
    assert not taken_up(b'{"message": {"role": "assistant", "content": "%s"}}' % WHOLE.encode(), WHOLE, NOW)


def test_one_of_which_nobody_knows_is_kept_for_a_person(life: Life) -> None:
    life.kept.mkdir()
    life.begins(8, "resumed")
    life.readiness = Readiness.AVAILABLE
    life.round()
    assert (life.states, life.given) == (["unconfirmed"], ["and then the docs"])


@pytest.mark.parametrize("session", ["missing", "dead", "unknown", "foreign"])
def test_while_nobody_lives_nothing_is_decided(life: Life, session: str) -> None:
    life.begins(8, "resumed")
    life.session = session
    life.round()
    assert life.states == ["queued"]


def test_it_is_not_kept_for_ever(life: Life) -> None:
    life.now = NOW + KEEP_S
    life.round()
    assert life.states == []


def test_a_program_that_keeps_its_queue_needs_none_of_this(tmp_path: Path) -> None:
    other = Life(tmp_path, runtime="codex")
    Outbox(other.store).put(agent="coder0", sender="build-1:ada", text="x", now=NOW)
    other.readiness = Readiness.AVAILABLE
    other.round()
    assert (other.given, other.states) == (["x"], [])


def test_one_that_was_sent_at_once_is_kept_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Life(tmp_path)
    monkeypatch.setattr(sending, "deliver", lambda *_args, **_options: replace(QUEUED, pid=7))
    agent = made.fleet.agents[0]
    sending.send(made.fleet, agent, "at once", facts=made.facts, store=made.store, sender="build-1:ada")
    (kept,) = Outbox(made.store).messages()
    assert (kept.state, kept.text, kept.queued_in) == ("queued", "at once", sending.process_name(7))


@pytest.mark.parametrize(
    ("found", "runtime", "kept"),
    [
        (Delivery(word="sent", queued=True), "claude", True),
        (Delivery(word="sent", in_turn=True), "claude", True),
        (Delivery(word="sent", in_turn=True), "codex", False),
        (Delivery(word="sent"), "claude", False),
        (Delivery(word="delivered", evidence="hook", in_turn=True), "claude", False),
        (Delivery(word="unconfirmed", reason="a dialog", in_turn=True), "claude", False),
    ],
)
def test_one_that_was_only_sent_is_kept_while_it_may_be_queued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Delivery, runtime: str, kept: bool
) -> None:
    made = Life(tmp_path, runtime=runtime)
    before = len(Outbox(made.store).messages())
    monkeypatch.setattr(sending, "deliver", lambda *_args, **_options: replace(found, pid=7))
    agent = made.fleet.agents[0]
    sending.send(made.fleet, agent, "x", facts=made.facts, store=made.store, sender="build-1:ada", verify=False)
    assert len(Outbox(made.store).messages()) - before == kept


class Killed(BaseException):
    pass


@pytest.mark.parametrize("point", range(1, 9))
def test_killed_at_any_write_it_is_never_there_twice(life: Life, point: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write of the store is a point: before it, and right after it."""
    life.begins(8, "resumed")
    life.readiness = Readiness.AVAILABLE
    real, writes = Store.write, 0

    def write(self: Store, path: Path, content: str | bytes) -> None:
        nonlocal writes
        writes += 1
        if 2 * writes - 1 == point:
            raise Killed
        real(self, path, content)
        if 2 * writes == point:
            raise Killed

    monkeypatch.setattr(Store, "write", write)
    with suppress(Killed):
        life.round()
        life.round()
    monkeypatch.undo()
    for _ in range(3):
        life.round()
    assert len(life.given) <= 2
    assert len(life.given) == 2 or life.states == ["unconfirmed"]
