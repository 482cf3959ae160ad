"""Lives that go on with a conversation: what people, the log and the agent itself are told, each once."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from providers.host import Host
from providers.launch.conversations import record_path
from providers.steps import StepResult
from reconciler.delivery.message import Message
from reconciler.delivery.outbox import Outbox
from reconciler.run import lives_round
from reconciler.state.event_log import read_events
from reconciler.state.store import Store
from reconciler.status.lives import FRESH_SHOWN_S, RECORD_S, SHOWN_S, Life, lives_from_json, lives_to_json
from tests import builders as make
from tests.launch.bench import make_agent, make_fleet
from tests.world import FACTS

NOW = make.NOW
AGENT = make_agent("coder0", kickstart="Hello.", resume_nudge="go on")
OLD, NEW = "a" * 12, "b" * 12


class Bench:
    """A host on which one agent lives, dies and comes back."""

    def __init__(self, home: Path) -> None:
        self.store = Store(home / "state", home / "run")
        self.facts = replace(FACTS, mosaic_home=str(home / "mosaic"))
        self.fleet = make_fleet(AGENT)
        self.now = NOW
        Path(record_path("coder0", self.facts)).parent.mkdir(parents=True)

    def begins(self, pid: int, how: str, reason: str = "", *, turn: str = "", mission: str = "") -> None:
        """The line that a start writes."""
        words = (
            f"life={pid}.77\tprogram=claude\tdir=/\thow={how}\treason={reason}\tid=s1\tturn={turn}\tmission={mission}"
        )
        with Path(record_path("coder0", self.facts)).open("a") as record:
            record.write(f"\nstart\tat={self.now:.0f}\t{words}\n")

    def look(self, pid: int, **view: Any) -> lives_round.Lives:
        seen = make.view("coder0", pid=pid, **{"started": self.now, **view})
        return lives_round.observe(
            self.fleet, {"coder0": seen}, self.store, self.facts, boot="boot", now=self.now, since=NOW - 60
        )

    def run(self, pid: int, **view: Any) -> tuple[Message, ...]:
        """A run that sees this process; the messages that wait then."""
        lives_round.finish(self.fleet, self.look(pid, **view), self.store, "reconcile", now=self.now)
        return Outbox(self.store).messages()

    def told(self) -> list[tuple[str, str]]:
        return [(str(one["type"]), str(one["message"])) for one in read_events(self.store)]

    def empty(self) -> None:
        for one in Outbox(self.store).messages():
            Outbox(self.store).cancel(one.id, NOW)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.begins(7, "new", "first")
    assert [one.kickstart for one in made.run(7)] == ["Hello."]
    assert made.told() == []
    made.empty()
    return made


def test_one_that_goes_on_gets_no_first_words_and_is_told_of_once(bench: Bench) -> None:
    bench.begins(8, "resumed")
    for _ in range(3):
        assert bench.run(8) == ()
    assert bench.told() == [("conversation-resumed", "resumed")]
    assert bench.look(8).notes(NOW) == {"coder0": "resumed"}
    assert bench.look(8).notes(NOW + SHOWN_S) == {}
    bench.begins(9, "resumed")
    bench.run(9)
    assert len(bench.told()) == 2


def test_an_interrupted_turn_is_said_and_nudged_once(bench: Bench) -> None:
    bench.begins(8, "resumed", turn="open")
    (nudge,) = bench.run(8)
    assert (nudge.text, nudge.life, nudge.our_own) == ("go on", "boot:8", True)
    bench.empty()  # delivered
    assert bench.run(8) == ()
    assert bench.told() == [("conversation-resumed", "resumed: its last turn had not ended")]


def test_without_the_policy_nobody_is_nudged(bench: Bench) -> None:
    bench.fleet = make_fleet(replace(AGENT, resume_nudge=""))
    bench.begins(8, "resumed", turn="open")
    assert bench.run(8) == ()


@pytest.mark.parametrize("reason", ["gone", "refused", "directory", "program", "locked", "stopped", "another"])
def test_one_that_could_not_go_on_is_told_so_before_its_first_words(bench: Bench, reason: str) -> None:
    bench.begins(8, "fresh", reason)
    (first,) = bench.run(8)
    assert first.kickstart == "Hello."
    assert first.preface.startswith("You were started fresh because ")
    assert not re.search(r"\bits?\b", first.preface), "it is the agent who reads this"
    ((kind, said),) = bench.told()
    assert kind == "conversation-fresh"
    assert said.startswith("started fresh because ")
    assert bench.look(8).notes(NOW + FRESH_SHOWN_S - 1) == {"coder0": said}


def test_one_without_first_words_is_told_all_the_same_once_and_in_this_life_alone(bench: Bench) -> None:
    bench.fleet = make_fleet(replace(AGENT, kickstart=None))
    bench.begins(8, "fresh", "refused")
    why = "You were started fresh because your program refused to go on with your conversation."
    for _ in range(2):
        (only,) = bench.run(8)
        assert (only.text, only.life, only.our_own) == (f"{why} You remember nothing from before.", "boot:8", True)
    bench.empty()
    assert bench.run(8) == ()
    bench.begins(9, "new", "requested")
    assert bench.run(9) == ()


@pytest.mark.parametrize("reason", ["first", "policy", "requested", "reset", "declared"])
def test_a_new_conversation_that_was_due_is_no_event(bench: Bench, reason: str) -> None:
    bench.begins(8, "new", reason)
    (first,) = bench.run(8)
    assert (first.kickstart, first.preface) == ("Hello.", "")
    assert bench.told() == []


def test_before_its_start_is_recorded_nothing_is_decided(bench: Bench) -> None:
    assert bench.look(8).unsettled
    assert bench.run(8) == ()
    bench.begins(8, "resumed", turn="open")
    assert [one.text for one in bench.run(8)] == ["go on"]
    assert len(bench.told()) == 1


def test_a_start_that_is_never_recorded_counts_as_a_new_conversation(bench: Bench) -> None:
    bench.run(8)
    assert [one.kickstart for one in bench.run(8, started=NOW - RECORD_S)] == ["Hello."]


def test_a_record_that_cannot_be_read_decides_nothing(bench: Bench) -> None:
    path = Path(record_path("coder0", bench.facts))
    path.unlink()
    path.mkdir()
    assert bench.run(8) == ()
    path.rmdir()
    bench.begins(8, "resumed")
    assert bench.run(8) == ()
    assert bench.told() == [("conversation-resumed", "resumed")]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("way", ["resumed", "fresh"])
@pytest.mark.parametrize("point", range(1, 9))
def test_killed_at_any_write_everything_is_said_once(
    bench: Bench, point: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each write of the store is a point: before it, and right after it."""
    bench.begins(8, way, "gone" if way == "fresh" else "", turn="open")
    writes = 0
    real, append = Store.write, lives_round.Event if hasattr(lives_round, "Event") else None
    del append

    def write(self: Store, path: Path, content: str | bytes) -> None:
        nonlocal writes
        writes += 1
        if 2 * writes - 1 == point:
            raise Killed
        real(self, path, content)
        if 2 * writes == point:
            raise Killed

    monkeypatch.setattr(Store, "write", write)
    with contextlib.suppress(Killed):
        bench.run(8)
    monkeypatch.undo()
    assert len(bench.run(8)) == 1
    bench.empty()
    assert bench.run(8) == ()
    assert len(bench.told()) == 1


