"""A host that is well, and one broken thing after the other: each is noticed, and its mend does mend it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.doctor.patient import MOSAIC, ROSTER, Patient
from tests.hosts.fixtures import RealHosts
from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually

# What a host without a time server, with the older control groups, and as small as its machine cannot help.
BEYOND_HELP = {"clock-sync", "memory-limits", "inotify", "disk-state", "disk-runtime", "disk-home"}


@pytest.fixture(scope="module")
def patient(real_hosts: RealHosts) -> Iterator[Patient]:
    with real_hosts(PrivateHost) as host:
        patient = Patient(host=host)
        patient.prepare()
        yield patient


def test_a_host_that_is_well(patient: Patient) -> None:
    bad: list[dict[str, Any]] = []

    def is_well() -> bool:
        checks = patient.doctor()["checks"]
        bad[:] = [check for check in checks if check["result"] != "ok" and check["name"] not in BEYOND_HELP]
        return not bad

    try:
        eventually(is_well, timeout=60, every=0.5)
    except AssertionError:
        raise AssertionError(f"not well: {bad}") from None
    report = patient.doctor()
    assert (report["fleet"], report["kind"]) == ("fleet", "DoctorReport")
    names = [check["name"] for check in report["checks"]]
    assert sorted(set(names)) == sorted(names), "a script asks for a check by its name"


def test_it_changes_nothing(patient: Patient) -> None:
    patient.rest()
    listing = ["find", ".config", ".local", "fleet", "/tmp", "-newermt", "@0", "-printf", "%p %m %s %T@\n"]

    def seen() -> list[str]:
        lines = patient.host.run(listing).stdout.splitlines()
        return sorted(line for line in lines if ".hb" not in line and "/run " not in line and ".turn" not in line)

    before = seen()
    patient.doctor()
    assert seen() == before
    patient.host.systemctl("start", "mosaic-reconcile.timer")


def test_the_text_fits_a_terminal_and_says_problems_last(patient: Patient) -> None:
    env = {**patient.env, "LC_ALL": "C"}
    text = patient.host.run([*MOSAIC, "doctor", "--all"], env=env, check=False).stdout
    assert text.isascii()
    assert "\x1b" not in text
    prose = [line for line in text.splitlines() if not line.lstrip().startswith("$ ")]
    assert [line for line in prose if len(line) > 80 and " " in line.strip()] == []
    assert text.index("\nprograms\n") < text.index("WARN     locale:")
    assert "           $ unset LC_ALL\n" in text
    short = patient.host.run([*MOSAIC, "doctor"], env=env, check=False).stdout
    assert "WARN     locale:" in short
    assert "\nprograms\n" not in short


def test_linger_is_off(patient: Patient) -> None:
    mark = patient.host.path_outside(f"/var/lib/systemd/linger/{patient.host.env['USER']}")
    mark.unlink()
    check = patient.check("linger")
    mark.touch()
    assert (check["result"], check["mend"]) == ("fail", [f"sudo loginctl enable-linger {patient.host.env['USER']}"])


def test_no_runtime_folder_in_the_environment(patient: Patient) -> None:
    bare = {"XDG_RUNTIME_DIR": "", "DBUS_SESSION_BUS_ADDRESS": ""}
    assert "XDG_RUNTIME_DIR is not set (a shell from su or cron)" in patient.cured("user-manager", "fail", env=bare)
    by_sudo = patient.check("user-manager", env={**bare, "SUDO_USER": "eve"})
    assert "a shell from sudo, by eve" in by_sudo["found"]


def test_the_runtime_folder_of_somebody_else(patient: Patient) -> None:
    patient.host.run(["install", "-d", "-o", "nobody", "-m", "0700", "/run/user/65534"])
    theirs = {"XDG_RUNTIME_DIR": "/run/user/65534", "DBUS_SESSION_BUS_ADDRESS": ""}
    assert "belongs to nobody, and you are" in patient.cured("user-manager", "fail", env=theirs)


def test_a_locale_without_letters(patient: Patient) -> None:
    assert "LC_ALL=C" in patient.cured("locale", "warn", env={"LC_ALL": "C", "LANG": ""})
    patient.cured("locale", "warn", env={"LC_ALL": "xx_YY.UTF-8"})
    for name in ("LC_ALL", "LANG"):
        patient.env.pop(name, None)


def test_a_folder_of_sockets_that_is_open(patient: Patient) -> None:
    patient.host.run(["sh", "-c", "chmod 777 /tmp/tmux-*"])
    assert "mode 0777" in patient.cured("tmux-folder", "fail")


def test_somebody_is_let_in_by_tmux(patient: Patient) -> None:
    patient.host.tmux("fleet", "server-access", "-a", "nobody")
    assert "nobody (may type)" in patient.cured("tmux-access-fleet", "fail")


def test_a_terminal_that_anybody_may_write_to(patient: Patient) -> None:
    tty = patient.host.tmux("fleet", "list-panes", "-t", "=coder0:", "-F", "#{pane_tty}").stdout.strip()
    patient.host.run(["chmod", "666", tty])
    assert f"{tty} has mode 0666" in patient.cured("pane-terminals-fleet", "fail")


def test_a_tmux_that_hangs_is_unknown_and_waited_for_in_bounds(patient: Patient) -> None:
    pid = patient.host.tmux("fleet", "display-message", "-p", "#{pid}").stdout.strip()
    patient.host.run(["kill", "-STOP", pid])
    try:
        report = patient.doctor()
    finally:
        patient.host.run(["kill", "-CONT", pid])
    results = {check["name"]: check["result"] for check in report["checks"]}
    assert results["tmux-socket-fleet"] == "unknown"
    assert results["cgroup-placement"] == "unknown"


def test_a_tmux_server_in_the_wrong_unit(patient: Patient) -> None:
    service = ["systemd-run", "--user", "--quiet", "--unit=mosaic-reconcile-watch", "-p", "Type=forking"]
    patient.commit(ROSTER.replace("class: enhancer", "class: enhancer, socket: stray"))
    patient.host.run([*service, "tmux", "-L", "stray", "-f", "/dev/null", "new-session", "-d", "-s", "other"])
    patient.type(["reconcile || true"])
    eventually(lambda: "tmux-socket-stray" in patient.results(), timeout=60, what="the second socket")
    check = patient.check("cgroup-placement")
    patient.host.systemctl("stop", "mosaic-reconcile-watch")
    patient.commit(ROSTER)
    patient.type(["reconcile"])
    assert check["result"] == "fail"
    assert "stopping the reconciler would end every agent" in check["found"]


def test_a_program_that_only_this_shell_finds(patient: Patient) -> None:
    folder = patient.host.home / "elsewhere"
    patient.write(
        f"{folder}/claude", "#!/bin/sh\n[ $# -eq 0 ] || { echo 2.1.197; exit; }\nexec sleep 1000\n", mode=0o755
    )
    patient.commit(ROSTER + "  - {name: third, runtime: claude, class: coder, command: [claude]}\n")
    patient.type(["reconcile || true"])
    missing = patient.check("runtime-claude")
    assert missing["result"] == "fail"
    assert missing["mend"][-1] == "npm install --global --prefix ~/.local @anthropic-ai/claude-code"
    path = {"PATH": f"{folder}:{patient.env['PATH']}"}
    check = patient.check("runtime-claude", env=path)
    assert check["result"] == "fail"
    assert f"{folder}/claude, which is not on an agent's PATH" in check["found"]
    patient.type(
        [line.replace("reconcile", "reconcile || true", 1) if line == "reconcile" else line for line in check["mend"]]
    )
    assert "2.1.197" in patient.check("runtime-claude")["found"]
    patient.commit(ROSTER)
    patient.type(["reconcile"])


def test_a_timer_that_was_stopped(patient: Patient) -> None:
    patient.host.systemctl("stop", "mosaic-reconcile.timer")
    patient.cured("reconciler", "fail")
    patient.host.systemctl("disable", "mosaic-reconcile.timer")
    assert "will not after a reboot" in patient.cured("reconciler", "fail")


def test_a_reconciler_that_died_long_ago(patient: Patient) -> None:
    patient.rest()
    status = patient.host.path_outside(f"{patient.host.home}/.local/state/mosaic/fleet/status.json")
    document = json.loads(status.read_text())
    document["updated_at"] = "2020-01-01T00:00:00Z"
    status.write_text(json.dumps(document))
    check = patient.check("last-run")
    assert check["result"] == "fail"
    assert "the reconciler is dead" in check["found"]
    assert check["mend"][0] == "systemctl --user restart mosaic-reconcile.timer"
    patient.type(check["mend"][:1])
    eventually(lambda: patient.check("last-run")["result"] == "ok", timeout=90, what="its next run", every=0.5)


def test_a_clock_that_was_set_back(patient: Patient) -> None:
    patient.rest()
    status = patient.host.path_outside(f"{patient.host.home}/.local/state/mosaic/fleet/status.json")
    before = status.read_text()
    document = json.loads(before)
    document["updated_at"] = "2090-01-01T00:00:00Z"
    status.write_text(json.dumps(document))
    check = patient.check("clock")
    status.write_text(before)
    patient.host.systemctl("start", "mosaic-reconcile.timer")
    assert check["result"] == "warn"
    assert "the clock was set back by at least" in check["found"]


def test_a_full_disk(patient: Patient) -> None:
    patient.host.run(["mkdir", "-p", "/run/tiny"])
    patient.host.run(["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=50", "tiny", "/run/tiny"])
    report = patient.doctor(env={"XDG_STATE_HOME": "/run/tiny", "MOSAIC_HOME": "/run/tiny"})
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["disk-state"]["result"] == "fail"
    assert "df -h /run/tiny/mosaic" in checks["disk-state"]["mend"]
    assert checks["disk-home"]["result"] == "fail"
    assert checks["environment"]["result"] == "warn"
    patient.host.run(["mount", "-o", "remount,ro", "/run/tiny"])
    read_only = patient.check("disk-state", env={"XDG_STATE_HOME": "/run/tiny"})
    assert "read-only" in read_only["found"]


def test_files_that_others_may_change(patient: Patient) -> None:
    patient.host.run(["chmod", "0777", f"{patient.host.home}/.local/state/mosaic"])
    patient.host.run(["chmod", "0755", f"{patient.host.home}/.config/mosaic/fleet/agents"])
    assert "others may change it" in patient.cured("file-modes", "fail")


def test_a_repository_of_somebody_else(patient: Patient) -> None:
    patient.host.run(["chown", "-R", "nobody", f"{patient.host.home}/fleet"])
    patient.cured("source", "fail")
    patient.host.run(["chown", "-R", "root", f"{patient.host.home}/fleet"])


def test_hands_off(patient: Patient) -> None:
    patient.type(["mosaic fleet pause --reason looking --by ada", "mosaic fleet suspend coder0 --reason pairing"])
    patient.cured("kill-switch", "warn")
    assert "pairing" in patient.cured("suspensions", "warn")


def test_what_an_older_install_has_left(patient: Patient) -> None:
    home, units = patient.host.home, f"{patient.host.home}/.config/systemd/user"
    for name in ("mosaic-agent@.service", "mosaic-fleet-orchestrator.service"):
        patient.write(f"{units}/{name}", "[Service]\nExecStart=/bin/true\n")
    patient.write(f"{home}/.config/mosaic/fleet/agents/old.env", "MOSAIC_AGENT_NAME=old\n")
    patient.write(f"{home}/.config/mosaic/fleet/run/old.hb", "ts=2020-01-01T00:00:00Z pid=1 status=ok\n")
    patient.write(f"{home}/.config/mosaic/fleet/roster.yaml", "version: 1\n")
    patient.write(f"{home}/.config/mosaic/tools/fleet/start-agent-session.sh", "#!/bin/bash\n")
    wants = f"{units}/default.target.wants"
    patient.host.run(["ln", "-s", f"{units}/mosaic-agent@.service", f"{wants}/mosaic-agent@old.service"])
    patient.host.run(["ln", "-s", "/nowhere/mos-claude.service", f"{wants}/mos-claude.service"])
    results = patient.results()
    wanted = {"old-units": "fail", "other-units": "warn", "old-environments": "fail", "heartbeats-of-nobody": "warn",
              "agents-of-nobody": "warn", "broken-links": "warn", "older-files": "warn"}  # fmt: skip
    assert {name: results.get(name) for name in wanted} == wanted
    for name in wanted:
        mend = next(check["mend"] for check in patient.doctor()["checks"] if check["name"] == name)
        patient.type(mend)
    assert patient.results()["leftovers"] == "ok"


def test_a_settings_file_that_cannot_be_trusted(patient: Patient) -> None:
    patient.host.run(["chmod", "0666", f"{patient.host.home}/.config/mosaic/reconcile.toml"])
    assert "it says whom to trust" in patient.cured("settings", "fail")


def test_keys_that_are_not_there(patient: Patient) -> None:
    file = patient.host.path_outside(f"{patient.host.home}/.config/mosaic/reconcile.toml")
    before = file.read_text()
    file.write_text(f'{before}\nverify = "all"\nallowed_signers = "/nowhere/signers"\n')
    check = patient.check("trust")
    file.write_text(before)
    assert check["result"] == "fail"
    assert "/nowhere/signers" in check["found"]


def test_a_machine_without_anything(patient: Patient) -> None:
    """No systemctl, no tmux, no git, no bus, no fleet: it says so, and nothing else happens."""
    nothing = {
        "PATH": "/nowhere", "XDG_RUNTIME_DIR": "/nowhere", "DBUS_SESSION_BUS_ADDRESS": "", "HOME": "/nowhere",
        "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": "",
    }  # fmt: skip
    done = patient.host.run(
        [sys.executable, *MOSAIC[1:], "doctor", "-o", "json"], env={**patient.env, **nothing}, check=False
    )
    assert (done.returncode, done.stderr) == (3, "")
    results = {check["name"]: check["result"] for check in json.loads(done.stdout)["checks"]}
    assert {name: results[name] for name in ("systemd", "tmux", "git", "user-manager", "fleet")} == {
        "systemd": "fail", "tmux": "fail", "git": "fail", "user-manager": "fail", "fleet": "warn",
    }  # fmt: skip


def test_a_fleet_that_makes_no_sense_is_told_of(patient: Patient) -> None:
    check = patient.check("fleet", env={"MOSAIC_FLEET": "-x"})
    assert check["result"] == "warn"
    assert "'-x' is not a repository" in check["found"]


def test_a_fleet_that_is_not_there(patient: Patient) -> None:
    done = patient.host.run([*MOSAIC, "doctor", "--fleet", "flet"], env=patient.env, check=False)
    assert done.returncode == 4
    assert "known here: fleet" in done.stderr
