"""Every command about every agent of one fleet, each agent in another state: what one knows, no other contradicts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.scenarios.fleet import NAME, Fleet, stub
from tests.truth.bench import operator, reads, rows, rules, screens, showing
from tests.truth.told import (
    Told,
    lists_and_documents,
    the_numbers,
    what_is_due_and_held,
    what_is_wrong,
    who_is_reset,
)


@pytest.fixture(scope="module")
def told(fleet: Fleet) -> Iterator[Told]:
    rules(fleet, stale_after="6s")
    operator(fleet)
    names = (
        "working",
        "free",
        "asks",
        "question",
        "stuck",
        "silent",
        "unseen",
        "dead",
        "removed",
        "split",
    )
    fleet.agents = {name: stub() for name in names}
    fleet.agents |= {
        "trust": showing("claude", "claude.trust.80"),
        "permission": showing("claude", "claude.permission.80"),
        "menu": showing("claude", "claude.menu-config.80"),
        "draft": showing("claude", "claude.draft.80"),
        "idle": showing("claude", "claude.idle.80"),
        "odd": showing("claude", "pi.idle.80"),
        "codex-trust": showing("codex", "codex.trust.80"),
        "stopped": stub(state="stopped"),
        "taken": stub(state="stopped"),
        "loops": {"runtime": "stub", "class": "worker", "command": ["/bin/false"]},
    }
    fleet.commit("first")
    fleet.reconcile()
    screens(fleet)
    for name, word in (("working", "/busy"), ("asks", "/ask permission"), ("question", "/ask question"),
                       ("stuck", "/stuck rate-limit"), ("removed", "/busy"), ("silent", "/silent")):  # fmt: skip
        fleet.type(name, word)
    left = fleet.cli("fleet", "suspend", "dead", "--reason", "pairing", "--by", "ada", "--here", "--fleet", NAME)
    assert left.code == 0, left.err
    fleet.type("dead", "/crash 4")
    fleet.type("unseen", "/silent")
    # Nothing answers for `unseen`, and the pane of `silent` goes on all the same: it is stale, and does not hang.
    fleet.wait(lambda: fleet.sh(f"rm -f {fleet.mosaic}/fleet/run/unseen.hb") == "", "no heartbeat")
    talking = "while sleep 0.5; do tmux -L fleet send-keys -t =silent: x; done"
    busy = fleet.start(["sh", "-c", talking])
    fleet.tmux("new-session", "-d", "-s", "taken", "exec sleep 1000")
    fleet.tmux("new-session", "-d", "-s", "mine", "exec sleep 1000")
    fleet.tmux("split-window", "-d", "-t", "=split:", "exec sleep 1000")
    del fleet.agents["removed"]
    fleet.agents["taken"] = stub()
    fleet.commit("second")
    reads(fleet, "silent", "stale")
    try:
        yield Told(fleet)
    finally:
        busy.kill()
        busy.wait()


STATES = {
    "working": ("working", None, False),
    "free": ("available", None, True),
    "asks": ("waiting", "permission", False),
    "question": ("waiting", "question", False),
    "stuck": ("stuck", None, True),
    "silent": ("stale", None, False),
    "unseen": ("unknown", None, True),  # quiet for `idle_after`, which is all there is to go by
    "dead": ("dead", None, False),  # suspended
    "removed": ("working", None, False),
    "trust": ("waiting", "trust", True),
    "permission": ("waiting", "permission", False),
    "menu": ("waiting", "menu", False),  # no word of its own says that its turn is over
    "draft": ("waiting", "draft", False),
    "idle": ("available", None, True),
    "odd": ("unknown", None, False),
    "codex-trust": ("waiting", "trust", True),
    "stopped": ("stopped", None, True),
    "loops": ("dead", None, True),
}


@pytest.mark.parametrize("name", STATES)
def test_each_is_in_the_state_that_it_was_brought_into(told: Told, name: str) -> None:
    one = told.rows[name]
    assert (one["state"], one["waiting"], one["may_stop"]) == STATES[name], (one["why"], one["may_stop_why"])


def test_lists_and_documents(told: Told) -> None:
    lists_and_documents(told)


def test_what_is_wrong(told: Told) -> None:
    wrong = what_is_wrong(told)
    assert {"trust", "codex-trust", "silent", "stuck", "odd", "loops", "taken"} <= wrong
    assert {"asks", "question", "permission"} <= wrong  # nobody may be there to answer
    assert not {"working", "free", "menu", "draft", "idle", "stopped"} & wrong


def test_what_is_due_and_held(told: Told) -> None:
    what_is_due_and_held(told)


def test_the_numbers(told: Told) -> None:
    the_numbers(told)


def test_who_is_written_to(told: Told) -> None:
    """Sent to: each one that waits is refused, with the same word; whoever is gone, too."""
    fleet = told.fleet
    for name, one in told.rows.items():
        if one["kind"] != "agent" or name in ("free", "working", "stuck", "silent", "unseen", "split"):
            continue
        sent = fleet.cli("agent", "send", name, "-m", "hello", "-o", "json")
        if name == "idle":
            assert sent.document["result"] != "not-delivered"
            continue
        assert (sent.code, sent.document["result"]) == (1, "not-delivered"), name
        if one["waiting"] and one["waiting"] != "draft":
            assert sent.document["reason"] == f"it waits for a person ({one['waiting']})"


def test_who_is_reset(told: Told) -> None:
    who_is_reset(told)


def test_a_stop_of_all_ends_exactly_those_who_may_be_stopped(told: Told) -> None:
    """The last test of the file."""
    fleet = told.fleet
    declared = [name for name, one in told.rows.items() if one["kind"] == "agent" and one["desired"] == "running"]
    asked = fleet.cli("fleet", "stop", *declared, "--fleet", fleet.repo)
    assert "committed" in asked.out, asked.err
    after = rows(fleet)
    for name in declared:
        before, now = told.rows[name], after[name]
        if before["session"] == "alive" and not before["may_stop"]:
            assert now["pid"] == before["pid"], name
        if before["session"] == "alive" and before["may_stop"] and name != "idle":
            assert now["session"] == "missing", (name, now["why"])
