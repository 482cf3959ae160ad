"""What each verb makes of the files, without a repository: which files change, what is told, what is refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from reconciler.changes.edits import add, remove, restart, set_state, suspend, unsuspend
from reconciler.changes.proposal import EditVerb, Proposal, propose
from reconciler.errors import MosaicError, NotFound, Refused
from specs.editing.edit import entries, suspended

FILES = {
    "roster.yaml": b"""version: 1
transport: tmux
agents:
  - name: lead  # my own words
    runtime: stub
    class: orchestrator
  - name: coder0
    runtime: stub
    class: worker
  - name: gone
    runtime: stub
    class: worker
    state: absent
""",
    "fleet.yaml": b"version: 1\nname: demo\nfloor: none\n",
}


def made(verb: EditVerb, files: Mapping[str, bytes] = FILES) -> Proposal:
    return propose(files, verb)


def roster(proposal: Proposal) -> Mapping[str, Mapping[str, object]]:
    text = proposal.files["roster.yaml"]
    assert b"# my own words" in text
    return entries(text)


def test_one_more() -> None:
    found = made(add({"name": "coder1", "runtime": "stub", "class": "worker"}))
    assert roster(found)["coder1"] == {"name": "coder1", "runtime": "stub", "class": "worker"}
    assert set(found.files) == {"roster.yaml"}
    assert (found.message, found.notes) == ("Add coder1", ())


def test_one_that_does_not_start_yet_says_so() -> None:
    found = made(add({"name": "coder1", "runtime": "stub", "class": "worker", "state": "stopped"}))
    assert len(found.notes) == 1


def test_one_that_was_removed_is_declared_again() -> None:
    found = made(add({"name": "gone", "model_hint": "opus"}))
    assert roster(found)["gone"]["state"] == "running"
    assert roster(found)["gone"]["model_hint"] == "opus"


def test_without_some() -> None:
    found = made(remove(["coder0"], tombstone=False))
    assert list(roster(found)) == ["lead", "gone"]
    kept = made(remove(["coder0"], tombstone=True))
    assert roster(kept)["coder0"]["state"] == "absent"


def test_what_suspended_it_goes_with_it() -> None:
    files = {**FILES, **made(suspend("coder0", reason="lunch", by="ada", until=None)).files}
    found = made(remove(["coder0"], tombstone=False), files)
    assert suspended(found.files["fleet.yaml"]) == {}
    assert len(found.notes) == 1


def test_more_than_a_run_removes_is_told() -> None:
    many = FILES["roster.yaml"] + b"".join(
        f"  - {{name: more{number}, runtime: stub, class: worker}}\n".encode() for number in range(9)
    )
    found = made(
        remove([f"more{number}" for number in range(9)], tombstone=False), {**FILES, "roster.yaml": many}
    )  # fmt: skip
    assert "--allow-removals" in " ".join(found.notes)


def test_one_that_is_gone_by_another_way_is_passed_over() -> None:
    found = made(remove(["coder0", "old"], tombstone=False, gone=lambda name: name == "old"))
    assert list(roster(found)) == ["lead", "gone"]
    assert len(found.notes) == 1


def test_stopped_and_started() -> None:
    stopped = made(set_state(["coder0"], "stopped"))
    assert roster(stopped)["coder0"]["state"] == "stopped"
    assert stopped.cautions == ()
    again = made(set_state(["coder0"], "stopped"), {**FILES, **stopped.files})
    assert again.files == {}
    assert len(again.notes) == 1


def test_the_last_of_a_role_is_stopped_with_a_caution() -> None:
    assert len(made(set_state(["lead"], "stopped")).cautions) == 1


def test_a_restart_says_what_it_begins_with_once() -> None:
    fresh = made(restart(["coder0"], "fresh"))
    assert entries(fresh.files["roster.yaml"])["coder0"]["restart_session"] == "fresh"
    assert "in a new conversation" in fresh.message
    then = made(restart(["coder0"]), {**FILES, **fresh.files})
    assert entries(then.files["roster.yaml"])["coder0"]["restart_session"] == "present"
    back = made(restart(["coder0"], "s-1"), {**FILES, **then.files})
    assert entries(back.files["roster.yaml"])["coder0"]["restart_session"] == "s-1"
    assert entries(back.files["roster.yaml"])["coder0"]["generation"] == 3


def test_a_restart_is_a_generation_more() -> None:
    once = made(restart(["coder0"]))
    assert roster(once)["coder0"]["generation"] == 1
    twice = made(restart(["coder0"]), {**FILES, **once.files})
    assert roster(twice)["coder0"]["generation"] == 2
    assert twice.message == "Restart coder0 (generation 2)"


def test_a_suspension_is_one_entry() -> None:
    once = made(suspend("coder0", reason="lunch", by="ada", until="2030-01-01T00:00:00Z"))
    assert suspended(once.files["fleet.yaml"])["coder0"] == {
        "agent": "coder0", "reason": "lunch", "by": "ada", "until": "2030-01-01T00:00:00Z",
    }  # fmt: skip
    files = {**FILES, **once.files}
    other = made(suspend("coder0", reason="a walk", by="bob", until=None), files)
    assert suspended(other.files["fleet.yaml"])["coder0"]["by"] == "bob"
    assert len(other.notes) == 1
    lifted = made(unsuspend(None), files)
    assert suspended(lifted.files["fleet.yaml"]) == {}


def test_a_suspension_where_there_are_no_rules_yet_asks_for_no_floor() -> None:
    found = made(suspend("*", reason="a move", by="ada", until=None), {"roster.yaml": FILES["roster.yaml"]})
    assert b"floor: none" in found.files["fleet.yaml"]
    assert made(unsuspend(None), {"roster.yaml": FILES["roster.yaml"]}).files == {}


@pytest.mark.parametrize(
    ("verb", "error"),
    [
        (add({"name": "coder0", "runtime": "stub", "class": "worker"}), Refused),
        (remove(["corder0"], tombstone=False), NotFound),
        (set_state(["gone"], "running"), Refused),
        (restart(["gone"]), Refused),
        (restart(["nobody"]), NotFound),
        (suspend("nobody", reason="r", by="ada", until=None), NotFound),
        (unsuspend("coder0"), NotFound),
        (unsuspend("nobody"), NotFound),
    ],
)
def test_what_is_refused(verb: EditVerb, error: type[MosaicError]) -> None:
    with pytest.raises(error) as caught:
        made(verb)
    assert caught.value.help


def test_without_a_roster_nothing_is_edited() -> None:
    with pytest.raises(NotFound):
        made(restart(["coder0"]), {})
