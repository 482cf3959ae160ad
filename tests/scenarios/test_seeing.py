"""Seeing a real fleet: each kind of disagreement, on a terminal and off it, for the cost of a look, without a trace."""

from __future__ import annotations

import itertools
import json
import shlex
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest

from tests.hosts.waiting import eventually
from tests.scenarios.fleet import NAME, SOCKET, Fleet, Run, stub
from tests.scenarios.test_preview import changed, pictures, quiet

MAIN = [sys.executable, "-c", "from reconciler.commands.mosaic import main; main()"]
LONG = 60.0  # seconds; a machine that is busy with other tests gets a minute for anything


def ps(fleet: Fleet, *args: str) -> Run:
    return fleet.cli("fleet", "ps", "--fleet", fleet.repo, *args)


def rows(fleet: Fleet, *args: str) -> dict[str, dict[str, Any]]:
    """In the order of the screen."""
    return {one["name"]: one for one in ps(fleet, "-o", "json", *args).document["agents"]}


def beating(fleet: Fleet, *names: str) -> None:
    """Wait until each agent has answered."""
    for name in names:
        fleet.beats(name)


def test_each_kind_of_disagreement(fleet: Fleet) -> None:
    names = ("dead", "fine", "gone", "lost", "removed", "unenabled", "wrong")
    fleet.agents = {name: stub() for name in names}
    fleet.agents["stopped"] = stub(state="stopped")
    sha = fleet.commit()
    fleet.converge()
    beating(fleet, *names)
    assert ps(fleet, "--check").code == 0
    assert {one["sync"] for one in rows(fleet).values()} == {"synced"}
    pids = fleet.pids()

    fleet.kill(pids["dead"])
    fleet.tmux("kill-session", "-t", "=gone")
    fleet.sh("systemctl --user stop --no-block mosaic-agent@lost.service; systemctl --user disable -q "
             "mosaic-agent@unenabled.service")  # fmt: skip
    fleet.wait(
        lambda: rows(fleet)["lost"]["session"] == "missing", "the end of an agent that was stopped by hand", LONG
    )
    fleet.tmux("respawn-pane", "-k", "-t", "=wrong:", "exec sleep 1000")
    fleet.tmux("new-session", "-d", "-s", "mine", "exec sleep 1000")
    fleet.wait(lambda: rows(fleet)["wrong"]["health"] == "unhealthy", "another program to be taken for one", LONG)
    quiet = ("fine", "removed", "unenabled")  # what came on their panes was not long ago on a slow machine
    fleet.wait(lambda: {rows(fleet)[name]["state"] for name in quiet} == {"available"}, "quiet agents", LONG)

    found = rows(fleet)
    why = {name: one["why"] for name, one in found.items()}
    assert "its unit is active, but its pane is dead" in why["dead"]
    assert "its unit is active, but it has no session" in why["gone"]
    assert "it has no session" in why["lost"]
    assert '"sleep" runs in its pane, not stub' in why["wrong"]
    assert "it is not enabled: it will not survive a boot" in why["unenabled"]
    assert "the fleet did not start" in why["mine"]
    assert {name: (one["state"], one["sync"]) for name, one in found.items()} == {
        "dead": ("dead", "drifted"), "gone": ("dead", "missing"), "lost": ("dead", "missing"),
        "wrong": ("unknown", "drifted"), "unenabled": ("available", "drifted"), "fine": ("available", "synced"),
        "removed": ("available", "synced"), "mine": ("unknown", "extra"), "stopped": ("stopped", "synced"),
    }  # fmt: skip
    assert [name for name, one in found.items() if one["wrong"]] == ["dead", "gone", "lost", "wrong", "unenabled"]
    assert found["fine"]["pid"] == pids["fine"]
    sources = {(one["source"], one["what"]) for one in found["fine"]["evidence"]}
    assert {("systemd", "active"), ("tmux", "pane"), ("proc", "pid"), ("heartbeat", "status")} <= sources
    assert found["fine"]["cpu_s"] is not None
    assert found["fine"]["memory_bytes"] > 2**20

    assert ps(fleet, "--check").code == 3
    assert ps(fleet, "--check", "--agent", "fine").code == 0
    assert ps(fleet, "-o", "name", "--running").out.split() == ["wrong", "unenabled", "fine", "removed"]
    missing = ps(fleet, "--agent", "fin")
    assert (missing.code, missing.out) == (4, "")
    assert "did you mean fine" in missing.err

    # A commit that is not applied yet is what the host is compared with; a bad one is not taken, and said so.
    del fleet.agents["removed"]
    newer = fleet.commit("drop")
    seen = ps(fleet, "-o", "json").document
    assert seen["revision"] == {"compared": newer, "in_force": sha, "newest": newer, "rejected": None}
    gone = next(one for one in seen["agents"] if one["name"] == "removed")
    assert (gone["kind"], gone["sync"]) == ("removed", "extra")
    assert "it is enabled, though not in git" in gone["why"]
    bad = fleet.commit("bad", raw={"roster.yaml": "agents: [\n"})
    seen = ps(fleet, "-o", "json").document
    assert (seen["revision"]["compared"], seen["revision"]["newest"]) == (sha, bad)
    assert seen["revision"]["rejected"]
    assert f"newest commit {bad[:12]} is not taken" in ps(fleet).out


