"""An agent whose host has changed, on two machines: it never runs on both, and both say so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.hosts import eventually
from tests.hosts.fixtures import RealHosts
from tests.remote.pair import BIN, USER, Pair
from tests.remote.test_pair import sessions

RULES = """\
version: 1
name: pair
floor: none
hosts: [near, far]
heartbeat: {interval: 1s, idle_after: 2s}
reconcile: {interval: 1h, prune: {max_removals: 9}, rollout: {max_unavailable: 4}}
"""
FAR = {"mover": "far", "waiter": "far", "worker": "far"}


def roster(homes: dict[str, str], lead: str = "near", *, ways: bool = True) -> str:
    agents = [{"name": "lead", "runtime": "stub", "class": "orchestrator", "host": lead, "ssh": f"{USER}@near"}]
    agents += [
        {"name": name, "runtime": "stub", "class": "code", "host": host, "ssh": f"{USER}@{host}", "alias": f"A-{name}"}
        for name, host in homes.items()
    ]
    agents.append({"name": "stays", "runtime": "stub", "class": "code", "host": "far", "ssh": f"{USER}@far"})
    if not ways:
        agents = [{key: value for key, value in one.items() if key != "ssh"} for one in agents]
    return json.dumps({"version": 1, "tmux": {"socket_name": "pair"}, "agents": agents})


@pytest.fixture(scope="module")
def pair(real_hosts: RealHosts) -> Iterator[Pair]:
    """A fleet with some history, taken up by two new machines: nobody waits for anybody."""
    with real_hosts(Pair) as made:
        made.declare(roster({}), RULES)
        made.declare(roster(FAR), RULES)
        for host in ("near", "far"):
            assert "moving" not in made.reconcile(host).stdout
        yield made


def row(pair: Pair, host: str, name: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = pair.document(host, "fleet", "ps")["agents"]
    return next(one for one in rows if one["name"] == name)


def synced(pair: Pair, host: str, name: str) -> list[str]:
    rows = pair.document(host, "fleet", "ps", "--all-hosts")["agents"]
    return [one["host"] for one in rows if one["name"] == name and one["sync"] == "synced"]


def typed(pair: Pair, line: str) -> None:
    pair.run("far", ["tmux", "-L", "pair", "send-keys", "-t", "=worker:", line, "Enter"])


def let_go(pair: Pair, host: str, name: str) -> None:
    """Reconcile the old host until it has ended an agent, which is not idle yet when it has just been started."""

    def gone() -> bool:
        pair.run(host, [BIN / "reconcile", pair.repository(host)], check=False)
        return name not in sessions(pair, host)

    eventually(gone, timeout=60, every=1, what=f"{host} to end {name}")


def files(pair: Pair, host: str, name: str) -> str:
    return pair.run(host, ["sh", "-c", f"find ~/.config ~/.local -name '{name}.*' -o -name '*@{name}.*'"]).stdout


def test_the_new_host_waits_until_the_old_one_has_let_it_go(pair: Pair) -> None:
    pair.declare(roster({**FAR, "mover": "near"}), RULES)
    said = "moving from far: it still runs there, and far has not taken the commit yet"
    preview = pair.document("near", "fleet", "ps")
    assert [one["why"] for one in preview["agents"] if one["name"] == "mover"] == [
        "moving from far, which has not been asked yet"
    ]
    plan = json.loads(pair.reconcile("near", "--dry-run", "-o", "json").stdout)
    assert [(one["agent"], one["reason"], one["message"]) for one in plan["held"]] == [("mover", "moving", said)]
    assert not any(one["agent"] == "mover" for one in plan["actions"])
    assert said in pair.reconcile("near", code=1).stdout
    here = row(pair, "near", "mover")
    assert (here["sync"], here["session"], here["why"], here["next"]["reason"]) == ("held", "missing", said, "moving")
    assert synced(pair, "near", "mover") == []
    assert files(pair, "near", "mover") == ""
    status = pair.document("near", "agent", "status", "A-mover")
    assert said in json.dumps(status)
    checks = pair.document("near", "fleet", "verify", code=3)["checks"]
    assert any("mosaic fleet release mover" in one["mend"] for one in checks if one["agent"] == "mover")
    assert sessions(pair, "far") == ["_holder", "mover", "stays", "waiter", "worker"]

    plan = json.loads(pair.reconcile("far", "--dry-run", "-o", "json").stdout)
    assert {one["reason"] for one in plan["actions"] if one["agent"] == "mover"} == {"moved-in-git"}
    let_go(pair, "far", "mover")
    pair.reconcile("near")
    assert "mover" in sessions(pair, "near")
    assert synced(pair, "near", "mover") == ["near"]


def test_one_that_works_there_is_waited_for_and_shown_on_both(pair: Pair) -> None:
    typed(pair, "/busy")
    eventually(lambda: row(pair, "far", "worker")["state"] == "working", timeout=60, every=0.5, what="its word")
    pair.declare(roster({**FAR, "mover": "near", "worker": "near"}), RULES)
    pair.reconcile("far", code=1)
    there = row(pair, "far", "worker")
    assert (there["kind"], there["sync"], there["session"]) == ("removed", "extra", "alive")
    assert there["why"].startswith("moving to near, and still here; stop held: working")
    assert "moving from far: it still runs there (" in pair.reconcile("near", code=1).stdout
    assert synced(pair, "near", "worker") == []
    assert "worker" not in sessions(pair, "near")
    typed(pair, "/idle")
    let_go(pair, "far", "worker")
    pair.reconcile("near")
    assert "worker" in sessions(pair, "near")


def test_an_old_host_that_does_not_answer_is_waited_for_until_somebody_releases_it(pair: Pair) -> None:
    pair.declare(roster({"mover": "near", "worker": "near", "waiter": "near"}), RULES)
    pair.machines["far"].run(["systemctl", "stop", "ssh.socket", "ssh.service"])
    try:
        done = pair.reconcile("near", code=1)
        assert "moving from far, and whether it still runs there is not known: far cannot be reached" in done.stdout
        assert "waiter" not in sessions(pair, "near")
        pair.mosaic("near", "fleet", "release", "waiter")
        pair.reconcile("near")
        assert "waiter" in sessions(pair, "near")
    finally:
        pair.machines["far"].run(["systemctl", "start", "ssh.service"])
    rows = pair.document("near", "fleet", "ps", "--all-hosts")["agents"]
    there = next(one for one in rows if (one["name"], one["host"]) == ("waiter", "far"))
    assert (there["sync"], there["why"]) == ("extra", "moving to near: far has not taken that commit yet")
    let_go(pair, "far", "waiter")


def test_one_that_moves_back_waits_again(pair: Pair) -> None:
    pair.declare(roster({"mover": "far", "worker": "near", "waiter": "near"}), RULES)
    assert "moving from near: it still runs there" in pair.reconcile("far", code=1).stdout
    assert "mover" not in sessions(pair, "far")
    let_go(pair, "near", "mover")
    pair.reconcile("far")
    assert "mover" in sessions(pair, "far")


def test_without_a_way_to_the_old_host_it_starts_and_that_is_said(pair: Pair) -> None:
    homes = {"mover": "far", "worker": "near", "waiter": "near"}
    pair.declare(roster(homes, ways=False), RULES)
    pair.declare(roster({**homes, "mover": "near"}, ways=False), RULES)
    pair.machines["far"].run(["systemctl", "stop", "ssh.socket", "ssh.service"])
    try:
        done = pair.reconcile("near")
    finally:
        pair.machines["far"].run(["systemctl", "start", "ssh.service"])
    assert "mover comes from far, and whether it still runs there is not known" in done.stderr
    assert "it runs twice until far takes this commit" in done.stderr
    assert "mover" in sessions(pair, "near")
    let_go(pair, "far", "mover")


def test_a_machine_with_a_new_name_waits_for_nobody(pair: Pair) -> None:
    """Its agents are where they were: one that has ended is healed."""
    homes = {"mover": "here", "worker": "here", "waiter": "here"}
    pair.declare(roster(homes, lead="here"), RULES.replace("[near,", "[here,"))
    pair.run("near", ["tmux", "-L", "pair", "kill-session", "-t", "=waiter"])
    pair.reconcile("near", "--host", "here", "--rebind-host")
    assert sessions(pair, "near") == ["_holder", "lead", "mover", "waiter", "worker"]
