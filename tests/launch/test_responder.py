"""The responder: what it says, and the real one on a real host, where it owns nothing and outlives everything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.host import HeartbeatFile, Pane, Process
from providers.machine import heartbeat_files
from providers.names import RESPONDER_UNIT
from reconciler.responder.heartbeat import Watched, heartbeat, speaks_itself, watched
from reconciler.responder.serve import Responder, Update, main
from specs.compiled import Agent
from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually
from tests.launch.bench import SOCKET, Bench, make_agent

NOW = 1_800_000_000.0
AGENT = Watched("a", SOCKET, 15.0)
PANE = Pane(
    session="a", pid=70, dead=False, dead_status=None, command="claude", mark="a", fleet="f", launch="x",
    created=NOW - 1000, activity=NOW - 31, attached=0, in_mode=False, title="",
)  # fmt: skip
TOP = Process(pid=70, ppid=1, comm="claude", state="S", started=NOW - 999, start_ticks=1)
TURN = HeartbeatFile(ts=NOW - 500, pid=70, status="busy", words={"waiting": "permission", "event": "x", "note": "y"})
ENV = "\n".join(
    ["# head", "MOSAIC_AGENT_NAME=a", f"MOSAIC_TMUX_SOCKET={SOCKET}", "MOSAIC_HEARTBEAT_INTERVAL=15",
     "MOSAIC_HEARTBEAT=hook", "ARG=x", ""]
)  # fmt: skip


def said(pane: Pane = PANE, turn: HeartbeatFile | None = None) -> dict[str, str]:
    line = heartbeat(AGENT, pane, TOP, (70, 71), turn, NOW)
    assert heartbeat_files.parse(f"ts=2027-01-15T08:00:00Z {line}\n".encode(), NOW).error is None
    return dict(word.split("=", 1) for word in line.split())


def test_output_within_two_intervals_is_work() -> None:
    usual = {"pid": "70", "status": "ok", "source": "sidecar", "interval": "15", "saw": "process,pane"}
    assert said() == usual
    assert said(replace(PANE, activity=NOW - 30)) == usual | {"status": "busy"}
    assert said(replace(PANE, activity=0.0)) == usual


@pytest.mark.parametrize(
    ("turn", "credited"),
    [
        (TURN, True),
        (replace(TURN, pid=71), True),
        (replace(TURN, pid=72), False),
        (replace(TURN, ts=NOW - 1000.5), True),  # /proc and a record do not agree to the second
        (replace(TURN, ts=NOW - 1002), False),
        (replace(TURN, error="half-written"), False),
        (None, False),
    ],
)
def test_a_turn_counts_if_it_is_of_this_process(turn: HeartbeatFile | None, credited: bool) -> None:
    words = said(turn=turn)
    assert words["saw"] == ("process,pane,turn" if credited else "process,pane")
    assert words["status"] == ("busy" if credited else "ok")
    assert words.get("waiting") == ("permission" if credited else None)
    assert "event" not in words


@pytest.mark.parametrize(
    ("beat", "speaks"),
    [
        (None, False),
        (HeartbeatFile(ts=NOW - 45, pid=71, status="ok"), True),
        (HeartbeatFile(ts=NOW - 46, pid=71, status="ok"), False),
        (HeartbeatFile(ts=NOW, pid=72, status="ok"), False),
        (HeartbeatFile(ts=NOW, pid=71, status="ok", words={"source": "sidecar"}), False),
        (HeartbeatFile(error="half-written"), False),
    ],
)
def test_a_program_that_speaks_itself_is_not_talked_over(beat: HeartbeatFile | None, speaks: bool) -> None:
    assert speaks_itself(beat, (70, 71), NOW, 15.0) is speaks


def test_whom_it_answers_for() -> None:
    assert watched("a", ENV) == AGENT
    assert watched("a", ENV.replace("=hook", "=none")) == AGENT
    for other in (
        ENV.replace("=hook", "=native"), ENV.replace("MOSAIC_HEARTBEAT=hook\n", ""), ENV.replace("NAME=a", "NAME=b"),
        ENV.replace("=15", "=0"), ENV.replace("=15", "=x"), ENV.replace("=15", "=inf"), ENV.replace("=15", "=nan"),
        ENV.replace("MOSAIC_TMUX_SOCKET", "X"),
    ):  # fmt: skip
        assert watched("a", other) is None, other


@given(st.text(), st.integers(0, len(ENV)))
def test_a_half_written_environment_is_nobody(text: str, cut: int) -> None:
    assert watched("a", text) is None
    half = watched("a", ENV[:cut])
    assert half is None or half.name == "a"


def test_it_wants_two_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], {}) == 64
    assert "usage" in capsys.readouterr().err


def test_an_update_is_noticed(tmp_path: Path) -> None:
    unit = tmp_path / "unit"
    update = Update(str(unit), {"MOSAIC_RESPONDER": "one"})
    assert not update.there()
    unit.write_text("[Service]\nEnvironment=MOSAIC_RESPONDER=one\n")
    assert not update.there()
    unit.write_text("[Service]\nEnvironment=MOSAIC_RESPONDER=two\n")
    assert update.there()
    unit.write_text("")
    assert not update.there()
    assert not Update(str(unit), {}).there()


def test_without_anything_to_see_it_does_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No folder, no agent, half a file, a link to itself, a run folder that is a file: none of it ends it."""
    responder = Responder(str(tmp_path / "fleet"), {"XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/nonexistent"})
    responder.tick()
    agents = tmp_path / "fleet" / "agents"
    agents.mkdir(parents=True)
    (agents / "half.env").write_text("MOSAIC_AGENT_NA")
    (agents / "loop.env").symlink_to("loop.env")
    (agents / "folder.env").mkdir()
    responder.tick()
    assert capsys.readouterr().err == ""
    (agents / "a.env").write_text(ENV)
    (tmp_path / "fleet" / "run").write_text("a file")
    responder.tick()
    assert "run" in capsys.readouterr().err
    (tmp_path / "fleet" / "run").unlink()
    for _ in range(2):
        (agents / "a.env").write_text(ENV + f"# {time.time()}")
        (agents / f"x{time.time()}").write_text("")
        responder.tick()
    assert capsys.readouterr().err.count("tmux is not on PATH") == 1  # said once


