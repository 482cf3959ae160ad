"""Whose home and which host: a run that would take another for its own is refused (5) before anything is touched."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import pytest

from tests.scenarios.fleet import Fleet, Run

REFUSED = 5


def begin(fleet: Fleet) -> dict[str, int]:
    fleet.declare("a", "b", working_directory="~")
    fleet.converge()
    return fleet.pids()


def untouched(fleet: Fleet, run: Run, before: Mapping[str, int], *said: str) -> None:
    assert run.code == REFUSED, run.out + run.err
    assert all(word in run.err for word in said), run.err
    assert fleet.pids() == before
    assert fleet.converge().done == []
    assert fleet.up("a", "b") == before


def mosaic(*args: str) -> list[str]:
    return [sys.executable, "-c", "from reconciler.commands.mosaic import main; main()", *args]


ELSEWHERE = {
    "home": ({"HOME": "/tmp/other"}, ("HOME is /tmp/other in this shell", "export HOME=")),
    "sudo": (
        {"HOME": "/tmp/other", "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": ""},
        ("HOME is /tmp/other in this shell", "nothing was changed"),
    ),
    "config": ({"XDG_CONFIG_HOME": "/tmp/other/.config"}, ("does not look for units", "XDG_CONFIG_HOME=")),
    "mosaic": (
        {"MOSAIC_HOME": "/tmp/other/mosaic"},
        ("MOSAIC_HOME is /tmp/other/mosaic in this shell", "--rebind-host"),
    ),
    "state": ({"XDG_STATE_HOME": "/tmp/other/state"}, ("XDG_STATE_HOME is", "--rebind-host")),
}


@pytest.mark.parametrize("which", ELSEWHERE)
def test_another_home_is_refused_three_times(fleet: Fleet, which: str) -> None:
    env, said = ELSEWHERE[which]
    before = begin(fleet)
    fleet.sh("mkdir -p /tmp/other")
    for args in ((), (), ("--dry-run",)):
        run = fleet.reconcile(*args, env=env)
    untouched(fleet, run, before, *said)
    assert fleet.sh("ls -A /tmp/other") == ""


@pytest.mark.parametrize("home", ["/tmp/link", "/tmp/link/", "{home}/", "{home}/."])
def test_the_same_home_by_another_name_is_the_same(fleet: Fleet, home: str) -> None:
    before = begin(fleet)
    fleet.sh(f"ln -s {fleet.host.home} /tmp/link")
    named = home.format(home=fleet.host.home)
    for env in ({"XDG_CONFIG_HOME": f"{named}/.config", "XDG_STATE_HOME": ""}, {}):
        run = fleet.reconcile(env={"HOME": named, **env})
        assert (run.code, run.document["actions"], fleet.pids()) == (0, [], before), run.err


@pytest.mark.parametrize(
    "command",
    [
        ("update",),
        ("update", "--dry-run"),
        ("update", "--rollback"),
        ("fleet", "ps"),
        ("fleet", "verify"),
        ("fleet", "uninstall", "--purge", "--yes"),
        ("agent", "reset", "a", "--restart", "--force"),
    ],
    ids=" ".join,
)
def test_no_command_acts_or_looks_from_another_home(fleet: Fleet, command: tuple[str, ...]) -> None:
    before = begin(fleet)
    fleet.sh("mkdir -p /tmp/other")
    run = fleet.run(mosaic(*command), env={"HOME": "/tmp/other"})
    untouched(fleet, run, before, "HOME is /tmp/other in this shell", "export HOME=")
    assert fleet.sh("ls -A /tmp/other") == ""


def test_a_login_session_makes_no_difference(fleet: Fleet) -> None:
    before = begin(fleet)
    run = fleet.reconcile(env={"XDG_SESSION_ID": "3", "XDG_SESSION_TYPE": "tty", "XDG_SEAT": "seat0"})
    assert (run.code, fleet.pids()) == (0, before)


def test_without_the_manager_no_home_is_judged(fleet: Fleet) -> None:
    """It cannot be asked; nothing is ended either."""
    before = begin(fleet)
    fleet.host.kill_manager()
    run = fleet.reconcile()
    assert (run.code, run.disruptive) == (69, [])
    assert fleet.pids() == before
    fleet.restart_manager()


def two_hosts(fleet: Fleet) -> dict[str, int]:
    fleet.sh("hostname alpha")
    fleet.agents = {"a": {"runtime": "stub", "host": "alpha"}, "b": {"runtime": "stub", "host": "beta"}}
    fleet.commit()
    fleet.converge()
    before = fleet.pids()
    assert before.keys() == {"a"}
    return before


def test_a_host_that_comes_up_with_the_name_of_another(fleet: Fleet) -> None:
    before = two_hosts(fleet)
    fleet.sh("hostname beta")
    for args in (("--dry-run",), (), ("--watch",)):
        run = fleet.reconcile(*args)
        assert run.code == REFUSED, run.out + run.err
        assert 'this host was "alpha" so far and is now called "beta"' in run.err
        assert "reconcile --rebind-host" in run.err
    assert fleet.reconcile("--host", "beta").code == REFUSED, "a name that is typed wrong is no better"
    assert fleet.reconcile("--host", "beta", "--dry-run").code == 0, "to look is allowed"
    assert fleet.run(mosaic("update")).code == REFUSED
    assert fleet.pids() == before
    fleet.sh("hostname alpha")
    assert fleet.converge().done == []


def test_renamed_on_purpose(fleet: Fleet) -> None:
    two_hosts(fleet)
    fleet.sh("hostname beta")
    assert fleet.reconcile("--rebind-host", "--dry-run").code == 0
    assert fleet.reconcile().code == REFUSED, "a preview keeps nothing"
    fleet.converge("--rebind-host")
    assert fleet.pids().keys() == {"b"}
    assert fleet.converge().done == []


def test_a_name_that_was_given_stays(fleet: Fleet) -> None:
    """The roster's name need not be the machine's: it is given once, and the next run has it from the first."""
    fleet.agents = {"a": {"runtime": "stub", "host": "alpha"}}
    fleet.commit()
    fleet.converge("--host", "alpha")
    assert fleet.pids().keys() == {"a"}
    assert fleet.converge().done == []
    before = fleet.pids()
    updated = fleet.run(mosaic("update"))
    assert (updated.code, fleet.pids()) == (0, before), updated.out + updated.err
    fleet.sh("hostname another")
    assert fleet.reconcile().code == REFUSED
    assert fleet.converge("--host", "alpha").done == [], "whoever says it knows it"


@pytest.mark.parametrize("name", ["ALPHA", "alpha.example.org"])
def test_the_same_name_in_other_letters_or_with_its_domain(fleet: Fleet, name: str) -> None:
    before = two_hosts(fleet)
    fleet.sh(f"hostname {name}")
    assert fleet.converge().done == []
    assert fleet.pids() == before


def test_a_copy_of_the_home_on_another_machine(fleet: Fleet) -> None:
    before = two_hosts(fleet)
    fleet.sh("echo 0123456789abcdef0123456789abcdef >/tmp/id; mount --bind /tmp/id /etc/machine-id")
    assert fleet.reconcile().code == 0, "an id that is laid over the file is of this boot only, and says nothing"
    binding = f"{fleet.host.home}/.config/mosaic/host.json"
    kept = fleet.read(binding)
    fleet.sh("umount /etc/machine-id")
    fleet.write(binding, kept.replace(kept.partition('"machine_id": "')[2][:8], "01234567"))
    run = fleet.reconcile()
    assert (run.code, fleet.pids()) == (REFUSED, before), run.err
    assert "on another machine (machine-id 01234567" in run.err
    assert fleet.converge("--rebind-host").done == []


def test_where_tmux_looks_is_said(fleet: Fleet) -> None:
    """A TMUX_TMPDIR of this shell leads `tmux attach` elsewhere; one of the manager leads no session there."""
    before = begin(fleet)
    fleet.host.systemctl("set-environment", "TMUX_TMPDIR=/var/tmp")
    fleet.kill(before["a"])
    assert fleet.reconcile(env={"TMUX_TMPDIR": "/var/tmp"}).code == 0
    assert fleet.sessions() == ["_holder", "a", "b"]
    env = {**fleet.env(), "TMUX_TMPDIR": "/var/tmp"}
    said = [
        fleet.host.run([*MOSAIC, *words], env=env, check=False)
        for words in (("fleet", "status", "--fleet", fleet.repo), ("doctor", "--fleet", fleet.repo))
    ]
    for run in said:
        text = " ".join((run.stdout + run.stderr).split())
        assert "env -u TMUX_TMPDIR tmux -L fleet attach" in text
    assert "TMUX_TMPDIR" not in fleet.cli("fleet", "status", "--fleet", fleet.repo).err


MOSAIC = (sys.executable, "-c", "from reconciler.commands.mosaic import main; main()")
