"""The states in which commands have contradicted each other, on a real host."""

from __future__ import annotations

import pytest

from tests.scenarios.fleet import Fleet, stub
from tests.truth.bench import LONG, cells, operator, reads, row, rules, screens, showing


@pytest.fixture(scope="module", autouse=True)
def agents(fleet: Fleet) -> None:
    rules(fleet)
    operator(fleet)
    fleet.agents = {
        "trust": showing("claude", "claude.trust.80"),
        "bypass": showing("claude", "claude.bypass.80"),
        "login": showing("claude", "claude.login.80"),
        "asks": showing("claude", "claude.permission.80"),
        "menu": showing("claude", "claude.menu-config.80"),
        "draft": showing("claude", "claude.draft.80"),
        "idle": showing("claude", "claude.idle.80"),
        "odd": showing("claude", "opencode.idle.80"),
        "codex-trust": showing("codex", "codex.trust.80"),
        "codex-hooks": showing("codex", "codex.menu-hooks.80"),
        "pi-question": showing("pi", "pi.dialog-confirm.80"),
        "stub": stub(),
        "other": stub(),
        "third": stub(),
    }
    fleet.commit("first")
    fleet.converge()
    screens(fleet)


SHOWN = {
    "trust": "trust",
    "bypass": "trust",
    "login": "login",
    "asks": "permission",
    "menu": "menu",
    "draft": "draft",
    "codex-trust": "trust",
    "codex-hooks": "menu",
    "pi-question": "question",
}


@pytest.mark.parametrize("name", SHOWN)
def test_a_dialog_on_the_screen_is_the_same_for_all(fleet: Fleet, name: str) -> None:
    kind = SHOWN[name]
    seen = reads(fleet, name, "waiting", kind)
    assert (
        cells(fleet.cli("fleet", "ps", "--fleet", fleet.repo, "-o", "wide").out)[name]["STATE"] == f"waiting ({kind})"
    )
    closed = kind in ("trust", "login")
    assert seen["wrong"] is closed
    check = fleet.cli("fleet", "ps", "--fleet", fleet.repo, "--check", "--agent", name)
    assert check.code == (3 if closed else 0), check.out
    verified = fleet.cli("fleet", "verify", "--fleet", fleet.repo, "-o", "json").document["checks"]
    (waits,) = [one for one in verified if (one["agent"], one["name"]) == (name, "waiting")]
    assert waits["result"] == ("wrong" if closed else "note")
    assert f"({kind})" in waits["found"]
    assert waits["mend"] == f"answer it: mosaic agent attach {name}"
    sent = fleet.cli("agent", "send", name, "-m", "hello", "--verify")
    assert sent.code == 1, sent.out
    wanted = "a person's draft stands in its composer" if kind == "draft" else f"it waits for a person ({kind})"
    assert wanted in sent.out + sent.err
    assert f"waiting ({kind})" in fleet.cli("agent", "status", name, "--fleet", fleet.repo).out


def test_a_screen_that_nobody_can_read_is_no_sign_of_anything(fleet: Fleet) -> None:
    reads(fleet, "odd", "unknown")  # also while it has just started
    fleet.wait(
        lambda: "neither its prompt nor a known dialog" in row(fleet, "odd")["why"], "what its screen shows", LONG
    )
    seen = row(fleet, "odd")
    assert (seen["may_stop"], seen["available"]) == (False, None)
    sent = fleet.cli("agent", "send", "odd", "-m", "hello")
    assert sent.code == 1
    assert "its composer is not on its screen" in sent.out + sent.err


def test_who_asks_by_its_heartbeat_is_not_sent_to(fleet: Fleet) -> None:
    fleet.beats("stub")
    fleet.type("stub", "/ask permission")
    seen = reads(fleet, "stub", "waiting", "permission")
    assert not seen["may_stop"]
    sent = fleet.cli("agent", "send", "stub", "-m", "yes", "--verify", "-o", "json")
    assert (sent.code, sent.document["result"]) == (1, "not-delivered")
    assert sent.document["reason"] == "it waits for a person (permission)"
    # What is kept for it waits too, and a reset is refused for the same reason.
    assert fleet.cli("agent", "send", "stub", "-m", "later", "--when", "available").code == 0
    fleet.reconcile()
    assert "later" not in fleet.cli("agent", "tail", "stub").out
    refused = fleet.cli("agent", "reset", "stub", "--restart")
    assert refused.code == 5
    assert "agent stub waits for a person (permission)" in refused.err
    fleet.type("stub", "/idle")
    reads(fleet, "stub", "available")
    fleet.wait(lambda: fleet.reconcile() and "later" in fleet.cli("agent", "tail", "stub").out, "the message")


def test_a_stop_spares_who_works_and_what_ps_says_is_what_happens(fleet: Fleet) -> None:
    fleet.type("other", "/busy")
    seen = reads(fleet, "other", "working")
    assert (seen["may_stop"], seen["available"]) == (False, False)
    assert "works" in seen["may_stop_why"]
    assert reads(fleet, "third", "available")["may_stop"]
    before = fleet.pids()
    # Each of these asks, and each says the same of it.
    assert fleet.cli("agent", "reset", "other", "--restart").code == 5
    told = fleet.cli("fleet", "stop", "other", "third", "--fleet", fleet.repo)
    assert "committed" in told.out, told.err
    after = fleet.pids()
    assert after["other"] == before["other"]
    assert "third" not in after
    held = fleet.reconcile("--dry-run").held("other")
    assert (held["verb"], held["reason"]) == ("stop", "working")
    assert held["message"] == row(fleet, "other")["may_stop_why"]
    fleet.type("other", "/idle")
    reads(fleet, "other", "available")
    fleet.wait(lambda: fleet.reconcile() and "other" not in fleet.pids(), "its end once it has nothing to do")


def test_force_says_so_in_the_event(fleet: Fleet) -> None:
    pid = row(fleet, "asks")["pid"]
    assert fleet.cli("agent", "reset", "asks", "--restart").code == 5
    assert row(fleet, "asks")["pid"] == pid
    run = fleet.cli("agent", "reset", "asks", "--restart", "--force")
    assert run.code == 3, run.err  # it was restarted, and says nothing of its conversations
    assert row(fleet, "asks")["pid"] not in (pid, None)
    event = [one for one in fleet.events() if one["type"] == "reset" and one["agent"] == "asks"][-1]
    assert event["forced"] is True
    assert "forced, though it waits for a person (permission)" in event["message"]
