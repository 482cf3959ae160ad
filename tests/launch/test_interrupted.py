"""A start that is killed, a tmux server that dies or hangs: never a second agent, and nothing that waits for ever."""

from __future__ import annotations

import json

import pytest

from providers.names import agent_unit
from tests.hosts.waiting import eventually
from tests.launch.bench import SOCKET, Bench, make_agent

# Each line of the report: the delay, how many live panes, how many agents, how many hand-overs.
KILLED_AT_ANY_TIME = """
import json, os, pathlib, signal, subprocess, sys, time
program, delays = sys.argv[1] + "/agent-start", json.loads(sys.argv[2])
tmux = ["tmux", "-u", "-L", "mosaic-test"]
def panes():
    listing = [*tmux, "list-panes", "-t", "=a:", "-F", "#{pane_pid} #{pane_dead}"]
    rows = subprocess.run(listing, capture_output=True, text=True).stdout
    return [row.split()[0] for row in rows.splitlines() if row.endswith(" 0")]
def stubs():
    return [p.parent.name for p in pathlib.Path("/proc").glob("[0-9]*/comm") if p.read_text() == "stub\\n"]
def wait(condition):
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
report = []
for delay in delays:
    starting = subprocess.Popen(["/bin/sh", program, "a"], start_new_session=True)
    time.sleep(delay)
    os.killpg(starting.pid, signal.SIGKILL)
    starting.wait()
    again = subprocess.run(["/bin/sh", program, "a"]).returncode
    wait(lambda: panes() == stubs() != [])
    papers = [name for name in os.listdir(os.environ["XDG_RUNTIME_DIR"] + "/mosaic/launch") if ":" in name]
    report.append([again, len(panes()), panes() == stubs(), len(papers)])
    subprocess.run(["/bin/sh", sys.argv[1] + "/agent-stop", "a"], check=True)
    wait(lambda: not stubs())
print(json.dumps(report))
"""


def test_killed_at_any_time_and_started_again_there_is_one(bench: Bench) -> None:
    bench.declare(make_agent("a"))
    bench.host.systemctl("start", "mosaic-tmux-holder.service")
    delays = json.dumps([step * 0.001 for step in range(25)])
    done = bench.host.python(KILLED_AT_ANY_TIME, bench.facts.bin_dir, delays, timeout=600)
    report = json.loads(done.stdout)
    assert [row for row in report if row[:3] != [0, 1, True]] == []
    assert [row for row in report if row[3] > 1] == []


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_its_tmux_command(bench: Bench, when: str, signal: str) -> None:
    bench.declare(make_agent("a"))
    bench.host.systemctl("start", "mosaic-tmux-holder.service")
    real = bench.host.run(["which", "tmux"]).stdout.strip()
    # timeout's parent is agent-start, and the shim's parent is timeout
    kill = f"kill -{signal} $(ps -o ppid= -p $PPID)"
    script = [kill] if when == "before" else [f'{real} "$@"', kill]
    bench.write("/run/shims/tmux", "\n".join(["#!/bin/sh", *script, ""]), 0o755)
    path = f"/run/shims:{bench.host.env['PATH']}"
    done = bench.host.run(["/bin/sh", f"{bench.facts.bin_dir}/agent-start", "a"], env={"PATH": path}, check=False)
    assert done.returncode in {"KILL": (-9, 137), "TERM": (143,)}[signal]
    assert bench.program("agent-start", "a").returncode == 0
    bench.alive("a")
    assert bench.agents() == ["a"]
    bench.stop("a")
    assert bench.program("agent-stop", "a").returncode == 0
    assert bench.papers() == []


def test_a_server_that_is_killed_comes_back_with_the_holder(bench: Bench) -> None:
    bench.declare(make_agent("a"))
    bench.start("a")
    bench.alive("a")
    bench.kill(int(bench.host.tmux(SOCKET, "display-message", "-p", "#{pid}").stdout))
    done = bench.program("agent-start", "a")
    assert done.returncode == 69
    assert "systemctl --user restart mosaic-tmux-holder.service" in done.stderr
    bench.host.systemctl("reload", "mosaic-tmux-holder.service")
    bench.host.systemctl("restart", agent_unit("a"))
    bench.alive("a")
    eventually(lambda: bench.agents() == ["a"], what="one agent")


def test_a_server_that_hangs_is_left_alone_and_its_agent_still_ends(bench: Bench) -> None:
    bench.declare(make_agent("a"))
    bench.start("a")
    bench.alive("a")
    server = bench.host.tmux(SOCKET, "display-message", "-p", "#{pid}").stdout.strip()
    bench.host.run(["kill", "-STOP", server])
    try:
        done = bench.program("agent-stop", "a")
        assert done.returncode == 75
        assert "did not answer within 10 s" in done.stderr
        eventually(lambda: bench.scopes("a") == [], timeout=90, what="the end of the agent's scopes")
    finally:
        bench.host.run(["kill", "-CONT", server])
    assert bench.program("agent-start", "a").returncode == 0
    bench.alive("a")
    assert bench.agents() == ["a"]
