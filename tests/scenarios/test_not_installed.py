"""Programs that are not there, or cannot be executed: found before anything starts, and started when they appear."""

from __future__ import annotations

from typing import Any

import pytest

from tests.scenarios.fleet import Fleet, Run

# A program of our own that is called like an agent's and stays.
PROGRAM = "#!/bin/bash\nexec -a claude sleep infinity\n"


@pytest.fixture
def mixed(fleet: Fleet) -> Fleet:
    """The roster of somebody who has not installed anything yet, and one agent that needs nothing."""
    fleet.agents = {
        "lead": {"runtime": "claude", "class": "orchestrator"},
        "coder": {"runtime": "pi", "class": "worker"},
        "fine": {"runtime": "stub", "class": "worker"},
    }
    fleet.commit()
    return fleet


def held(run: Run) -> dict[str, tuple[str, str]]:
    return {one["agent"]: (one["reason"], one["message"]) for one in run.document["held"]}


def pid_of(fleet: Fleet, name: str) -> int:
    rows = fleet.cli("fleet", "ps", "-o", "json").document["agents"]
    return next(int(one["pid"]) for one in rows if one["name"] == name)


def alive(fleet: Fleet) -> list[str]:
    rows = fleet.cli("fleet", "ps", "-o", "json").document["agents"]
    return [one["name"] for one in rows if one["session"] == "alive"]


def program(fleet: Fleet, name: str, text: str, mode: int = 0o755) -> None:
    fleet.write(f"{fleet.host.home}/.local/bin/{name}", text, mode)


def test_nothing_is_started_that_is_not_installed(mixed: Fleet) -> None:
    valid = mixed.cli("fleet", "validate", mixed.repo)
    assert valid.code == 0
    assert "2 warnings" in valid.out
    assert "on this host agent lead could not be started: claude is not on an agent's PATH; searched: " in valid.err
    assert "help: npm install --global --prefix ~/.local @anthropic-ai/claude-code" in valid.err
    assert "roster.yaml:" in valid.err

    preview = mixed.reconcile("--dry-run")
    assert {name: reason for name, (reason, _) in held(preview).items()} == dict.fromkeys(
        ("lead", "coder"), "not-installed"
    )
    assert "/usr/bin" in held(preview)["lead"][1], "the PATH that was searched"

    run = mixed.reconcile()
    assert run.code == 1
    assert {name: reason for name, (reason, _) in held(run).items()} == dict.fromkeys(
        ("lead", "coder"), "not-installed"
    )
    assert "start:systemd:fine" in run.done
    assert not any(
        one.startswith(("start:systemd:", "restart:systemd:")) and not one.endswith("fine") for one in run.done
    )
    assert list(mixed.pids()) == ["fine"]
    assert mixed.sessions() == ["_holder", "fine"]
    for _ in range(3):
        mixed.reconcile()
    status = mixed.status()["agents"]
    assert {one["name"]: one["restarts"] for one in status} == {"lead": 0, "coder": 0, "fine": 0}
    told = mixed.cli("fleet", "ps").out
    assert "crash-loop" not in told
    assert told.count("not-installed") == 2


def test_it_is_started_by_itself_when_it_appears(mixed: Fleet) -> None:
    assert mixed.reconcile().code == 1
    program(mixed, "claude", PROGRAM)
    run = mixed.reconcile()
    assert "start:systemd:lead" in run.done
    assert list(held(run)) == ["coder"]
    assert alive(mixed) == ["fine", "lead"]
    assert {one["name"]: one["restarts"] for one in mixed.status()["agents"]}["lead"] == 0


BROKEN: dict[str, tuple[str, int, str, str]] = {
    "mode": (PROGRAM, 0o644, "not-runnable", "may not be executed"),
    "interpreter": ("#!/usr/bin/env noodle\n", 0o755, "not-runnable", "needs noodle, which is missing"),
}


@pytest.mark.parametrize(("text", "mode", "reason", "why"), BROKEN.values(), ids=BROKEN)
def test_a_program_that_cannot_be_executed_is_named_as_such(
    mixed: Fleet, text: str, mode: int, reason: str, why: str
) -> None:
    program(mixed, "claude", text, mode)
    run = mixed.reconcile()
    assert held(run)["lead"][0] == reason
    assert why in held(run)["lead"][1]
    verified: dict[str, Any] = mixed.cli("fleet", "verify", "-o", "json").document
    assert why in str(verified)
    assert why in mixed.cli("fleet", "validate", mixed.repo).err


def test_one_of_another_processor(mixed: Fleet) -> None:
    head = "\\177ELF\\2\\2\\1" + "\\0" * 9 + "\\0\\2\\0\\26"
    mixed.sh(f"mkdir -p ~/.local/bin; printf '{head}' > ~/.local/bin/pi; chmod +x ~/.local/bin/pi")
    assert "is for s390x, but this machine is" in held(mixed.reconcile())["coder"][1]


def test_a_running_agent_whose_program_goes_is_left_alone_and_shown(mixed: Fleet) -> None:
    program(mixed, "claude", PROGRAM)
    mixed.reconcile()
    before = pid_of(mixed, "lead")
    mixed.sh("rm ~/.local/bin/claude")
    mixed.reconcile()
    assert pid_of(mixed, "lead") == before
    assert "claude is not on an agent's PATH" in mixed.cli("fleet", "ps", "-o", "json").out
    mixed.kill(before)
    run = mixed.reconcile()
    assert held(run)["lead"][0] == "not-installed"
    assert {one["name"]: one["restarts"] for one in mixed.status()["agents"]}["lead"] == 0


def test_the_path_of_the_manager_decides(fleet: Fleet) -> None:
    """Not that of the operator's tmux server: a pane has the PATH of whoever asks for it, and that is a unit."""
    fleet.roster["tmux"] = {}
    fleet.write("/opt/tools/claude", PROGRAM, 0o755)
    fleet.sh("PATH=/opt/tools:$PATH tmux new-session -d -s mine")
    fleet.agents = {"lead": {"runtime": "claude", "class": "worker"}}
    fleet.commit()
    assert held(fleet.reconcile())["lead"][0] == "not-installed"
    fleet.sh('systemctl --user set-environment PATH="/opt/tools:$PATH"')
    run = fleet.reconcile()
    assert not run.document["held"], run.document["held"]
    assert alive(fleet) == ["lead"]