def test_verify_and_one_agent(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    beating(fleet, "a", "b")
    verified = fleet.cli("fleet", "verify", "--fleet", NAME)
    assert verified.code == 0, verified.out
    fleet.kill(fleet.pids()["a"])
    fleet.converge("--agent", "b")
    fleet.sh("systemctl --user disable -q mosaic-agent@b.service; rm /var/lib/systemd/linger/*")
    verified = fleet.cli("fleet", "verify", "--fleet", NAME, "-o", "json")
    assert verified.code == 3
    wrong = {(one["agent"], one["name"]) for one in verified.document["checks"] if one["result"] == "wrong"}
    assert wrong == {("a", "session"), ("b", "boot"), (None, "linger")}

    dead = fleet.cli("agent", "status", "a", "--fleet", NAME)
    assert dead.code == 0
    assert "its unit is active, but its pane is dead" in dead.out
    assert "the dead pane's last lines" in dead.out
    assert "stub a is ready" in dead.out
    assert "action-done  start mosaic-agent@a.service" in dead.out
    near = fleet.cli("agent", "status", "aa", "--fleet", NAME)
    assert (near.code, near.out) == (4, "")
    fleet.tmux("new-session", "-d", "-s", "mine", "exec sleep 1000")
    assert "mine, unmanaged" in fleet.cli("agent", "status", "mine", "--fleet", NAME).out
    document = fleet.cli("agent", "status", "b", "--fleet", NAME, "-o", "json").document
    assert (document["kind"], document["agent"]["name"]) == ("AgentStatus", "b")


def test_seeing_writes_nothing_and_waits_for_nobody(fleet: Fleet) -> None:
    quiet(fleet, "a", "b")
    fleet.converge()
    beating(fleet, "a", "b")
    lock = f"{fleet.host.runtime_dir}/mosaic/{NAME}/lock"
    assert fleet.exists(lock)
    holding = fleet.start(["flock", lock, "sh", "-c", "echo held; exec sleep 1000"])
    assert holding.stdout is not None
    assert holding.stdout.readline() == "held\n"
    before = pictures(fleet)
    for words in (["fleet", "ps"], ["fleet", "ps", "-o", "json"], ["fleet", "verify"], ["agent", "status", "a"]):
        run = fleet.cli(*words, "--fleet", fleet.repo)
        assert run.code == 0, run.err
    after = pictures(fleet)
    holding.kill()
    holding.wait()
    assert changed(before, after) == []


# Most modules that a start may import, ours and all. Each costs every run of every host, so whoever needs a higher
# limit has measured (`./dev bench --only noop`).
STARTS = {
    "reconcile REPO": (210, 360),
    "reconcile REPO --dry-run": (210, 360),
    "mosaic fleet ps --fleet REPO": (215, 375),
    "mosaic fleet verify --fleet REPO": (215, 375),
    "mosaic agent status a --fleet REPO": (225, 385),
}


def test_a_start_imports_no_more_than_it_did(fleet: Fleet) -> None:
    fleet.declare("a")
    fleet.converge()
    code = (
        "import atexit, sys\nfrom reconciler.commands.{} import main\n"
        "atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))\nmain()"
    )
    for words, most in STARTS.items():
        program, *rest = words.replace("REPO", str(fleet.repo)).split()
        # `env`: an interpreter of its own, which has nothing imported yet.
        run = fleet.run(["env", sys.executable, "-c", code.format(program), *rest])
        loaded = run.err.splitlines()[-1].split()
        ours = [name for name in loaded if name.split(".")[0] in ("reconciler", "providers", "specs")]
        dear = {"pydantic", "pydantic_core", "ruamel", "git", "deepdiff", "watchdog", "jsonschema", "dataclasses"}
        assert ours
        assert not {name.split(".")[0] for name in loaded} & dear, words
        assert len(ours) <= most[0], (words, ours)
        assert len(loaded) <= most[1], (words, loaded)


@pytest.mark.parametrize("words", [["fleet", "ps", "-o", "json"], ["agent", "status", "a000"]])
def test_what_a_look_costs_does_not_depend_on_how_many_there_are(fleet: Fleet, words: list[str]) -> None:
    def cost() -> dict[str, Any]:
        out = f"{fleet.host.home}/counted.json"
        run = fleet.run([sys.executable, "-m", "tests.scenarios.trace", out, *MAIN, *words, "--fleet", fleet.repo])
        assert run.code == 0, run.err
        return cast(dict[str, Any], json.loads(fleet.read(out)))

    fleet.rules["heartbeat"] = {"interval": "10m", "stale_after": "1h"}
    names = [f"a{number:03}" for number in range(50)]
    fleet.declare(names[0])
    fleet.converge()
    beating(fleet, names[0])
    cost()
    few = cost()
    fleet.declare(*names)
    fleet.converge()
    beating(fleet, *names)
    cost()
    many = cost()
    assert many == few
    assert few["processes"] <= 3  # of these one looks at places, which may hang
    assert set(few["programs"]) <= {"tmux"}


# a person's terminal


SOCKETS = itertools.count()


class Terminal:
    """A terminal of a certain size, on a tmux server of its own; what it shows is what a person sees."""

    def __init__(self, fleet: Fleet, columns: int, lines: int, *, term: str = "") -> None:
        self._fleet = fleet
        self._socket = f"person-{next(SOCKETS)}"  # a server that is on its way out would take a new session along
        env = {"PYTHONPATH": fleet.env()["PYTHONPATH"], "PS1": "$ ", **({"TERM": term} if term else {})}
        words = shlex.join(["env", *(f"{key}={value}" for key, value in env.items()), "sh", "-i"])
        fleet.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(lines), "-s", "t", words,
                   socket=self._socket)  # fmt: skip
        self.until(lambda text: "$" in text, "a prompt")

    def type(self, line: str) -> None:
        self._fleet.tmux(
            "send-keys", "-t", "=t:", "-l", line, ";", "send-keys", "-t", "=t:", "Enter", socket=self._socket
        )

    def press(self, key: str) -> None:
        self._fleet.tmux("send-keys", "-t", "=t:", key, socket=self._socket)

    def run(self, *args: str) -> str:
        """A command's screen, when it has ended."""
        self.type(f"clear; {shlex.join([*MAIN, *args])}; echo fini''shed $?")
        text = self.until(lambda text: "\nfinished " in text, "the end of a command")
        return text[: text.rindex("finished ")]

    def text(self) -> str:
        return self._fleet.tmux("capture-pane", "-p", "-t", "=t:", socket=self._socket)

    def styled(self) -> str:
        """With the sequences for colours."""
        return self._fleet.tmux("capture-pane", "-p", "-e", "-t", "=t:", socket=self._socket)

    def alternate(self) -> bool:
        asked = self._fleet.tmux(
            "display-message", "-p", "-t", "=t:", "#{alternate_on} #{cursor_flag}", socket=self._socket
        )
        return asked.split() != ["0", "1"]

    def until(self, holds: Any, what: str) -> str:
        def look() -> str:
            text = self.text()
            return text if holds(text) else ""

        return eventually(look, timeout=LONG, what=what, every=0.05)

    def close(self) -> None:
        self._fleet.tmux("kill-server", socket=self._socket, check=False)


