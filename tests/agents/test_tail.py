"""`mosaic agent tail` and `roster` on real tmux: the last lines, what comes after them, and what a crash left."""

from __future__ import annotations

import re
import shlex
import sys
from contextlib import suppress

import pytest

from tests.agents.terminals import Seat, dead
from tests.hosts.waiting import eventually
from tests.scenarios.fleet import Fleet

WAIT_S = 60.0
TOKEN = "ghp_" + "a1B2" * 9  # recognisable as a key, and nobody's


def lines(fleet: Fleet, *args: str) -> list[str]:
    run = fleet.cli("agent", "tail", *args)
    assert (run.code, run.err) == (0, "")
    return run.out.split("\n")[:-1]


class Following:
    """A tail that follows, and what it has printed so far."""

    def __init__(self, fleet: Fleet, agent: str) -> None:
        self._fleet = fleet
        self._files = {name: f"{fleet.host.home}/follow.{agent}.{name}" for name in ("out", "err", "code", "pid")}
        command = shlex.join([sys.executable, "-m", "reconciler.commands", "agent", "tail", agent, "--follow"])
        out, err, code, pid = self._files.values()
        self._process = fleet.start(
            ["sh", "-c", f"{command} >{out} 2>{err} & echo $! >{pid}; wait $!; echo $? >{code}"]
        )
        eventually(lambda: "ready" in self._read("out"), timeout=WAIT_S, what="the last lines")
        self._seen = len(self._read("out").splitlines())

    def _read(self, name: str) -> str:
        with suppress(FileNotFoundError):
            return self._fleet.read(self._files[name])
        return ""

    def until(self, last: str) -> list[str]:
        """Everything new up to a line."""

        def look() -> list[str]:
            found = self._read("out").splitlines()[self._seen :]
            return found if last in found else []

        try:
            new = eventually(look, timeout=WAIT_S, what=last, every=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._read('out')}{self._read('err')}") from None
        new = new[: new.index(last) + 1]
        self._seen += len(new)
        return new

    def end(self) -> None:
        self._fleet.host.run(["kill", "-TERM", self._read("pid").strip()])

    def ended(self) -> tuple[int, str, str]:
        """Its exit code, what it printed since, what it said."""
        code = eventually(lambda: self._read("code").strip(), timeout=WAIT_S, what="its end")
        self._process.communicate(timeout=WAIT_S)
        return int(code), "\n".join(self._read("out").splitlines()[self._seen :]), self._read("err")


def test_history_is_part_of_it(fleet: Fleet) -> None:
    for at in range(40):
        fleet.type("coder0", f"line {at:03}")
    fleet.shows("coder0", "coder0> line 039")
    assert lines(fleet, "coder0", "-n", "2") == ["line 039", "stub coder0> line 039"]
    assert lines(fleet, "coder0", "-n", "200")[0] == "stub coder0 is ready"
    assert len(lines(fleet, "coder0")) == 40


def test_a_wrapped_line_is_one_line_and_secrets_are_hidden(fleet: Fleet) -> None:
    long = "begin " + "x" * 190 + " " + TOKEN + " end"
    fleet.type("coder1", long)
    fleet.shows("coder1", "end")
    found = lines(fleet, "coder1", "-n", "1")[0]
    assert found.startswith("stub coder1> begin xxx")
    assert found.endswith(" end")
    assert TOKEN[:12] not in found


def test_a_program_that_draws_on_the_whole_screen(fleet: Fleet) -> None:
    fleet.shows("canvas", "fullscreen is ready")
    fleet.type("canvas", "put 4 and this")
    fleet.shows("canvas", "and this")
    found = lines(fleet, "canvas", "-n", "500")
    assert found[0] == "fullscreen is ready"
    assert found[4] == "and this"
    assert lines(fleet, "canvas", "-n", "1") == [found[-1]]


def whole(lines: list[str]) -> list[str]:
    """Without what a slow terminal shows of a line that is still being typed."""
    return [line for line in lines if re.fullmatch(r"(stub coder2> )?(round \d{3}|same|over)", line)]


def answers(fleet: Fleet, word: str) -> int:
    return fleet.tmux("capture-pane", "-p", "-t", "=coder2:").count(f"coder2> {word}\n")


def test_what_is_new_is_told_once(fleet: Fleet) -> None:
    tail = Following(fleet, "coder2")
    said = []
    for at in range(60):  # more than a screen
        fleet.type("coder2", f"round {at:03}")
        fleet.shows("coder2", f"coder2> round {at:03}")
        said += [f"round {at:03}", f"stub coder2> round {at:03}"]
    assert whole(tail.until("stub coder2> round 059")) == said
    for word in ("same", "same", "over"):
        answered = answers(fleet, word)
        fleet.type("coder2", word)
        fleet.wait(lambda word=word, answered=answered: answers(fleet, word) > answered, "an answer")  # type: ignore[misc]
    same = ["same", "stub coder2> same"]
    assert whole(tail.until("stub coder2> over")) == [*same, *same, "over", "stub coder2> over"]
    fleet.type("coder2", "/crash 9")
    code, rest, error = tail.ended()
    assert code == 1
    assert "/crash 9" in rest
    assert "round" not in rest
    assert "error: the program of agent coder2 has ended" in error
    fleet.converge()


