"""Agents on a real user manager and a real tmux: started, stopped, and never two of one name."""

from __future__ import annotations

import pytest

from providers.names import agent_unit
from specs.compiled import EnvValue, Limits
from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually
from tests.launch.bench import SOCKET, Bench, make_agent

SECRET = "sk-this-is-the-secret"  # noqa: S105 - made up


def test_an_agent_runs_as_declared(bench: Bench) -> None:
    bench.declare(
        make_agent("a", limits=Limits(memory_max="100M", cpu_weight=50, tasks_max=50), working_directory="/var")
    )
    bench.start("a")
    pid = bench.alive("a")
    facts = bench.host.tmux(
        SOCKET, "display-message", "-p", "-t", "=a:",
        "#{pane_pid}|#{window_width}x#{window_height}|#{window-size}|#{remain-on-exit}|#{pane_current_path}"
        "|#{@mosaic_agent}|#{@mosaic_fleet}|#{@mosaic_launch}",
    ).stdout.strip()  # fmt: skip
    digest = bench.panes()[0]["@mosaic_launch"]
    assert facts == f"{pid}|200x50|manual|on|/var|a|canary|{digest}"
    [scope] = bench.scopes("a")
    assert f"/{scope}" in bench.read(f"/proc/{pid}/cgroup")
    shown = bench.host.systemctl("show", scope, "-p", "MemoryMax,CPUWeight,TasksMax,TimeoutStopUSec,Slice").stdout
    assert sorted(shown.split()) == [
        "CPUWeight=50",
        "MemoryMax=104857600",
        "Slice=mosaic-panes.slice",
        "TasksMax=50",
        "TimeoutStopUSec=5s",
    ]
    assert bench.papers() == []


def test_nothing_but_the_holder_owns_a_tmux_server(bench: Bench) -> None:
    bench.declare(make_agent("a"))
    bench.start("a")
    bench.alive("a")
    server = bench.host.tmux(SOCKET, "display-message", "-p", "#{pid}").stdout.strip()
    assert "/mosaic-tmux-holder.service" in bench.read(f"/proc/{server}/cgroup")
    cgroup = bench.host.systemctl("show", agent_unit("a"), "-p", "ControlGroup,TasksCurrent,MainPID").stdout
    assert "MainPID=0" in cgroup


def test_starting_what_runs_is_a_no_op(bench: Bench) -> None:
    bench.declare(make_agent("a"))
    bench.start("a")
    pid = bench.alive("a")
    for _ in range(3):
        done = bench.program("agent-start", "a")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    bench.host.systemctl("reload", agent_unit("a"))
    assert bench.alive("a") == pid
    assert bench.agents() == ["a"]
    assert bench.papers() == []


def test_stop_restart_and_start_again(bench: Bench) -> None:
    bench.declare(make_agent("a"))
    bench.start("a")
    first = bench.alive("a")
    bench.host.systemctl("restart", agent_unit("a"))
    second = bench.alive("a")
    assert second != first
    assert bench.agents() == ["a"]
    bench.stop("a")
    assert (bench.panes(), bench.agents(), bench.scopes("a")) == ([], [], [])
    bench.stop("a")
    assert bench.program("agent-stop", "a").returncode == 0
    bench.start("a")
    bench.alive("a")


@pytest.mark.parametrize("verb", ["restart", "reload"])
def test_a_dead_pane_is_kept_and_then_replaced(bench: Bench, verb: str) -> None:
    bench.declare(make_agent("a"))
    bench.start("a")
    bench.alive("a")
    bench.type("a", "/crash 7")
    bench.dead("a", "7")
    assert "/crash 7" in bench.screen("a")
    bench.host.systemctl(verb, agent_unit("a"))
    bench.alive("a")
    assert bench.agents() == ["a"]


def test_names_that_begin_alike_are_different_agents(bench: Bench) -> None:
    names = ["a", "a-b", "a.b", "ab"]
    bench.declare(*(make_agent(name) for name in names))
    for name in names:
        bench.start(name)
    pids = {name: bench.alive(name) for name in names}
    bench.stop("a")
    assert bench.agents() == ["a-b", "a.b", "ab"]
    bench.start("a")
    assert bench.alive("a") != pids.pop("a")
    bench.stop("a-b")
    assert bench.agents() == ["a", "a.b", "ab"]
    assert bench.alive("a.b") == pids["a.b"]
    assert bench.alive("ab") == pids["ab"]


@pytest.mark.parametrize("socket", [SOCKET, ""])
def test_a_session_that_is_not_ours_is_left_alone(bench: Bench, socket: str) -> None:
    bench.declare(make_agent("a", socket=socket), socket=socket)
    bench.host.systemctl("start", "mosaic-tmux-holder.service")
    bench.host.tmux(socket, "new-session", "-d", "-s", "a", "sleep", "infinity")
    [before] = bench.panes(socket)
    assert bench.start("a", check=False) != 0
    assert bench.program("agent-start", "a").returncode == 73
    assert bench.program("agent-stop", "a").returncode == 0
    assert bench.panes(socket) == [before]


