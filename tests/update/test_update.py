"""`mosaic update` on a real host: there, back, and agents that go on or are started anew."""

from __future__ import annotations

import json
import os

import pytest

from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually

ROSTER = """\
version: 1
transport: tmux
tmux: {socket_name: demo}
defaults: {working_directory: "~"}
agents:
  - {name: coder0, runtime: stub, class: implementer}
  - {name: coder1, runtime: stub, class: implementer}
"""
FLEET = """\
version: 1
floor: none
reconcile: {rollout: {on_change: immediately}}
"""


def mosaic(host: PrivateHost, *args: str, code: int = 0) -> str:
    ended = host.python("from reconciler.commands.mosaic import main; main()", *args, check=False)
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def reconcile(host: PrivateHost, *args: str) -> str:
    ended = host.python("from reconciler.commands.reconcile import main; main()", *args, check=False)
    assert ended.stdout, ended.stderr
    return ended.stdout


def pids(host: PrivateHost) -> dict[str, str]:
    said = host.run(["tmux", "-L", "demo", "list-panes", "-a", "-F", "#{session_name} #{pane_pid}"]).stdout
    return dict(line.split() for line in said.splitlines() if not line.startswith("_"))


def put(host: PrivateHost, path: str, text: str) -> None:
    host.run(["sh", "-c", f"mkdir -p {os.path.dirname(path)} && cat > {path}"], input=text)


