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
        "login": showing("claude", "claude.api-key.80"),
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
        "screen": stub(),
    }
    fleet.commit("first")
    fleet.converge()
    screens(fleet)


SHOWN = {
    "trust": "trust",
    "bypass": "bypass",
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
    closed = kind not in ("menu", "draft")  # at those a person is there
    assert seen["wrong"] is closed
    check = fleet.cli("fleet", "ps", "--fleet", fleet.repo, "--check", "--agent", name)
    assert check.code == (3 if closed else 0), check.out
    verified = fleet.cli("fleet", "verify", "--fleet", fleet.repo, "-o", "json").document["checks"]
    (waits,) = [one for one in verified if (one["agent"], one["name"]) == (name, "waiting")]
    assert waits["result"] == ("wrong" if closed else "note")
    assert f"({kind})" in waits["found"]
    assert waits["mend"].endswith(f": mosaic agent attach {name}")
    assert ("mosaic agent answer" in waits["mend"]) is closed
    sent = fleet.cli("agent", "send", name, "-m", "hello", "--verify")
    assert sent.code == 1, sent.out
    wanted = "a person's draft stands in its composer" if kind == "draft" else f"it waits for a person ({kind})"
    assert wanted in sent.out + sent.err
    assert f"waiting ({kind})" in fleet.cli("agent", "status", name, "--fleet", fleet.repo).out


def test_a_screen_that_nobody_can_read_is_no_sign_of_anything(fleet: Fleet) -> None:
    reads(fleet, "odd", "unknown")  # also while it has just started
    fleet.wait(lambda: "its screen is not understood" in row(fleet, "odd")["why"], "what its screen shows", LONG)
    seen = row(fleet, "odd")
    assert (seen["may_stop"], seen["available"]) == (False, None)
    sent = fleet.cli("agent", "send", "odd", "-m", "hello")
    assert sent.code == 1
    assert "its composer is not on its screen" in sent.out + sent.err


def state(fleet: Fleet, name: str) -> str:
    """As a person reads it."""
    return cells(fleet.cli("fleet", "ps", "--fleet", fleet.repo, "-o", "wide").out)[name]["STATE"]


def test_what_only_its_screen_shows_is_known_to_all(fleet: Fleet) -> None:
    """Its heartbeat goes on to say that all is well, as the hooks of real programs do."""
    fleet.type("screen", "/dialog trust")
    seen = reads(fleet, "screen", "waiting", "trust")
    assert (seen["wrong"], seen["question"], seen["heartbeat"]["state"]) == (True, "May the stub go on (trust)?", "ok")
    assert fleet.cli("fleet", "ps", "--fleet", fleet.repo, "--check", "--agent", "screen").code == 3
    fleet.tmux("send-keys", "-t", "=screen:", "1")
    reads(fleet, "screen", "available")
    assert fleet.cli("fleet", "ps", "--fleet", fleet.repo, "--check", "--agent", "screen").code == 0
    fleet.type("screen", "/trouble limit in 2h 5m")
    seen = reads(fleet, "screen", "stuck")
    assert (seen["stuck"], seen["until"], seen["wrong"]) == ("limit", "in 2h 5m", True)
    assert seen["until_at"] is not None
    assert state(fleet, "screen") == "stuck (limit, until in 2h 5m)"
    assert fleet.cli("fleet", "ps", "--fleet", fleet.repo, "--check", "--agent", "screen").code == 3
    verified = fleet.cli("fleet", "verify", "--fleet", fleet.repo, "-o", "json").document["checks"]
    (progress,) = [one for one in verified if (one["agent"], one["name"]) == ("screen", "progress")]
    assert progress["result"] == "wrong"
    sent = fleet.cli("agent", "send", "screen", "-m", "hello", "--verify", "-o", "json").document
    assert (sent["result"], sent["reason"]) == ("not-delivered", "it is at its usage limit until in 2h 5m")


def test_what_keeps_it_from_working_stays_until_something_shows_that_it_is_over(fleet: Fleet) -> None:
    fleet.type("screen", "/trouble logged-out")
    fleet.wait(lambda: row(fleet, "screen")["stuck"] == "logged-out", "that it is logged out", LONG)
    fleet.reconcile()  # which remembers it
    fleet.tmux("select-pane", "-t", "=screen:", "-T", "nothing to read")
    seen = reads(fleet, "screen", "stuck")
    assert seen["stuck"] == "logged-out"
    assert "nothing shows that it is over" in seen["why"]
    sent = fleet.cli("agent", "send", "screen", "-m", "hello", "--verify", "-o", "json").document
    assert (sent["result"], sent["reason"]) == ("not-delivered", "it is logged out")
    fleet.type("screen", "/idle")
    reads(fleet, "screen", "available")


def test_what_is_taken_up_and_refused_is_not_delivered(fleet: Fleet) -> None:
    """Its limit is over, as far as anybody knows, so a message may show whether that is so. It leaves a receipt."""
    fleet.type("screen", "/trouble limit")
    reads(fleet, "screen", "stuck")
    sent = fleet.cli(
        "agent", "send", "screen", "-m", "is it over?", "--verify", "--verify-timeout", "1s", "-o", "json"
    ).document
    assert sent["result"] == "unconfirmed"
    assert sent["reason"] == "it has taken the message up, and it is at its usage limit"
    fleet.type("screen", "/idle")
    reads(fleet, "screen", "available")


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
