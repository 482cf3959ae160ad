"""The unit that owns the tmux servers: started in any state of things, it ends nobody's session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.names import HOLDER_UNIT, agent_unit
from tests.hosts.waiting import eventually
from tests.launch.bench import SOCKET, Bench, make_agent


def server_pid(bench: Bench, socket: str = SOCKET) -> str:
    return bench.host.tmux(socket, "display-message", "-p", "#{pid}").stdout.strip()


def sessions(bench: Bench, socket: str = SOCKET) -> list[str]:
    return bench.host.tmux(socket, "list-sessions", "-F", "#{session_name}", check=False).stdout.split()


def option(bench: Bench, *words: str) -> str:
    return bench.host.tmux(SOCKET, "show-options", *words).stdout.strip()


def test_started_twice_it_is_the_same_server(bench: Bench) -> None:
    bench.declare()
    bench.host.systemctl("start", HOLDER_UNIT)
    pid = server_pid(bench)
    for _ in range(2):
        assert bench.program("tmux-holder", "start").returncode == 0
    bench.host.systemctl("reload", HOLDER_UNIT)
    assert server_pid(bench) == pid
    assert sessions(bench) == ["_holder"]
    assert option(bench, "-t", "=_holder:", "-v", "@mosaic_holder") == "canary"
    assert option(bench, "-s", "-v", "exit-empty") == "off"


def test_a_stale_socket_is_no_server(bench: Bench) -> None:
    bench.declare()
    bench.host.systemctl("start", HOLDER_UNIT)
    bench.kill(int(server_pid(bench)))
    assert bench.host.path_outside(f"/tmp/tmux-0/{SOCKET}").exists()
    bench.host.systemctl("reload", HOLDER_UNIT)
    assert sessions(bench) == ["_holder"]


def test_a_server_that_is_already_there_is_joined(bench: Bench) -> None:
    bench.declare()
    bench.host.tmux(SOCKET, "-f", "/dev/null", "new-session", "-d", "-s", "mine", "sleep", "infinity")
    pid = server_pid(bench)
    bench.host.systemctl("start", HOLDER_UNIT)
    assert (server_pid(bench), sessions(bench)) == (pid, ["_holder", "mine"])
    bench.host.systemctl("stop", HOLDER_UNIT)
    assert (server_pid(bench), sessions(bench)) == (pid, ["mine"])


@pytest.mark.parametrize("what", ["session", "pane"])
def test_a_holder_session_that_was_killed_comes_back(bench: Bench, what: str) -> None:
    bench.declare()
    bench.host.systemctl("start", HOLDER_UNIT)
    pid = server_pid(bench)
    if what == "session":
        bench.host.tmux(SOCKET, "kill-session", "-t", "=_holder")
    else:
        bench.kill(int(bench.host.tmux(SOCKET, "display-message", "-p", "-t", "=_holder:", "#{pane_pid}").stdout))
        bench.host.run(["kill", "-CHLD", pid])
    bench.host.systemctl("reload", HOLDER_UNIT)
    shown = bench.host.tmux(SOCKET, "list-panes", "-a", "-F", "#{session_name} #{pane_dead}").stdout
    assert (server_pid(bench), shown.split()) == (pid, ["_holder", "0"])


@pytest.mark.parametrize("verb", ["stop", "restart"])
def test_stopping_it_ends_no_agent(bench: Bench, verb: str) -> None:
    bench.declare(make_agent("a"))
    bench.start("a")
    agent, server = bench.alive("a"), server_pid(bench)
    bench.host.systemctl(verb, HOLDER_UNIT)
    assert (bench.alive("a"), server_pid(bench)) == (agent, server)
    bench.host.systemctl("start", HOLDER_UNIT)
    assert sessions(bench) == ["_holder", "a"]
    bench.stop("a")
    bench.host.systemctl("stop", HOLDER_UNIT)
    eventually(lambda: bench.comm(server) == "", what="the end of the server")


def test_a_persons_session_of_the_holders_name_is_left_alone(bench: Bench) -> None:
    bench.declare()
    bench.host.tmux(SOCKET, "new-session", "-d", "-s", "_holder", "sleep", "1234")
    pid = server_pid(bench)
    started = bench.program("tmux-holder", "start")
    assert started.returncode == 69
    assert "a session named _holder exists and is not ours" in started.stderr
    assert "mosaic" not in option(bench, "-t", "=_holder:")
    assert bench.program("tmux-holder", "stop").returncode == 0
    assert sessions(bench) == ["_holder"]
    assert server_pid(bench) == pid


def test_the_operators_tmux_conf_has_no_part_in_it(bench: Bench) -> None:
    bench.write("/root/.tmux.conf", "set -g destroy-unattached on\nset -g @from home\n")
    try:
        bench.declare(make_agent("a"))
        bench.start("a")
        bench.alive("a")
        assert option(bench, "-g", "-q", "-v", "@from") == ""
    finally:
        bench.host.run(["rm", "/root/.tmux.conf"])


def test_the_fleets_own_tmux_conf_is_read_and_cannot_end_an_agent(bench: Bench) -> None:
    bench.declare(make_agent("a"))
    bench.write(f"{bench.facts.mosaic_home}/fleet/tmux.conf", "set -g destroy-unattached on\nset -g @from fleet\n")
    bench.start("a")
    bench.alive("a")
    assert option(bench, "-g", "-v", "@from") == "fleet"


def test_every_socket_in_use_has_a_holder(bench: Bench) -> None:
    bench.declare(make_agent("a"), make_agent("b", socket="mosaic-other"))
    bench.start("a")
    bench.start("b")
    bench.alive("a")
    bench.alive("b", socket="mosaic-other")
    assert sessions(bench, "mosaic-other") == ["_holder", "b"]


def test_a_server_that_hangs_is_reported_in_time(bench: Bench) -> None:
    bench.declare()
    bench.host.systemctl("start", HOLDER_UNIT)
    pid = server_pid(bench)
    bench.host.run(["kill", "-STOP", pid])
    try:
        done = bench.program("tmux-holder", "start")
        assert done.returncode == 75
        assert "did not answer within 15 s" in done.stderr
    finally:
        bench.host.run(["kill", "-CONT", pid])


def test_what_is_not_written_yet_is_said(bench: Bench) -> None:
    bench.declare()
    bench.host.run(["rm", f"{bench.facts.mosaic_home}/fleet/holder.env"])
    done = bench.program("tmux-holder", "start")
    assert (done.returncode, done.stderr.endswith("holder.env: run reconcile\n")) == (66, True)


def test_paths_with_odd_characters(bench: Bench) -> None:
    bench.facts = replace(bench.facts, mosaic_home='/root/my %h $HOME "fleet"')
    try:
        bench.declare(make_agent("a", working_directory="/root"))
        units = [f"{bench.facts.unit_dir}/{name}" for name in ("mosaic-agent@a.service", HOLDER_UNIT)]
        bench.host.run(["cp", f"{bench.facts.unit_dir}/mosaic-agent@.service", units[0]])
        checked = bench.host.run(["systemd-analyze", "--user", "verify", "--man=no", *units])
        assert checked.stderr == ""
        bench.start("a")
        bench.alive("a")
        bench.host.systemctl("restart", agent_unit("a"))
        bench.alive("a")
        bench.stop("a")
        assert bench.agents() == []
    finally:
        bench.clear()
