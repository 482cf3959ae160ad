"""Who is logged in, and how: su without a session, no linger, and an administrator who does not allow it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.booted.tenant import BIN, SOON, Tenant
from tests.hosts import Machine, eventually

# The administrator's own rule: gus may not linger.
RULE = """
polkit.addRule(function(action, subject) {
    if (action.id == "org.freedesktop.login1.set-self-linger" && subject.user == "gus") return polkit.Result.NO;
});
"""


def test_nobody_is_logged_in(machine: Machine) -> None:
    fay = Tenant.create(machine, "fay")
    done = machine.run([BIN / "reconcile", fay.repo], fay.user, check=False)
    assert done.returncode == 69
    assert done.stdout == ""
    assert done.stderr == (
        "error: cannot reach the systemd user manager: XDG_RUNTIME_DIR is not set (a shell from su, sudo or cron); fay "
        "is not logged in and has no linger\n"
        "help: run: sudo loginctl enable-linger fay\n"
    )
    assert not machine.path_outside("/home/fay/.config/mosaic").exists()
    # As it says:
    machine.run(["loginctl", "enable-linger", fay.user])
    machine.wait_for_user(fay.user)
    fay.reconcile()
    fay.up()


def test_a_shell_from_su_has_no_runtime_folder(machine: Machine) -> None:
    hal = Tenant.create(machine, "hal")
    hal.start_manager()
    commands: list[list[str | Path]] = [[BIN / "reconcile", hal.repo], [BIN / "mosaic", "fleet", "install", hal.repo]]
    for command in commands:
        done = machine.run(command, hal.user, check=False)
        assert done.returncode == 69
        assert "XDG_RUNTIME_DIR is not set (a shell from su, sudo or cron)" in done.stdout + done.stderr
        assert f"run: export XDG_RUNTIME_DIR=/run/user/{hal.uid}" in done.stdout + done.stderr
    assert hal.agents() == {}
    mended = machine.run([BIN / "reconcile", hal.repo], hal.user, env={"XDG_RUNTIME_DIR": f"/run/user/{hal.uid}"})
    assert "Converged" in mended.stdout
    hal.up()


@pytest.mark.parametrize("whose", ["root", "ivy"])
def test_a_shell_with_the_runtime_folder_of_another(machine: Machine, whose: str) -> None:
    jim = Tenant.create(machine, f"jim-{whose}")
    jim.start_manager()
    if whose != "root":
        machine.useradd(whose)
    uid = machine.uid(whose)
    machine.run(["systemctl", "start", f"user@{uid}.service"])
    done = machine.run([BIN / "reconcile", jim.repo], jim.user, env=machine.user_env(whose), check=False)
    assert done.returncode == 69
    assert f"XDG_RUNTIME_DIR=/run/user/{uid} belongs to {whose}, and you are {jim.user}" in done.stderr
    assert f"run: export XDG_RUNTIME_DIR=/run/user/{jim.uid} DBUS_SESSION_BUS_ADDRESS=" in done.stderr


@contextmanager
def logged_in(machine: Machine, user: str) -> Iterator[None]:
    """A login of the user's, as logind sees one, and its end."""
    pam = ["--property=PAMName=login", f"--property=User={user}"]
    argv = ["systemd-run", "--quiet", "--wait", "--pipe", *pam, "sh", "-c", "echo hello; cat"]
    with machine.popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
        assert session.stdin is not None
        assert session.stdout is not None
        assert "hello" in session.stdout.readline()
        machine.wait_for_user(user)
        yield
        session.stdin.close()


def test_without_linger_the_end_of_a_login_is_the_end_of_the_agents(machine: Machine) -> None:
    """That is why the run says what is missing, and who can mend it."""
    machine.run(["tee", "/etc/polkit-1/rules.d/10-linger.rules"], input=RULE)
    machine.run(["mkdir", "-p", "/etc/systemd/logind.conf.d"])
    machine.run(["tee", "/etc/systemd/logind.conf.d/test.conf"], input="[Login]\nUserStopDelaySec=0\n")
    machine.run(["systemctl", "restart", "systemd-logind.service"])
    gus = Tenant.create(machine, "gus")
    with logged_in(machine, gus.user):
        said = gus.reconcile(code=1).stdout
        assert "linger for gus cannot be set" in said
        assert "run: sudo loginctl enable-linger gus" in said
        agents = gus.up()
    eventually(lambda: not gus.agents(), timeout=SOON, what="the end of the agents")
    assert not gus.lingers()
    machine.run(["loginctl", "enable-linger", gus.user])
    machine.wait_for_user(gus.user)
    assert not set(gus.up().values()) & set(agents.values())
    assert "No changes" in gus.reconcile().stdout