def test_an_event_that_was_written_before_the_end_is_not_written_again(bench: Bench) -> None:
    bench.begins(8, "resumed")
    bench.run(8)
    path = bench.store.state / lives_round.FILE
    recorded = json.loads(path.read_text())
    recorded["coder0"]["logged"] = False
    path.write_text(json.dumps(recorded))
    bench.run(8)
    assert len(bench.told()) == 1
    (bench.store.state / "events.ndjson").unlink()
    path.write_text(json.dumps(recorded))
    bench.run(8)
    assert len(bench.told()) == 1


class Panes:
    """Notes which mission is recorded on which pane."""

    def __init__(self) -> None:
        self.noted: list[str] = []

    def begin(self, batch: Any) -> None:
        self.noted += [step.mission for _, step in batch]

    def completed(self, timeout_s: float) -> Any:
        del timeout_s
        return [("reset", StepResult(ok=True, changed=True))]


def test_a_program_that_went_on_with_an_older_contract(bench: Bench) -> None:
    """Its pane is noted, also where the run that found it was killed before it came to that."""
    bench.begins(8, "resumed", mission=OLD)
    bench.run(8, mission=NEW, mission_now=NEW)
    lives, panes = bench.look(8, mission=NEW, mission_now=NEW), Panes()
    assert (lives.now["coder0"].newer, lives.now["coder0"].runs_on) == (NEW, OLD)
    for shown, noted in ((NEW, [OLD]), (OLD, [OLD])):
        views = {"coder0": make.view("coder0", pid=8, mission=shown)}
        lives_round.note_kept(bench.fleet, lives, views, cast(Host, panes))
        assert panes.noted == noted
    bench.begins(9, "resumed", mission=NEW)
    assert bench.look(9, mission=NEW, mission_now=NEW).now["coder0"].newer == ""


def test_lives_are_kept_as_they_are() -> None:
    lives = {
        "a": Life(process="b:1"),
        "c": Life(process="b:2", how="resumed", interrupted=True, owed=True, logged=False),
    }
    assert lives_from_json(lives_to_json(lives)) == lives
    assert lives_from_json({"a": "b:1", "x": {"process": 5}, "y": {"process": "b:3", "other": 1}, "z": None}) == {
        "a": Life(process="b:1"),
        "y": Life(process="b:3"),
    }