# The real one


def silent(name: str, **more: object) -> Agent:
    """An agent whose program writes no heartbeat."""
    agent = make_agent(name, runtime="sleeper", argv=("sleep", "infinity"), process_names=("sleep",), **more)
    return replace(agent, native_heartbeat=False)


@pytest.fixture
def responds(bench: Bench) -> Iterator[Bench]:
    yield bench
    bench.host.systemctl("disable", "--now", RESPONDER_UNIT, check=False)


def beat(bench: Bench, name: str) -> HeartbeatFile | None:
    try:
        text = bench.read(f"{bench.facts.run_dir}/{name}.hb")
    except FileNotFoundError:
        return None
    return heartbeat_files.parse(text.encode(), time.time())


def answered(bench: Bench, name: str) -> HeartbeatFile:
    """A heartbeat for the process that the agent's pane has now."""

    def found() -> HeartbeatFile | None:
        pids = [int(row["pane_pid"]) for row in bench.panes() if row["@mosaic_agent"] == name]
        seen = beat(bench, name)
        return seen if seen is not None and seen.error is None and pids == [seen.pid] else None

    seen = eventually(found, what=f"a heartbeat for {name}")
    assert seen is not None
    return seen


def pid_of(host: PrivateHost) -> int:
    return int(host.systemctl("show", RESPONDER_UNIT, "-p", "MainPID", "--value").stdout)


def test_it_answers_for_those_who_do_not(responds: Bench) -> None:
    responds.declare(silent("a"), silent("b"), make_agent("c"))
    for name in ("a", "c"):
        responds.start(name)
    responds.host.systemctl("start", RESPONDER_UNIT)
    seen = answered(responds, "a")
    assert (seen.words["source"], seen.words["saw"]) == ("sidecar", "process,pane")
    responds.start("b")  # it is noticed long before the next beat is due
    assert answered(responds, "b").words["source"] == "sidecar"
    responds.host.systemctl("restart", "mosaic-agent@a.service")
    assert answered(responds, "a").pid != seen.pid
    assert answered(responds, "c").words["source"] == "native"


def test_it_owns_no_server_and_ends_no_one(responds: Bench) -> None:
    responds.declare(silent("a"))
    responds.host.systemctl("start", RESPONDER_UNIT)
    first = pid_of(responds.host)
    assert responds.host.tmux(SOCKET, "list-sessions", check=False).returncode != 0
    responds.start("a")
    pid = answered(responds, "a").pid
    server = responds.host.tmux(SOCKET, "display-message", "-p", "#{pid}").stdout.strip()
    assert "/mosaic-tmux-holder.service" in responds.read(f"/proc/{server}/cgroup")
    responds.host.run(["kill", "-KILL", str(first)])
    eventually(lambda: pid_of(responds.host) not in (0, first), what="the next responder")
    responds.write(f"{responds.facts.run_dir}/a.hb", "half")
    responds.host.run(["touch", f"{responds.facts.agents_dir}/a.env"])
    assert answered(responds, "a").pid == pid
    responds.host.systemctl("stop", RESPONDER_UNIT)
    assert responds.panes()[0]["pane_pid"] == str(pid)
    assert responds.host.systemctl("is-failed", RESPONDER_UNIT, check=False).stdout.strip() == "inactive"


def test_it_follows_a_server_that_is_lost_and_comes_back(responds: Bench) -> None:
    responds.declare(silent("a"))
    responds.host.systemctl("start", RESPONDER_UNIT)
    responds.start("a")
    first = answered(responds, "a").pid
    responds.host.tmux(SOCKET, "kill-server")
    responds.host.systemctl("reload", "mosaic-tmux-holder.service")
    responds.host.systemctl("restart", "mosaic-agent@a.service")
    assert answered(responds, "a").pid != first


def test_a_turn_of_its_process_is_carried_over(responds: Bench) -> None:
    responds.declare(silent("a"))
    responds.start("a")
    [row] = responds.panes()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
    line = f"ts={stamp} pid={row['pane_pid']} status=ok source=hook event=StopFailure stuck=billing\n"
    responds.write(f"{responds.facts.run_dir}/a.turn", line)
    responds.host.systemctl("start", RESPONDER_UNIT)
    words = answered(responds, "a").words
    assert (words["saw"], words["stuck"]) == ("process,pane,turn", "billing")


def test_an_update_of_its_unit_starts_it_anew(responds: Bench) -> None:
    responds.declare(silent("a"))
    responds.host.systemctl("start", RESPONDER_UNIT)
    first = pid_of(responds.host)
    path = f"{responds.facts.unit_dir}/{RESPONDER_UNIT}"
    text = responds.read(path)
    old = next(line for line in text.split("\n") if "MOSAIC_RESPONDER=" in line)
    responds.write(path, text.replace(old, "Environment=MOSAIC_RESPONDER=newer"))
    responds.host.systemctl("daemon-reload")
    eventually(lambda: pid_of(responds.host) not in (0, first), timeout=60.0, what="the next responder")
    shown = responds.host.systemctl("show", RESPONDER_UNIT, "-p", "Environment", "--value").stdout
    assert "newer" in shown
