"""`mosaic fleet uninstall --purge`, on a user manager of its own: everything of ours goes, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually
from tests.scenarios.conftest import fleet
from tests.scenarios.fleet import Fleet, Run

__all__ = ["fleet"]
FOUND = "find ~ \\( -path ~/fleet -o -path '*/site-packages/*' \\) -prune -o -iname '*mosaic*' -print"


@pytest.fixture
def installed(fleet: Fleet) -> Fleet:
    """Two agents, and a host that reconciles by itself."""
    fleet.rules["heartbeat"]["idle_after"] = "1s"
    fleet.declare("a", "b")
    made = fleet.cli("fleet", "install", fleet.repo, "--watch")
    assert made.code == 0, made.err
    return fleet


def purge(fleet: Fleet, *words: str) -> Run:
    return fleet.cli("fleet", "uninstall", "--purge", *words)


def stop_all(fleet: Fleet) -> None:
    for entry in fleet.agents.values():
        entry["state"] = "stopped"
    fleet.commit("stop")
    eventually(
        lambda: fleet.reconcile().code in (0, 75) and not fleet.living(), timeout=60, what="the end of all agents"
    )


def picture(host: PrivateHost) -> str:
    """Files with their digests, and units, of everything that may be ours."""
    files = host.run(["sh", "-c", "find ~/.config ~/.local -type f -exec sha256sum {} + | sort -k2"]).stdout
    kept = [line for line in files.splitlines() if "/state/" not in line and not line.endswith(".hb")]
    units = host.systemctl("list-units", "--all", "--plain", "--no-legend", "mosaic*").stdout.split("\n")
    return "\n".join([*kept, *sorted(unit.split()[0] for unit in units if unit)])


def test_while_an_agent_lives_nothing_goes(installed: Fleet) -> None:
    before, alive = picture(installed.host), installed.pids()
    said = purge(installed, "--yes")
    assert said.code == 5
    assert "a purge ends no conversation: a, b" in said.err
    assert "mosaic fleet stop a b" in said.err
    assert picture(installed.host) == before
    assert installed.pids() == alive
    # One whose unit somebody has stopped, and whose program goes on in a session of ours, lives as well.
    installed.sh("systemctl --user stop mosaic-reconcile-watch.service")
    installed.kill(alive["b"])
    assert purge(installed, "--yes").code == 5


def test_everything_goes_but_what_is_the_operators(installed: Fleet) -> None:
    host, home = installed.host, installed.mosaic
    stop_all(installed)
    installed.sh("systemctl --user stop mosaic-reconcile-watch.service")  # it would put away what is edited here
    installed.write(f"{home}/fleet/tmux.conf", "set -g status off\n")
    installed.write(f"{home}/USER.md", "me\n")
    installed.write(f"{home}/TOOLS.md", "edited by hand\n")
    installed.write(f"{home}/AGENTS.md.pre-constitution.bak", "mine once\n")
    installed.write(f"{installed.units}/mine.service", "[Service]\nExecStart=/bin/true\n")
    host.systemctl("mask", "mosaic-other.service")
    before = picture(host)

    assert purge(installed).code == 64  # nobody is here to be asked
    shown = purge(installed, "--dry-run")
    assert shown.code == 0
    assert picture(host) == before
    for path in (
        "mosaic-tmux-holder.service",
        "agent-start",
        ".local/state/mosaic/",
        "reconcile.toml",
        "host.json",
        "mosaic-panes.slice",
    ):
        assert path in shown.err, path
    for mine in ("fleet/tmux.conf", "USER.md", "TOOLS.md", "AGENTS.md.pre-constitution.bak"):
        assert mine in shown.err.partition("yours, and left as it is")[2], mine

    done = purge(installed, "--yes")
    assert done.code == 0, done.err
    left = {line.removeprefix(f"{host.home}/") for line in host.run(["sh", "-c", FOUND]).stdout.splitlines()}
    assert left <= {".config/mosaic", ".config/systemd/user/mosaic-other.service"}
    kept = host.run(["sh", "-c", f"cd {home} && find . -type f | sort"]).stdout.split()
    assert kept == ["./AGENTS.md.pre-constitution.bak", "./TOOLS.md", "./USER.md", "./fleet/tmux.conf"]
    assert installed.exists(f"{installed.units}/mine.service")
    listed = host.systemctl("list-units", "--all", "--plain", "--no-legend", "mosaic-*").stdout
    assert [line for line in listed.splitlines() if "mosaic-other" not in line] == []
    assert not installed.exists(f"{host.runtime_dir}/mosaic")
    assert host.run(["tmux", "-L", "fleet", "list-sessions"], check=False).returncode == 1
    assert host.run(["git", "-C", installed.repo, "status", "--porcelain"]).stdout == ""

    again = purge(installed, "--yes")
    assert (again.code, again.out) == (0, "nothing of Mosaic Fleet is on this host for this user\n")
    for entry in installed.agents.values():
        entry["state"] = "running"
    installed.commit("again")
    installed.converge()
    installed.up("a", "b")


def test_what_cannot_be_seen_is_not_taken_for_quiet(installed: Fleet) -> None:
    stop_all(installed)
    installed.sh("systemctl --user stop mosaic-reconcile-watch.service")
    before = picture(installed.host)
    server = installed.host.run(["pgrep", "-f", "tmux.*-L fleet"]).stdout.split()[0]
    installed.host.run(["kill", "-STOP", server])
    try:
        said = purge(installed, "--yes")
    finally:
        installed.host.run(["kill", "-CONT", server])
    assert said.code == 69
    assert "nothing is removed" in said.err
    assert picture(installed.host) == before


def test_a_purge_that_was_cut_short_is_gone_on_with(installed: Fleet) -> None:
    stop_all(installed)
    installed.sh("systemctl --user stop mosaic-reconcile-watch.service; rm -r ~/.config/mosaic/fleet")
    done = purge(installed, "--yes")
    assert done.code == 0, done.err
    assert installed.host.run(["sh", "-c", FOUND]).stdout == ""


def test_the_words_go_together(fleet: Fleet) -> None:
    assert fleet.cli("fleet", "uninstall", "--yes").code == 64
    document: dict[str, Any] = json.loads(fleet.cli("doctor", "-o", "json").out or "{}")
    assert document
    assert purge(fleet, "--yes").out == "nothing of Mosaic Fleet is on this host for this user\n"
