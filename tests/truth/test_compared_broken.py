"""Every command about agents whose surroundings are broken, each in another way: none contradicts."""

from __future__ import annotations

import pytest

from tests.scenarios.fleet import NAME, Fleet, stub
from tests.scenarios.test_placement import outside
from tests.truth.bench import operator, reads, row, rows, rules, showing
from tests.truth.told import (
    Told,
    lists_and_documents,
    the_numbers,
    what_is_due_and_held,
    what_is_wrong,
    who_is_reset,
)

UNITS = ".config/systemd/user"
# What runs all the same, whatever is wrong with what it needs.
RUNS = ("renamed", "joined", "people", "deleted", "nokey", "gone", "masked", "overridden", "titled", "mail", "placed",
        "limited", "moves")  # fmt: skip
DOWN = ("absent", "nofile", "noexec", "maskeddown", "failed", "missing")


@pytest.fixture(scope="module")
def told(fleet: Fleet) -> Told:
    rules(fleet)
    operator(fleet)
    fleet.rules["reconcile"]["prune"] = {"max_removals": 9}
    fleet.sh("mkdir -p /run/deleted /run/moved; echo secret >/run/key; cp /bin/sleep /run/worker; mkdir ~/bin")
    fleet.agents = {name: stub() for name in ("plain", "renamed", "joined", "people", "masked", "overridden", "mail",
                                              "placed", "moves", "maskeddown", "failed")}  # fmt: skip
    fleet.agents |= {
        "deleted": stub(working_directory="/run/deleted"),
        "nokey": stub(env={"KEY": {"from_file": "/run/key"}}),
        "gone": {"runtime": "stub", "class": "worker", "command": ["/run/worker", "100000"]},
        "titled": showing("claude", "claude.idle.80"),
        "limited": stub(resources={"tasks_max": 77}),
        "absent": stub(working_directory="/run/nowhere"),
        "nofile": {"runtime": "stub", "class": "worker", "command": ["/run/no-such-program"]},
        "noexec": {"runtime": "stub", "class": "worker", "command": ["/run/key"]},
        "missing": stub(env={"KEY": {"from_file": "/run/no-key"}}),
    }
    fleet.commit("first")
    fleet.reconcile()
    for name in ("people", "moves", "mail"):
        fleet.beats(name)
        fleet.type(name, "/busy")
        reads(fleet, name, "working")
    pid = row(fleet, "placed")["pid"]
    left = fleet.cli("fleet", "suspend", "placed", "failed", "maskeddown", "--reason", "pairing", "--here",
                     "--fleet", NAME)  # fmt: skip
    if left.code != 0:
        for name in ("placed", "failed", "maskeddown"):
            one = fleet.cli("fleet", "suspend", name, "--reason", "pairing", "--here", "--fleet", NAME)
            assert one.code == 0, one.err
    outside(fleet, pid)
    fleet.tmux("new-session", "-d", "-s", "mine", "exec sleep 1000")
    fleet.tmux("rename-session", "-t", "=renamed", "called-so")
    fleet.tmux("join-pane", "-d", "-s", "=joined:", "-t", "=mine:")
    fleet.tmux("split-window", "-d", "-t", "=people:", "exec sleep 1000")
    fleet.sh("rmdir /run/deleted; rm /run/worker; mv /run/key /run/kept")
    fleet.sh(f"systemctl --user mask mosaic-agent@masked.service mosaic-agent@maskeddown.service; "
             f"mkdir -p {UNITS}/mosaic-agent@overridden.service.d; "
             f"printf '[Service]\\nType=simple\\n' >{UNITS}/mosaic-agent@overridden.service.d/a.conf; "
             "systemctl --user daemon-reload; "
             "systemctl --user kill --signal=KILL mosaic-agent@failed.service || :")  # fmt: skip
    fleet.kill(row(fleet, "maskeddown")["pid"])
    assert fleet.cli("agent", "send", "mail", "-m", "later", "--when", "available", "--fleet", fleet.repo).code == 0
    del fleet.agents["people"]
    fleet.agents["moves"]["host"] = "beta"
    fleet.commit("second")
    return Told(fleet)


@pytest.mark.parametrize("name", RUNS)
def test_it_goes_on(told: Told, name: str) -> None:
    assert told.rows[name]["session"] == "alive", told.rows[name]["why"]


def test_lists_and_documents(told: Told) -> None:
    lists_and_documents(told)


def test_what_is_wrong(told: Told) -> None:
    wrong = what_is_wrong(told)
    assert {"deleted", "nokey", "masked", "overridden", "absent", "nofile", "missing"} <= wrong
    assert not {"plain", "mail"} & wrong


def test_what_is_due_and_held(told: Told) -> None:
    what_is_due_and_held(told)


def test_the_numbers(told: Told) -> None:
    the_numbers(told)


def test_who_is_written_to(told: Told) -> None:
    """Whoever has a pane that is its own; nobody else."""
    fleet = told.fleet
    for name, one in told.rows.items():
        if one["kind"] != "agent":
            continue
        sent = fleet.cli("agent", "send", name, "-m", "hello", "-o", "json")
        if one["session"] == "alive" and one["desired"] == "running" and one["runtime"] == "stub" and name != "gone":
            assert sent.document["result"] in ("sent", "delivered"), (name, sent.document)
        elif one["session"] != "alive":
            assert sent.code != 0, name


def test_who_is_reset(told: Told) -> None:
    who_is_reset(told)


def test_a_paused_fleet_is_the_same_for_all(told: Told) -> None:
    fleet = told.fleet
    assert fleet.cli("fleet", "pause", "--reason", "a storm").code == 0
    paused = Told(fleet)
    lists_and_documents(paused)
    what_is_due_and_held(paused)
    the_numbers(paused)
    assert {name for name, one in paused.rows.items() if one["session"] == "alive"} == {
        name for name, one in told.rows.items() if one["session"] == "alive"
    }
    assert not any(one["may_stop"] for one in paused.rows.values() if one["session"] == "alive")
    assert paused.check.code == paused.verify.code
    assert rows(fleet).keys() == told.rows.keys()
