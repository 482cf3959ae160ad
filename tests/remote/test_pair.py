"""One fleet on two machines: each runs its own agents, and reaches the other's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.errors import HostUnavailable
from tests.hosts.fixtures import without_host
from tests.remote.pair import USER, Pair


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    made = Pair()
    try:
        made.__enter__()
    except HostUnavailable as error:
        without_host(error)
    try:
        made.declare()
        made.reconcile("near")
        made.reconcile("far")
        yield made
    finally:
        made.__exit__()


def sessions(pair: Pair, host: str) -> list[str]:
    return sorted(pair.run(host, ["tmux", "-L", "pair", "list-sessions", "-F", "#{session_name}"]).stdout.split())


def test_each_host_runs_its_own_agents(pair: Pair) -> None:
    assert sessions(pair, "near") == ["_holder", "lead"]
    assert sessions(pair, "far") == ["_holder", "coder0", "coder1"]
    assert pair.document("far", "fleet", "status")["tenant_id"] == USER


def test_one_list_for_both(pair: Pair) -> None:
    for host in ("near", "far"):
        rows = pair.document(host, "fleet", "ps", "--all-hosts")["agents"]
        assert sorted((row["name"], row["host"]) for row in rows) == [
            ("coder0", "far"),
            ("coder1", "far"),
            ("lead", "near"),
        ]
        assert all(row["sync"] == "synced" and row["tenant_id"] == USER for row in rows)


def test_a_host_that_does_not_answer_is_a_row_that_says_so(pair: Pair) -> None:
    pair.machines["far"].run(["systemctl", "stop", "ssh.service"])
    try:
        document = pair.document("near", "fleet", "ps", "--all-hosts", "--check", code=3)
    finally:
        pair.machines["far"].run(["systemctl", "start", "ssh.service"])
    assert [(row["kind"], row["name"]) for row in document["agents"]] == [("host", "far"), ("agent", "lead")]
    assert "far cannot be reached" in document["agents"][0]["why"]
