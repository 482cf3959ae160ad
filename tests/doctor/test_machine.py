"""On a booted machine with logind: which kind of shell it is, and that its mend makes it right."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from tests.hosts.machine import Machine
from tests.hosts.namespace import CHECKOUT

CODE = "from reconciler.commands.mosaic import main; main()"


def doctor(machine: Machine, user: str, env: dict[str, str], before: list[str]) -> dict[str, dict[str, Any]]:
    """The checks by name, in a shell of `user` that has typed the lines `before`."""
    script = "\n".join([*before, 'exec "$0" -c "$1" doctor -o json'])
    done = machine.run(
        ["sh", "-c", script, sys.executable, CODE], user, env={"PYTHONPATH": str(CHECKOUT), **env}, check=False
    )
    assert done.stdout, done.stderr
    return {check["name"]: check for check in json.loads(done.stdout)["checks"]}


@pytest.fixture(scope="module")
def users(machine: Machine) -> Machine:
    for name in ("ada", "eve"):
        machine.useradd(name)
    return machine


def test_nobody_is_logged_in_and_linger_is_off(users: Machine) -> None:
    checks = doctor(users, "ada", {}, [])
    found = checks["user-manager"]
    assert found["result"] == "fail"
    assert "ada is not logged in and has no linger" in found["found"]
    assert (checks["linger"]["result"], checks["linger"]["mend"]) == ("warn", ["sudo loginctl enable-linger ada"])
    linger, export = found["mend"]
    users.run(linger.removeprefix("sudo ").split())
    users.wait_for_user("ada")
    after = doctor(users, "ada", {}, [export])
    assert (after["user-manager"]["result"], after["linger"]["result"]) == ("ok", "ok")
    assert after["user-manager"]["found"] == "systemd answers on the user bus"


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({}, "XDG_RUNTIME_DIR is not set (a shell from su or cron)"),
        ({"SUDO_USER": "eve", "SUDO_UID": "1001"}, "XDG_RUNTIME_DIR is not set (a shell from sudo, by eve)"),
        ({"XDG_RUNTIME_DIR": "/run/user/4711"}, "XDG_RUNTIME_DIR=/run/user/4711 does not exist"),
    ],
)
def test_a_shell_without_the_runtime_folder(users: Machine, env: dict[str, str], words: str) -> None:
    users.enable_linger("ada")
    check = doctor(users, "ada", env, [])["user-manager"]
    assert check["result"] == "fail"
    assert words in check["found"]
    assert doctor(users, "ada", env, check["mend"])["user-manager"]["result"] == "ok"


def test_a_shell_from_su_that_kept_the_environment(users: Machine) -> None:
    users.enable_linger("ada")
    users.enable_linger("eve")
    check = doctor(users, "ada", users.user_env("eve"), [])["user-manager"]
    assert "belongs to eve, and you are ada: a shell from su" in check["found"]
    assert doctor(users, "ada", users.user_env("eve"), check["mend"])["user-manager"]["result"] == "ok"


def test_root_by_sudo(users: Machine) -> None:
    check = doctor(users, "root", {"SUDO_USER": "ada"}, [])["user-manager"]
    assert (check["result"], check["mend"]) == ("fail", ["mosaic doctor"])
    assert "as root, through sudo" in check["found"]


def test_a_user_bus_that_is_not_installed(users: Machine) -> None:
    users.enable_linger("ada")
    env = users.user_env("ada")
    users.user_run("ada", ["systemctl", "--user", "stop", "dbus.socket", "dbus.service"])
    check = doctor(users, "ada", env, [])["user-manager"]
    assert check["result"] == "warn"
    assert "there is no user bus" in check["found"]
    assert check["mend"][0] == "sudo apt install dbus-user-session"
    users.user_run("ada", check["mend"][1].split())
    assert doctor(users, "ada", env, [])["user-manager"]["result"] == "ok"


def test_a_manager_that_was_stopped(users: Machine) -> None:
    users.enable_linger("eve")
    uid = users.uid("eve")
    users.run(["systemctl", "stop", f"user@{uid}.service"])
    check = doctor(users, "eve", {}, [])["user-manager"]
    assert check["result"] == "fail"
    start, export = check["mend"]
    assert start == f"sudo systemctl start user@{uid}.service"
    users.run(start.removeprefix("sudo ").split())
    assert doctor(users, "eve", {}, [export])["user-manager"]["result"] == "ok"


@pytest.mark.parametrize("linger", ["enable-linger", "disable-linger"])
@pytest.mark.parametrize("runtime", ["set", "not set", "of another"])
def test_the_mend_of_a_manager_that_was_stopped(users: Machine, runtime: str, linger: str) -> None:
    """Newer systemds keep the user's folder, with dead sockets in it; the mend, as typed, makes it right."""
    users.enable_linger("ada")
    users.enable_linger("eve")
    uid = users.uid("eve")
    users.run(["loginctl", linger, "eve"])
    users.run(["systemctl", "stop", f"user@{uid}.service"])
    env = {"set": users.user_env("eve"), "not set": {}, "of another": users.user_env("ada")}[runtime]
    check = doctor(users, "eve", env, [])["user-manager"]
    assert check["result"] == "fail"
    as_root = [line.removeprefix("sudo ") for line in check["mend"] if line.startswith("sudo ")]
    assert as_root
    for line in as_root:
        users.run(line.split())
    users.wait_for_user("eve")
    typed = [line for line in check["mend"] if not line.startswith("sudo ")]
    assert doctor(users, "eve", env, typed)["user-manager"]["result"] == "ok"
