"""`mosaic fleet install` and `uninstall`, on a user manager of their own."""

from __future__ import annotations

import json

from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually

ROSTER = """\
version: 1
transport: tmux
tmux: {socket_name: demo}
defaults: {working_directory: "~"}
agents:
  - {name: coder0, runtime: stub, class: implementer}
"""
TIMER, WATCH = "mosaic-reconcile.timer", "mosaic-reconcile-watch.service"


def mosaic(host: PrivateHost, *args: str, check: bool = True) -> str:
    code = "from reconciler.commands.mosaic import main; main()"
    ended = host.python(code, "fleet", *args, check=check)
    return ended.stdout + ended.stderr


def state(host: PrivateHost, verb: str, unit: str) -> str:
    return host.systemctl(verb, unit, check=False).stdout.strip()


def test_install_switch_and_uninstall(private_host: PrivateHost) -> None:
    host = private_host
    repository = host.home / "fleet"
    host.run(["install", "-D", "/dev/null", f"/var/lib/systemd/linger/{host.env['USER']}"])
    host.run(["mkdir", repository])
    host.run(["sh", "-c", f"cat > {repository}/roster.yaml"], input=ROSTER)
    host.run(["git", "init", "-q", repository])
    host.run(["git", "-C", repository, "add", "."])
    host.run(["git", "-C", repository, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first"])

    assert "error: /nowhere" in mosaic(host, "install", "/nowhere", check=False)
    assert not host.run(["sh", "-c", "ls ~/.config/mosaic/reconcile.toml"], check=False).stdout

    assert f"installed: {TIMER} is enabled and runs" in mosaic(host, "install", str(repository))
    assert (state(host, "is-active", TIMER), state(host, "is-enabled", TIMER)) == ("active", "enabled")
    host.run(["tmux", "-L", "demo", "kill-session", "-t", "=coder0"])
    host.systemctl("start", "mosaic-reconcile.service")
    pid = alive(host)

    assert f"installed: {WATCH} is enabled and runs" in mosaic(host, "install", "--watch")
    assert (state(host, "is-active", WATCH), state(host, "is-enabled", WATCH)) == ("active", "enabled")
    assert state(host, "is-active", TIMER) == "inactive"
    assert wants(host) == ["mosaic-agent@coder0.service", WATCH, "mosaic-tmux-holder.service"]
    assert "asked the resident reconciler" in mosaic(host, "sync")
    assert alive(host) == pid

    said = mosaic(host, "uninstall")
    assert f"uninstalled: {WATCH}. Agents keep running" in said
    assert state(host, "is-active", WATCH) == "inactive"
    assert wants(host) == ["mosaic-agent@coder0.service", "mosaic-tmux-holder.service"]
    assert not host.run(["sh", "-c", "ls ~/.config/systemd/user | grep mosaic-reconcile"], check=False).stdout
    assert alive(host) == pid
    assert "nothing was installed" in mosaic(host, "uninstall")
    conditions = json.loads(mosaic(host, "status", "-o", "json"))["conditions"]
    assert {one["type"]: one["status"] for one in conditions}["Ready"] == "True"


def alive(host: PrivateHost) -> str:
    """The pane's process, once it is there."""

    def pid() -> str:
        return host.run(["tmux", "-L", "demo", "list-panes", "-t", "=coder0:", "-F", "#{pane_pid}"], check=False).stdout

    return eventually(pid, timeout=90)


def wants(host: PrivateHost) -> list[str]:
    folders = "cd ~/.config/systemd/user && ls default.target.wants timers.target.wants 2>/dev/null"
    found = host.run(["sh", "-c", folders], check=False).stdout
    return sorted(line for line in found.split() if line.startswith("mosaic-"))