def test_a_full_screen_is_followed_line_by_line(fleet: Fleet) -> None:
    tail = Following(fleet, "canvas")
    for at, word in enumerate(("one", "two", "three")):
        fleet.type("canvas", f"put {20 + at} answer {word}")
        tail.until(f"answer {word}")
    fleet.type("canvas", "box")
    tail.until("         └───┘")
    fleet.type("canvas", "put 30 answer four")
    assert "answer one" not in tail.until("answer four")
    tail.end()
    assert tail.ended()[0] == 143


def test_a_person_stops_following(fleet: Fleet) -> None:
    seat = Seat(fleet, "follower", "agent", "tail", "coder1", "--follow")
    seat.shows("stub coder1")
    seat.press("C-c")
    seat.left(130)


def test_the_lines_of_a_crash_are_kept(fleet: Fleet) -> None:
    none = fleet.cli("agent", "tail", "coder3", "--previous")
    assert (none.code, none.out) == (4, "")
    fleet.type("coder3", "my last words")
    fleet.shows("coder3", "coder3> my last words")
    fleet.type("coder3", "/crash 5")
    dead(fleet, "coder3")
    assert "stub coder3> my last words" in lines(fleet, "coder3")  # a dead pane can still be read
    fleet.converge()
    kept = lines(fleet, "coder3", "--previous")
    assert "stub coder3> my last words" in kept
    assert len(lines(fleet, "coder3", "--previous", "-n", "1")) == 1
    assert "stub coder3> my last words" not in lines(fleet, "coder3")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("tail", "codre0"), 4, "did you mean coder0"),
        (("tail", "coder0", "--follow", "--previous"), 64, "either --follow or --previous"),
        (("tail", "coder0", "-n", "0"), 64, "-n"),
        (("roster", "--class", "wroker"), 4, "did you mean worker?"),
        (("roster", "--host", "build-9"), 4, "did you mean build-2?"),
    ],
)
def test_what_cannot_be_had(fleet: Fleet, words: tuple[str, ...], code: int, said: str) -> None:
    run = fleet.cli("agent", *words)
    assert (run.code, run.out) == (code, "")
    assert said in run.err


def test_the_roster_of_all_hosts(fleet: Fleet) -> None:
    document = fleet.cli("agent", "roster", "-o", "json").document
    assert (document["apiVersion"], document["kind"]) == ("mosaic.fleet/v1", "AgentRoster")
    rows = {row["name"]: row for row in document["agents"]}
    assert list(rows) == sorted(rows)
    assert rows["far"] == {
        "name": "far", "tenant_id": document["tenant_id"], "host": "build-2", "class": "worker", "runtime": "stub",
        "state": "running", "alias": None, "model": None, "here": False, "fault": None, "groups": [],
    }  # fmt: skip
    assert rows["team.lead"]["alias"] == "lead"
    there = fleet.cli("agent", "roster", "--host", "build-2", "-o", "json").document
    assert [row["name"] for row in there["agents"]] == ["far"]
    text = fleet.cli("agent", "roster", "--class", "painter").out.splitlines()
    assert [line.split() for line in text] == [
        ["AGENT", "CLASS", "RUNTIME", "STATE", "HOST", "ALIAS", "MODEL"],
        ["canvas", "painter", "fullscreen", "running", "private-host", "-", "-"],
    ]


def test_the_roster_is_read_anew_where_nothing_is_kept(fleet: Fleet) -> None:
    """After an update of the program what was compiled before is of no use; our own copy of the commit is."""
    kept = fleet.read(f"{fleet.state}/desired.json")
    before = fleet.cli("agent", "roster").out
    fleet.write(f"{fleet.state}/desired.json", "{}", 0o600)
    assert fleet.cli("agent", "roster").out == before
    fleet.write(f"{fleet.state}/desired.json", kept, 0o600)


def test_the_comms_block_of_each_host(fleet: Fleet) -> None:
    here = fleet.cli("fleet", "comms-block", "lead")
    assert here.code == 0
    assert "`private-host:team.lead`" in here.out
    assert "mosaic agent send far --source-label private-host:team.lead --verify" in here.out
    there = fleet.cli("fleet", "comms-block", "far")
    assert "`build-2:far`" in there.out
    assert "mosaic agent send team.lead --source-label build-2:far --verify" in there.out
    assert fleet.cli("fleet", "comms-block", "far", "--host", "build-2").out == there.out
    for words, said in (
        (("fra",), "did you mean far?"),
        (("far", "--host", "private-host"), "it belongs to build-2"),
        (("far", "--host", "build-1"), "did you mean build-2?"),
    ):
        run = fleet.cli("fleet", "comms-block", *words)
        assert (run.code, run.out) == (4, "")
        assert said in run.err