@contextmanager
def terminal(fleet: Fleet, columns: int, lines: int, *, term: str = "") -> Iterator[Terminal]:
    made = Terminal(fleet, columns, lines, term=term)
    try:
        yield made
    finally:
        made.close()


def two(fleet: Fleet) -> None:
    """One that lives and one that has ended, on a fleet whose heartbeats stay good."""
    fleet.declare("alive", "ended")
    fleet.converge()
    beating(fleet, "alive", "ended")
    fleet.kill(fleet.pids()["ended"])


def test_the_list_on_terminals_of_two_widths_a_dumb_one_and_a_pipe(fleet: Fleet) -> None:
    two(fleet)
    piped = ps(fleet)
    assert piped.out.isascii()
    assert "\x1b" not in piped.out
    assert piped.out.splitlines()[2].split()[:6] == ["AGENT", "CLASS", "RUNTIME", "STATE", "SYNC", "WHY"]
    for columns in (80, 200):
        with terminal(fleet, columns, 40) as person:
            lines = person.run("fleet", "ps", "--fleet", fleet.repo).splitlines()
            assert all(len(line) <= columns for line in lines)
            head = next(line for line in lines if line.startswith("AGENT"))
            assert ("WHY" in head.split()) is (columns == 200)
            row = next(index for index, line in enumerate(lines) if line.startswith("ended "))
            below = next(index for index, line in enumerate(lines) if line.startswith("alive "))
            assert row < below  # what is wrong comes first
            assert lines[row].split()[3] == "dead"
            told = " ".join(" ".join(lines[row:below]).split())
            assert "its unit is active, but its pane is dead" in told
            assert (below == row + 1) is (columns == 200)
            styled = person.styled()
            assert "\x1b[31m" in styled  # what is wrong is red
    with terminal(fleet, 80, 40, term="dumb") as person:
        person.run("fleet", "ps", "--fleet", fleet.repo)
        styled = person.styled()
        assert "\x1b[31m" not in styled
    with terminal(fleet, 80, 40) as person:
        person.type("export NO_COLOR=1")
        person.run("fleet", "ps", "--fleet", fleet.repo)
        assert "\x1b[31m" not in person.styled()