def declare(host: PrivateHost) -> tuple[str, str]:
    """The repository and $MOSAIC_HOME of a fleet that has not run yet."""
    repository, home = f"{host.home}/fleet", f"{host.home}/.config/mosaic"
    host.run(["install", "-D", "/dev/null", f"/var/lib/systemd/linger/{host.env['USER']}"])
    put(host, f"{repository}/roster.yaml", ROSTER)
    put(host, f"{repository}/fleet.yaml", FLEET)
    host.run(["git", "init", "-q", repository])
    host.run(["git", "-C", repository, "add", "."])
    host.run(["git", "-C", repository, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first"])
    return repository, home


def test_there_and_back(private_host: PrivateHost) -> None:
    host = private_host
    repository, home = declare(host)
    put(host, f"{home}/AGENTS.md", "everything, and mine\n")
    put(host, f"{home}/rails/git.sh", "#!/bin/sh\n")
    fleet = ("--fleet", repository)

    assert "held reseed" in reconcile(host, repository)
    before = pids(host)
    assert sorted(before) == ["coder0", "coder1"]
    assert "a snapshot would be kept" in mosaic(host, "update", "--dry-run", *fleet)
    assert not host.run(["sh", "-c", "ls ~/.local/state/mosaic/snapshots"], check=False).stdout

    said = mosaic(host, "update", *fleet)
    assert "done reseed" in said
    assert "AGENTS.md was edited by hand; that is in AGENTS.md.pre-constitution.bak now" in said
    assert "every agent runs on the present launch" in said
    assert host.run(["cat", f"{home}/AGENTS.md.pre-constitution.bak"]).stdout == "everything, and mine\n"
    assert "Dispatcher" in host.run(["cat", f"{home}/AGENTS.md"]).stdout
    kept = host.run(["sh", "-c", "grep -h '\"kept\"' ~/.local/state/mosaic/*/events.ndjson"]).stdout
    assert json.loads(kept.splitlines()[0])["kept"] == "AGENTS.md.pre-constitution.bak"
    status = json.loads(mosaic(host, "fleet", "status", "-o", "json", *fleet))
    current = [one for one in status["conditions"] if one["type"] == "FrameworkCurrent"]
    assert [(one["status"], one["reason"]) for one in current] == [("True", "FilesCurrent")]

    assert "file(s) are as they were" in mosaic(host, "update", "--rollback", *fleet)
    assert host.run(["cat", f"{home}/AGENTS.md"]).stdout == "everything, and mine\n"
    assert "held reseed" in reconcile(host, repository)
    put(host, f"{home}/SOUL.md", "mine since\n")
    mosaic(host, "update", *fleet)
    assert "Dispatcher" in host.run(["cat", f"{home}/AGENTS.md"]).stdout
    assert host.run(["cat", f"{home}/SOUL.md"]).stdout == "mine since\n"
    assert pids(host) == before, "no conversation was ended by any of this"

    # As after an upgrade: coder0 was started by an older version.
    host.run(["sed", "-i", "s/^MOSAIC_GIVEN=.*/MOSAIC_GIVEN=0123456789ab/", f"{home}/fleet/agents/coder0.env"])
    host.systemctl("restart", "mosaic-agent@coder0.service")
    eventually(lambda: pids(host).get("coder0", before["coder0"]) != before["coder0"], timeout=60.0)
    older = pids(host)
    reconcile(host, repository)
    assert "1 agent(s) run on an older launch: coder0." in mosaic(host, "update", *fleet)
    assert pids(host) == older
    assert "restarted: coder0" in mosaic(host, "update", "--relaunch", *fleet)
    assert pids(host)["coder1"] == older["coder1"]
    assert pids(host)["coder0"] != older["coder0"]
    assert "every agent runs on the present launch" in mosaic(host, "update", *fleet)

    # The files are current, and the next version is not to touch them.
    note = ["sh", "-c", f"test -e {home}/.mosaic-hold && echo held"]
    assert "would be held as they are" in mosaic(host, "update", "--no-reseed", "--dry-run", *fleet)
    assert not host.run(note, check=False).stdout
    assert "files are held as they are" in mosaic(host, "update", "--no-reseed", *fleet)
    assert host.run(note).stdout == "held\n"
    put(host, f"{home}/AGENTS.md", "not what ships\n")
    assert "held reseed" in reconcile(host, repository)
    assert host.run(["cat", f"{home}/AGENTS.md"]).stdout == "not what ships\n"
    mosaic(host, "update", *fleet)
    assert not host.run(note, check=False).stdout
    assert "Dispatcher" in host.run(["cat", f"{home}/AGENTS.md"]).stdout


def first_run(host: PrivateHost) -> tuple[str, str]:
    """The repository and $MOSAIC_HOME of a fleet that has converged."""
    repository, home = declare(host)
    assert "Converged" in reconcile(host, repository)
    return repository, home


def snapshots(host: PrivateHost) -> list[str]:
    return host.run(["sh", "-c", "ls ~/.local/state/mosaic/snapshots 2>/dev/null"], check=False).stdout.split()


BLOCKED = {
    "link": "rm {0}/AGENTS.md; ln -s /etc/hostname {0}/AGENTS.md",
    "dangling": "rm {0}/AGENTS.md; ln -s nowhere {0}/AGENTS.md",
    "folder": "rm {0}/AGENTS.md; mkdir {0}/AGENTS.md",
    "folder-on-the-way": "mv {0}/guides {0}/mine; ln -s mine {0}/guides",
}


@pytest.mark.parametrize("block", BLOCKED.values(), ids=BLOCKED)
def test_an_update_that_changes_nothing_takes_no_snapshot(private_host: PrivateHost, block: str) -> None:
    host = private_host
    repository, home = first_run(host)
    fleet = ("--fleet", repository)
    host.run(["sh", "-ec", block.format(home)])
    put(host, f"{home}/TOOLS.md", "edited by hand\n")
    assert "a snapshot of the framework's files" in mosaic(host, "update", *fleet, code=1)  # one thing stays held
    made = snapshots(host)
    assert len(made) == 1
    for _ in range(2):
        assert "a snapshot of" not in mosaic(host, "update", *fleet, code=1)
    assert snapshots(host) == made
    assert "a snapshot would be kept" not in mosaic(host, "update", "--dry-run", *fleet)
    mosaic(host, "update", "--rollback", *fleet)
    assert host.run(["cat", f"{home}/TOOLS.md"]).stdout == "edited by hand\n", "the way back is to before the update"


EDITS = {
    "added-at-the-end": "echo mine >> {0}/STANDARDS.md",
    "in-the-middle": "sed -i '3s/$/ and more/' {0}/STANDARDS.md",
    "added-and-edited": "echo mine >> {0}/STANDARDS.md; echo more >> {0}/AGENTS.md",
    "removed": "rm {0}/STANDARDS.md",
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_preview_has_the_very_steps_of_the_run_and_each_once(private_host: PrivateHost, edit: str) -> None:
    host = private_host
    repository, home = first_run(host)
    host.run(["sh", "-ec", edit.format(home)])
    preview = json.loads(reconcile(host, repository, "--dry-run", "-o", "json"))
    run = json.loads(reconcile(host, repository, "-o", "json"))
    assert [one["id"] for one in run["actions"]] == [one["id"] for one in preview["actions"]]
    assert [one["steps"] for one in run["actions"]] == [one["steps"] for one in preview["actions"]]
    assert {one["result"] for one in run["actions"]} == {"done"}
    assert "No changes" in reconcile(host, repository)


def test_what_is_refused(private_host: PrivateHost) -> None:
    assert "no fleet has run on this host" in mosaic(private_host, "update", code=4)
    assert "--rollback takes no other option" in mosaic(private_host, "update", "--rollback", "--relaunch", code=64)