def test_the_default_server_is_used_without_a_name(bench: Bench) -> None:
    bench.host.tmux("", "new-session", "-d", "-s", "mine", "sleep", "infinity")
    bench.declare(make_agent("a", socket=""), socket="")
    bench.start("a")
    bench.alive("a", socket="")
    assert bench.host.tmux("", "show-options", "-g", "-v", "remain-on-exit").stdout.strip() == "off"
    assert bench.host.tmux("", "show-options", "-s", "-v", "exit-empty").stdout.strip() == "on"
    bench.stop("a")
    bench.host.systemctl("stop", "mosaic-tmux-holder.service")
    assert [row["session_name"] for row in bench.panes("")] == ["mine"]


@pytest.mark.parametrize("how", ["", " stubborn"])
def test_a_daemon_that_is_left_over_blocks_nothing_and_ends_on_stop(bench: Bench, how: str) -> None:
    bench.declare(make_agent("a"))
    bench.start("a")
    bench.alive("a")
    bench.type("a", f"/spawn{how}")
    bench.shows("a", f"> /spawn{how}")
    bench.type("a", "/crash")
    bench.dead("a", "1")
    [leftover] = bench.scopes("a")
    bench.host.systemctl("reload", agent_unit("a"))
    bench.alive("a")
    assert len(bench.scopes("a")) == 2
    assert leftover in bench.scopes("a")
    bench.stop("a")
    eventually(lambda: bench.scopes("a") == [], timeout=90, what="the end of the agent's scopes")
    assert bench.host.run(["pgrep", "-f", "mosaic-stub-daemon"], check=False).stdout == ""


def test_a_missing_program_leaves_a_pane_that_says_so(bench: Bench) -> None:
    bench.declare(make_agent("a", argv=("claude-is-not-here",)))
    bench.start("a")
    bench.dead("a", "127")
    assert 'mosaic: cannot find "claude-is-not-here" on PATH=' in bench.screen("a")
    bench.declare(make_agent("a"))
    bench.host.systemctl("restart", agent_unit("a"))
    bench.alive("a")


def test_a_missing_working_directory_starts_nothing(bench: Bench) -> None:
    bench.declare(make_agent("a", working_directory="/no/such"))
    assert bench.start("a", check=False) != 0
    shown = bench.host.systemctl("show", agent_unit("a"), "-p", "Result,ExecMainStatus").stdout.split()
    assert sorted(shown) == ["ExecMainStatus=72", "Result=exit-code"]
    assert bench.panes() == []


def test_a_move_to_another_server_leaves_no_one_behind(bench: Bench) -> None:
    bench.declare(make_agent("a"))
    bench.start("a")
    bench.alive("a")
    bench.declare(make_agent("a", socket="mosaic-other"))
    bench.host.systemctl("reload", "mosaic-tmux-holder.service")
    assert bench.program("agent-start", "a").returncode == 0
    bench.alive("a", socket="mosaic-other")
    eventually(lambda: bench.agents() == ["a"], what="one agent")
    assert bench.panes() == []
    bench.declare(make_agent("a"))
    bench.host.systemctl("restart", agent_unit("a"))
    bench.alive("a")
    assert (bench.agents(), bench.panes("mosaic-other")) == (["a"], [])


def test_a_secret_shows_nowhere(bench: Bench) -> None:
    bench.write("/run/key", SECRET + "-in-a-file\n", 0o600)
    bench.host.systemctl("set-environment", f"SOURCE_TOKEN={SECRET}")
    agents = [
        make_agent("a", env={"TOKEN": EnvValue(from_env="SOURCE_TOKEN"), "KEY": EnvValue(from_file="/run/key")}),
        make_agent("b"),
    ]
    try:
        bench.declare(*agents)
        bench.start("a")
        bench.start("b")
        pids = [bench.alive("a"), bench.alive("b")]
        bench.type("a", "/env TOKEN")
        bench.shows("a", f"TOKEN={SECRET}")
        environments = [bench.read(f"/proc/{pid}/environ") for pid in pids]
        assert [SECRET in environment for environment in environments] == [True, False]
        everywhere = [
            *(path.read_text(errors="replace") for path in bench.host.path_outside("/proc").glob("[0-9]*/cmdline")),
            bench.host.tmux(SOCKET, "show-environment", "-g").stdout,
            bench.host.tmux(SOCKET, "show-environment", "-t", "=a:").stdout,
            bench.host.tmux(SOCKET, "show-options", "-t", "=a:").stdout,
            bench.host.systemctl("show", agent_unit("a"), *bench.scopes("a"), "mosaic-tmux-holder.service").stdout,
            bench.host.run(
                ["grep", "-rs", SECRET, str(bench.facts.runtime_dir), bench.facts.mosaic_home], check=False
            ).stdout,
        ]
        assert not [text for text in everywhere if SECRET in text]
    finally:
        bench.host.systemctl("unset-environment", "SOURCE_TOKEN")


def test_enabled_agents_come_back_with_the_manager(private_host: PrivateHost, bench: Bench) -> None:
    bench.declare(make_agent("a"), make_agent("b"))
    bench.host.systemctl("enable", "--now", agent_unit("a"))
    bench.start("b")
    bench.alive("a")
    bench.alive("b")
    server = bench.host.tmux(SOCKET, "display-message", "-p", "#{pid}").stdout.strip()
    bench.host.kill_manager()
    for pid in [server, *(row["pane_pid"] for row in bench.panes())]:
        bench.kill(int(pid))
    for folder in ("mosaic", "systemd/transient"):  # what a boot begins without
        bench.host.run(["rm", "-rf", f"{bench.facts.runtime_dir}/{folder}"])
    private_host.start_manager()
    bench.alive("a")
    assert bench.agents() == ["a"]