def test_watching_in_place_and_leaving_the_terminal_as_it_was(fleet: Fleet) -> None:
    fleet.declare("alive", "ended")
    fleet.converge()
    beating(fleet, "alive", "ended")
    command = shlex.join([*MAIN, "fleet", "ps", "--watch", "--interval", "300ms", "--fleet", fleet.repo])
    with terminal(fleet, 80, 24) as person:
        person.type("stty -a >/tmp/before; : >/tmp/after; clear; echo ke''pt")
        person.until(lambda text: "kept" in text, "a word on the screen")
        for number, leave in enumerate(("q", "C-c", "TERM", "HUP")):
            words = f"sh -c 'echo $$ >/tmp/pid; exec \"$@\"' sh {command}"
            person.type(f"{words}; echo le''ft-{number} $?; stty -a >/tmp/after")
            person.until(lambda text: "q to leave" in text and "AGENT" in text, "the list")
            if number == 0:
                fleet.kill(fleet.pids()["ended"])
                text = person.until(lambda text: "its pane is dead" in text, "what has happened since")
                assert text.count("AGENT") == 1  # in place, not one below the other
            if leave in ("q", "C-c"):
                person.press(leave)
            else:
                fleet.sh(f"kill -{leave} $(cat /tmp/pid)")
            code = {"q": 0, "C-c": 0, "TERM": 143, "HUP": 129}[leave]
            text = person.until(lambda text, number=number: f"\nleft-{number} " in text, f"the end by {leave}")
            assert f"left-{number} {code}" in text
            assert "kept" in text  # the screen of before
            assert not person.alternate()
            eventually(
                lambda: fleet.read("/tmp/after") == fleet.read("/tmp/before"),
                timeout=LONG,
                what="the terminal's settings",
            )
            fleet.sh(": >/tmp/after")


def test_watching_off_a_terminal_is_one_document_for_each_change(fleet: Fleet) -> None:
    fleet.declare("alive", "ended")
    fleet.converge()
    beating(fleet, "alive", "ended")
    command = [*MAIN, "fleet", "ps", "--watch", "--interval", "300ms", "--fleet", fleet.repo]
    watching = fleet.start(["sh", "-c", 'echo $$ >/tmp/pid; exec "$@"', "sh", *command])
    assert watching.stdout is not None
    lines: list[str] = []
    threading.Thread(target=lines.extend, args=(watching.stdout,), daemon=True).start()

    def wrong() -> list[list[str]]:
        """Of each document, who is wrong."""
        return [[one["name"] for one in json.loads(line)["agents"] if one["wrong"]] for line in list(lines)]

    try:
        eventually(wrong, timeout=LONG, what="a first document")
        assert wrong() == [[]]
        fleet.kill(fleet.pids()["ended"])
        eventually(lambda: ["ended"] in wrong(), timeout=LONG, what="a document that says so")
        assert {tuple(names) for names in wrong()} == {(), ("ended",)}
    finally:
        fleet.sh("kill -TERM $(cat /tmp/pid)")
        watching.wait(LONG)


def test_a_foreign_socket_is_not_the_fleet_s(fleet: Fleet) -> None:
    """Somebody else's tmux server is not looked at, and an unmanaged session is only told of on the fleet's own."""
    fleet.declare("a")
    fleet.converge()
    fleet.tmux("new-session", "-d", "-s", "private", "exec sleep 1000", socket="mine")
    fleet.tmux("new-session", "-d", "-s", "guest", "exec sleep 1000", socket=SOCKET)
    assert set(rows(fleet)) == {"a", "guest"}
    assert ps(fleet, "--check").code == 0
