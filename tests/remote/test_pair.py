"""One fleet on two machines: each runs its own agents, and reaches the other's."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.hosts.fixtures import RealHosts
from tests.remote.pair import BIN, USER, Pair


@pytest.fixture(scope="module")
def pair(real_hosts: RealHosts) -> Iterator[Pair]:
    with real_hosts(Pair) as made:
        made.declare()
        made.reconcile("near")
        made.reconcile("far")
        yield made


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
    pair.machines["far"].run(["systemctl", "stop", "ssh.socket", "ssh.service"])
    try:
        document = pair.document("near", "fleet", "ps", "--all-hosts", "--check", code=3)
    finally:
        pair.machines["far"].run(["systemctl", "start", "ssh.service"])
    assert [(row["kind"], row["name"]) for row in document["agents"]] == [("host", "far"), ("agent", "lead")]
    assert "far cannot be reached" in document["agents"][0]["why"]


def screen(pair: Pair, host: str, agent: str) -> str:
    return pair.run(host, ["tmux", "-L", "pair", "capture-pane", "-p", "-J", "-S-", "-t", f"={agent}:"]).stdout


def test_a_message_to_the_other_host_is_delivered_there(pair: Pair) -> None:
    text = "one 'line' with $(quotes); and `id`\nanother \\"
    words = ["agent", "send", "coder0", "--source-label", "near:lead", "--verify", "--verify-timeout", "30s"]
    answer = json.loads(pair.mosaic("near", *words, "-o", "json", input=text).stdout)
    assert (answer["result"], answer["agent"], answer["host"], answer["sender"]) == (
        "delivered",
        "coder0",
        "far",
        "near:lead",
    )
    shown = screen(pair, "far", "coder0")
    assert "[near:lead -> far:coder0] one 'line' with $(quotes); and `id`" in shown
    assert "another \\" in shown
    assert "coder1" not in shown


def test_a_message_may_wait_in_the_outbox_of_the_other_host(pair: Pair) -> None:
    kept = pair.document("near", "agent", "send", "coder1", "-m", "later", "--when", "available")
    waiting = pair.document("far", "agent", "outbox")["messages"]
    assert [(one["id"], one["agent"]) for one in waiting] == [(kept["id"], "coder1")]
    pair.mosaic("far", "agent", "outbox", "--cancel", kept["id"])


def test_what_waits_on_the_other_host_is_listed_here(pair: Pair) -> None:
    text = "later, and\nin two lines"
    kept = pair.document("near", "agent", "send", "coder1", "-m", text, "--when", "available")["id"]
    here = pair.mosaic("near", "agent", "outbox")
    assert here.stdout == "the outbox is empty\n"
    assert "mosaic agent outbox --all-hosts" in here.stderr
    for words in (["coder1"], ["--all-hosts"]):
        document = pair.document("near", "agent", "outbox", *words)
        assert [(one["id"], one["host"], one["agent"]) for one in document["messages"]] == [(kept, "far", "coder1")]
        assert document["silent"] == []
        assert kept in pair.mosaic("near", "agent", "outbox", *words).stdout
    assert pair.mosaic("near", "agent", "outbox", "coder1", "--show", kept).stdout == f"{text}\n"
    pair.mosaic("near", "agent", "outbox", "coder1", "--cancel", kept)
    assert pair.document("far", "agent", "outbox")["messages"] == []


def test_a_host_whose_outbox_is_not_known_is_named(pair: Pair) -> None:
    kept = pair.document("near", "agent", "send", "lead", "-m", "for me", "--when", "available")["id"]
    pair.machines["far"].run(["systemctl", "stop", "ssh.socket", "ssh.service"])
    try:
        document = pair.document("near", "agent", "outbox", "--all-hosts", code=69)
        alone = pair.mosaic("near", "agent", "outbox", "coder1", code=69)
    finally:
        pair.machines["far"].run(["systemctl", "start", "ssh.service"])
        pair.mosaic("near", "agent", "outbox", "--cancel", kept)
    assert [one["id"] for one in document["messages"]] == [kept]
    assert [one["host"] for one in document["silent"]] == ["far"]
    assert "cannot list the messages waiting on far: far cannot be reached" in alone.stderr
    assert "empty" not in alone.stdout


def test_an_agent_signs_as_itself_on_the_other_host_too(pair: Pair) -> None:
    """From a scope like that of its pane."""
    scope = ["systemd-run", "--user", "--scope", "--quiet", "--unit=mosaic-pane-lead:0f.scope"]
    words = ["agent", "send", "coder0", "-m", "who am I", "--verify", "--verify-timeout", "30s", "-o", "json"]
    sent = pair.run("near", [*scope, BIN / "mosaic", *words], check=False)
    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["sender"] == "near:lead"
    assert "[near:lead -> far:coder0] who am I" in screen(pair, "far", "coder0")
    refused = pair.run("near", [*scope, BIN / "mosaic", *words, "--source-label", "near:operator"], check=False)
    assert (refused.returncode, "cannot sign as near:operator" in refused.stderr) == (5, True)


def test_a_host_that_is_not_reached_gets_nothing_and_that_is_said(pair: Pair) -> None:
    pair.machines["far"].run(["systemctl", "stop", "ssh.socket", "ssh.service"])
    try:
        answer = pair.document("near", "agent", "send", "coder0", "-m", "lost", "--verify", code=1)
    finally:
        pair.machines["far"].run(["systemctl", "start", "ssh.service"])
    assert (answer["result"], answer["evidence"]) == ("not-delivered", None)
    assert "far cannot be reached" in answer["reason"]
    assert "lost" not in screen(pair, "far", "coder0")


def test_a_message_to_all_is_answered_by_each_host_for_its_own(pair: Pair) -> None:
    words = ["--all", "-m", "to everyone", "--verify", "--verify-timeout", "30s"]
    found = pair.document("near", "agent", "send", *words)
    assert [(one["agent"], one["host"], one["result"]) for one in found["deliveries"]] == [
        ("coder0", "far", "delivered"),
        ("coder1", "far", "delivered"),
        ("lead", "near", "delivered"),
    ]
    assert "[near:operator -> far:coder1] to everyone" in screen(pair, "far", "coder1")


def test_a_dialog_of_the_other_host_is_looked_for_there(pair: Pair) -> None:
    found = pair.document("near", "agent", "answer", "coder0", "--allow", code=4)
    assert (found["host"], found["result"]) == ("far", "no-dialog")
    assert "cannot be read" in found["reason"]  # a stub's screen says nothing


def test_an_unknown_name_is_unknown_everywhere(pair: Pair) -> None:
    assert "did you mean" in pair.mosaic("near", "agent", "send", "codr0", "-m", "x", code=4).stderr


def test_what_only_looks_is_done_there_and_shown_here(pair: Pair) -> None:
    pair.mosaic("near", "agent", "send", "coder1", "-m", "look at this", "--verify", "--verify-timeout", "30s")
    assert "look at this" in pair.mosaic("near", "agent", "tail", "coder1").stdout
    assert "look at this" in pair.mosaic("near", "agent", "watch", "coder1", "--once").stdout
    document = pair.document("near", "agent", "status", "coder1")
    assert document["agent"]["host"] == "far"


def test_nobody_types_without_a_terminal(pair: Pair) -> None:
    assert "no terminal" in pair.mosaic("near", "agent", "attach", "coder1", code=64).stderr


def test_a_reset_there_begins_a_new_conversation(pair: Pair) -> None:
    assert "coder1" in pair.mosaic("near", "agent", "reset", "coder1", "--force").stdout
