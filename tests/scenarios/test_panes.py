"""Which pane, which program, and whether it could start again: hooks of the operator's, programs that call themselves
something else, folders and secrets that are gone while an agent runs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.scenarios.fleet import NAME, SOCKET, Fleet, stub

# What stands in the fleet's tmux.conf.
HOOKS = {
    "splits": "set-hook -g after-new-session 'split-window sleep 9999'",
    "splits and looks there": "set-hook -g after-new-session 'split-window -b sleep 9999 ; select-pane -t .0'",
    "opens a window": "set-hook -g session-created 'new-window sleep 9999'",
    "runs something slow": "set-hook -g after-new-session 'run-shell \"sleep 0.5\" ; split-window sleep 9999'",
    "renames": 'set-hook -g after-new-session \'if-shell -F "#{==:#{session_name},a}" "rename-session zz"\'',
    "splits every window": "set-hook -g after-new-window 'split-window sleep 9999'",
    "counts from one": "set -g base-index 1\nset -g pane-base-index 1\nset -g default-command 'sleep 9999'",
    "ends what nobody looks at": "set -g destroy-unattached on",
    "keeps what has ended": "set -g remain-on-exit on",
}


def _marked(fleet: Fleet) -> dict[str, str]:
    """The process of each pane with a mark, by the agent."""
    rows = fleet.tmux("list-panes", "-a", "-F", "#{@mosaic_pane} #{pane_pid} #{pane_dead}").splitlines()
    found = [line.split() for line in rows if not line.startswith(" ")]
    assert len({row[0] for row in found}) == len(found), rows
    return {row[0]: row[1] for row in found if row[2] == "0"}


@pytest.mark.parametrize("conf", HOOKS.values(), ids=HOOKS)
def test_the_pane_that_was_made_has_the_mark(fleet: Fleet, conf: str) -> None:
    fleet.write(f"{fleet.mosaic}/fleet/tmux.conf", conf + "\n")
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    assert _marked(fleet) == {name: str(pid) for name, pid in before.items()}
    assert fleet.converge().done == []
    assert fleet.up("a", "b") == before
    fleet.kill(before["a"])
    fleet.converge()
    after = fleet.up("a", "b")
    assert (after["a"] != before["a"], after["b"]) == (True, before["b"])
    assert _marked(fleet) == {name: str(pid) for name, pid in after.items()}
    assert fleet.converge().done == []


# A program that nothing of the runtime's names is in, by what makes it, and its command.
PROGRAMS: dict[str, tuple[str, str]] = {
    "its version": ("cp /bin/sleep /run/2.1.112", "/run/2.1.112 9999"),
    "a wrapper": ("printf '#!/bin/sh\\nexec sleep 9999\\n' >/run/wrap; chmod +x /run/wrap", "/run/wrap"),
    "a long name": ("cp /bin/sleep /run/a-very-long-name-of-a-program", "/run/a-very-long-name-of-a-program 9999"),
    "a module": ("mkdir -p /run/mod; echo 'import time; time.sleep(9999)' >/run/mod/some.py", "python3 -m some"),
}


@pytest.mark.parametrize(("make", "command"), PROGRAMS.values(), ids=PROGRAMS)
def test_the_program_that_was_started_is_the_right_one(fleet: Fleet, make: str, command: str) -> None:
    fleet.sh(make)
    fleet.agents = {"a": stub(command=command.split(), env={"PYTHONPATH": "/run/mod"}), "b": stub()}
    fleet.commit()
    fleet.converge()
    before = _marked(fleet)
    assert fleet.converge().done == []
    fleet.sh("rm -rf /run/2.1.112 /run/wrap /run/a-very-long* /run/mod")  # as an upgrade does
    assert fleet.reconcile().done == []  # what is gone is named, and ends nothing
    assert _marked(fleet) == before
    fleet.sh(make)
    pane = fleet.tmux("list-panes", "-a", "-f", "#{==:#{@mosaic_pane},a}", "-F", "#{pane_id}").strip()
    fleet.tmux("respawn-pane", "-k", "-t", pane, "sleep", "9999")
    assert fleet.reconcile().verbs("a") == ["restart"], "a person's program in its pane is not it"


def test_an_agent_of_an_older_kind_is_known_by_its_heartbeat(fleet: Fleet) -> None:
    """Without the mark of its life, and with a process that calls itself something else."""
    fleet.declare("a")
    fleet.converge()
    before = fleet.up("a")
    pane = fleet.tmux("list-panes", "-a", "-f", "#{==:#{@mosaic_pane},a}", "-F", "#{pane_id}").strip()
    fleet.tmux("set-option", "-p", "-u", "-t", pane, "@mosaic_life")
    assert fleet.converge().done == []
    assert fleet.up("a") == before


GONE: dict[str, tuple[Sequence[str], str]] = {
    "removed": (["git -C /run/repo worktree remove --force /run/tree"], "/run/tree does not exist on this host"),
    "another of its name": (
        ["rm -r /run/tree", "mkdir /run/tree"],
        "/run/tree was deleted while it ran; a new folder has that name",
    ),
    "moved": (["mv /run/tree /run/elsewhere"], "/run/tree does not exist on this host"),
    "a secret is gone": (["rm /run/key"], "the secret file /run/key for KEY does not exist"),
    "a secret is a folder": (["rm /run/key", "mkdir /run/key"], "the secret file /run/key for KEY is not a file"),
}


@pytest.mark.parametrize(("commands", "says"), GONE.values(), ids=GONE)
def test_it_is_said_that_it_will_not_start_again(fleet: Fleet, commands: Sequence[str], says: str) -> None:
    """By the preview, the run, the lists and verify; and it is never ended for that."""
    fleet.sh("git -c init.defaultBranch=main init -q /run/repo; cd /run/repo; echo secret >/run/key; "
             "git -c user.name=x -c user.email=x@example.invalid commit -q --allow-empty -m x; "
             "git worktree add -q /run/tree")  # fmt: skip
    fleet.agents = {"a": stub(working_directory="/run/tree", env={"KEY": {"from_file": "/run/key"}}), "b": stub()}
    fleet.commit()
    fleet.converge()
    before = fleet.up("a", "b")
    assert fleet.cli("fleet", "verify", "--fleet", NAME).code == 0
    for command in commands:
        fleet.sh(command)
    shown = fleet.reconcile("--dry-run")
    held = shown.held("a")
    another = "a new folder has that name" in held["message"]  # it would start again there
    sentence = "its working directory /run/tree was deleted" if another else "it runs, and will not start again: "
    assert (held["reason"], held["message"].startswith(sentence)) == ("dependency", True)
    assert says in held["message"]
    deleted = [one for one in held["changes"] if one["path"] == "working_directory"]
    assert [one["live"] for one in deleted] == (["(deleted)"] if "deleted" in says or "remove" in commands[0] else [])
    run = fleet.reconcile()
    assert run.done == []
    told = held["message"]
    assert told in fleet.cli("agent", "status", "a", "--fleet", NAME).out
    listed = fleet.cli("fleet", "ps", "--fleet", NAME, "-o", "json").document["agents"]
    assert told in next(one["why"] for one in listed if one["name"] == "a")
    assert says in fleet.cli("fleet", "ps", "--fleet", NAME).out
    verified = fleet.cli("fleet", "verify", "--fleet", NAME)
    assert (verified.code != 0, told in verified.out) == (True, True)
    assert fleet.up("a", "b") == before
    fleet.kill(before["b"])
    fleet.reconcile()
    assert fleet.up("a", "b")["a"] == before["a"]


def test_nothing_is_ended_whose_sessions_name_is_taken_meanwhile(fleet: Fleet) -> None:
    """Two agents' sessions have changed their names: a new start of one would find its name taken, so it is not ended,
    and when it has ended by itself it waits."""
    fleet.declare("a", "b", model_hint="m1")
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.sh(f"tmux -L {SOCKET} rename-session -t =a old; tmux -L {SOCKET} rename-session -t =b a")
    assert fleet.converge().done == []
    reset = fleet.cli("agent", "reset", "a", "--restart", "--force", "--fleet", NAME)
    assert (reset.code, "would not start again" in reset.err) == (5, True), reset.err
    fleet.agents["a"]["model_hint"] = "m2"
    fleet.commit()
    held = fleet.reconcile().held("a")
    assert (held["reason"], "it stays where it is" in held["message"]) == ("not-owned", True)
    assert fleet.up("a", "b") == before
    fleet.tmux("kill-session", "-t", "=old")
    held = fleet.reconcile().held("a")
    assert (held["reason"], "is that of agent b, renamed" in held["message"]) == ("not-owned", True)
    fleet.tmux("rename-session", "-t", "=a", "b")
    fleet.converge()
    assert fleet.up("a", "b")["b"] == before["b"]


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
def test_a_reset_by_restart_ends_nothing_that_would_not_start_again(fleet: Fleet, force: tuple[str, ...]) -> None:
    fleet.sh("mkdir /run/there")
    fleet.agents = {"a": stub(working_directory="/run/there")}
    fleet.commit()
    fleet.converge()
    before = fleet.up("a")
    fleet.sh("rmdir /run/there")
    run = fleet.cli("agent", "reset", "a", "--restart", *force, "--fleet", NAME)
    assert (run.code, "/run/there does not exist" in run.err) == (5, True), run.err
    assert fleet.up("a") == before
    checks = fleet.cli("fleet", "verify", "--fleet", NAME, "-o", "json").document["checks"]
    assert [(one["name"], one["agent"]) for one in checks if one["result"] == "wrong"] == [("start", "a")]
    fleet.sh("mkdir /run/there")  # another folder of that name: there it can start, which verify teaches
    checks = fleet.cli("fleet", "verify", "--fleet", NAME, "-o", "json").document["checks"]
    assert [one["mend"] for one in checks if one["result"] == "wrong"] == ["mosaic fleet restart a"]
