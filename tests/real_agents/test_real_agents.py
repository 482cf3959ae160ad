"""The four real programs, declared in git and run on one host: claude, codex, pi and opencode.

One file, so that one worker runs all of it (xdist spreads by file) and the programs start but three times.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from tests.hosts.namespace import CHECKOUT
from tests.hosts.waiting import eventually
from tests.real_agents.bench import RealFleet
from tests.real_agents.offline import EmptyNetwork

EACH = ("claude", "codex", "pi", "opencode", "shared")
RECONCILER = "test-reconciler.service"


def assert_the_same(fleet: RealFleet, before: Mapping[str, int]) -> None:
    panes = fleet.panes()
    assert {name: pane.pid for name, pane in panes.items()} == before
    assert not [name for name, pane in panes.items() if pane.dead]


def test_each_comes_up_in_its_pane(fleet: RealFleet) -> None:
    fleet.reconcile().assert_converged()
    assert sorted(fleet.panes()) == sorted(EACH)
    fleet.wait_until_ready()


def test_nothing_leaves_this_machine(running: RealFleet, network: EmptyNetwork) -> None:
    assert network.interfaces() == ["lo"]
    proc = running.host.path_outside("/proc")
    networks = {os.readlink(proc / str(pid) / "ns/net") for pid in running.pids().values()}
    assert networks == {network.call(lambda: os.readlink("/proc/thread-self/ns/net"))}
    assert os.readlink("/proc/thread-self/ns/net") not in networks


def test_each_takes_its_model_and_its_unattended_mode(running: RealFleet) -> None:
    shown = {
        "claude": ("Sonnet 4.5", "bypass permissions on"),
        "codex": ("chosen default", "permissions: YOLO mode"),
        "pi": ("chosen",),
        "opencode": ("Build auto", "chosen fake"),
        "shared": ("first default",),
    }
    screens = {name: running.screen(name) for name in shown}
    missing = [(name, word) for name, words in shown.items() for word in words if word not in screens[name]]
    assert missing == [], "\n".join(screens[name] for name, _ in missing)


def test_claude_is_held_to_its_window(running: RealFleet) -> None:
    """And starts without a warning about any of it: it would stop there."""
    environ = (running.host.path_outside("/proc") / str(running.pids()["claude"]) / "environ").read_bytes()
    told = {b"CLAUDE_CODE_DISABLE_1M_CONTEXT=1", b"CLAUDE_CODE_AUTO_COMPACT_WINDOW=200000"}
    assert told <= set(environ.split(b"\0"))
    screen = running.screen("claude").lower()
    assert [word for word in ("invalid", "warning", "unrecognized") if word in screen] == [], screen


def test_each_is_known_by_its_process(running: RealFleet) -> None:
    """What identification stands on: the pane's own process bears the program's name."""
    pids = running.pids()
    trees = {name: running.processes(name) for name in EACH}
    top = {name: trees[name][pids[name]].comm for name in EACH}
    assert top == {"claude": "claude", "codex": "codex", "pi": "pi", "opencode": "opencode", "shared": "codex"}


def test_a_second_run_does_nothing_with_two_processes(running: RealFleet) -> None:
    before = running.pids()
    run = running.reconcile()
    run.assert_converged()
    assert run.actions == []
    assert len(run.started) <= 2, run.started
    assert_the_same(running, before)


def test_only_the_codex_that_may_use_a_daemon_has_one(running: RealFleet) -> None:
    eventually(lambda: running.daemons("shared"), timeout=90, what="the daemon of codex")
    assert not running.daemons("codex")


def test_they_outlive_the_reconciler(running: RealFleet) -> None:
    before = running.pids()
    command = [sys.executable, "-m", "reconciler", "--watch", str(running.repository)]
    options = ["--quiet", f"--unit={RECONCILER}", "-p", "Type=notify", "-p", "Restart=always", "-p", "RestartSec=0"]
    environment = [f"--setenv=PYTHONPATH={CHECKOUT}"]
    running.host.run(["systemd-run", "--user", *options, *environment, "--", *command])
    running.host.systemctl("restart", RECONCILER)
    assert_the_same(running, before)
    running.host.systemctl("kill", "--signal=KILL", RECONCILER)
    eventually(lambda: _restarts(running) == "1 active", timeout=90, what="the reconciler's return")
    assert_the_same(running, before)
    running.host.systemctl("stop", RECONCILER)
    assert_the_same(running, before)


def _restarts(fleet: RealFleet) -> str:
    shown = fleet.host.systemctl("show", "-P", "NRestarts", "-P", "ActiveState", RECONCILER).stdout
    return " ".join(sorted(shown.split()))


def test_codex_starts_beside_the_daemon_of_another(running: RealFleet) -> None:
    """They share a CODEX_HOME. With other flags, codex would stop at a question about the daemon that runs there."""
    before = running.pids()
    daemons = eventually(lambda: running.daemons("shared"), timeout=90, what="the daemon of codex")
    for state in ("stopped", "running"):
        running.commit(f"codex: {state}", {"codex": state})
        running.reconcile().assert_converged()
    running.wait_until_ready(("codex",), timeout=90)
    after = running.pids()
    assert [name for name in EACH if after[name] != before[name]] == ["codex"]
    assert running.daemons("shared") == daemons


def test_each_is_healed_when_it_is_killed(running: RealFleet) -> None:
    """The daemon that one codex leaves behind neither passes for it nor stands in the way of the next."""
    before, daemons = running.pids(), running.daemons("shared")
    running.kill_panes(*EACH)
    assert daemons
    assert daemons <= running.daemons("shared")
    plan = running.reconcile("--dry-run").document
    planned = {(action["agent"], action["reason"]) for action in plan["actions"]}
    assert planned == {(name, "unhealthy") for name in EACH}, plan["held"]
    running.reconcile().assert_converged()
    after = running.pids()
    assert sorted(after) == sorted(EACH)
    assert not set(after.values()) & set(before.values())
    running.wait_until_ready()
    again = running.reconcile()
    again.assert_converged()
    assert again.actions == []
    assert_the_same(running, after)


def test_a_stopped_agent_leaves_no_process_behind_and_can_come_back(running: RealFleet) -> None:
    assert running.daemons("shared")
    running.commit("Stop them all", dict.fromkeys(EACH, "stopped"))
    running.reconcile("--allow-removals", str(len(EACH))).assert_converged()
    assert running.panes() == {}
    assert running.scopes() == []
    assert [process for name in EACH for process in running.processes(name).values()] == []

    running.commit("Start the quick ones again", {"codex": "running", "pi": "running"})
    running.reconcile().assert_converged()
    running.wait_until_ready(("codex", "pi"))
