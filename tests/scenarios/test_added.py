"""What launches add, and who answers for programs that say nothing: with commits, on a real host."""

from __future__ import annotations

from tests.hosts.waiting import eventually
from tests.scenarios.fleet import Fleet, stub

RESPONDER = "mosaic-responder.service"
SLEEPER = {"runtime": "sleeper", "class": "worker"}


def blocks(fleet: Fleet, name: str) -> str:
    return fleet.sh(f"cat {fleet.mosaic}/fleet/agents/{name}.d/contract.md")


def responder(fleet: Fleet) -> tuple[str, str]:
    """Whether it is active, and whether it is enabled."""
    return (
        fleet.sh(f"systemctl --user is-active {RESPONDER} || true").strip(),
        fleet.sh(f"systemctl --user is-enabled {RESPONDER} || true").strip(),
    )


def test_a_new_name_reaches_everybody_and_restarts_nobody(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    first = fleet.converge()
    assert first.added == ["write:extras:a", "write:extras:b"]
    before = fleet.up("a", "b")
    assert fleet.sh(f"stat -c %a {fleet.mosaic}/fleet/agents/a.d {fleet.mosaic}/fleet/agents/a.d/*").split() == [
        "700", "600", "600",
    ]  # fmt: skip
    assert "agent send b" in blocks(fleet, "a")
    fleet.agents["newcomer"] = stub()
    fleet.commit()
    run = fleet.converge()
    assert run.added == ["write:extras:a", "write:extras:b", "write:extras:newcomer"]
    assert run.disruptive == []
    assert {one["reason"] for one in run.document["actions"] if one["id"] == "write:extras:a"} == {"spec-changed"}
    assert "agent send newcomer" in blocks(fleet, "a")
    after = fleet.up("a", "b", "newcomer")
    assert {name: after[name] for name in before} == before
    del fleet.agents["newcomer"]
    fleet.commit()
    gone = fleet.converge()
    assert "delete:extras:newcomer" in gone.added
    assert fleet.sh(f"ls {fleet.mosaic}/fleet/agents").split() == ["a.d", "a.env", "b.d", "b.env"]
    assert fleet.converge().added == []


def test_an_edit_is_put_back_and_what_stands_beside_stays(fleet: Fleet) -> None:
    fleet.declare("a")
    fleet.converge()
    before = fleet.up("a")
    folder = f"{fleet.mosaic}/fleet/agents/a.d"
    text = blocks(fleet, "a")
    fleet.sh(f"echo evil >> {folder}/contract.md; echo mine > {folder}/mine; chmod 644 {folder}/MANIFEST")
    run = fleet.converge()
    assert run.added == ["write:extras:a"]
    assert [one["reason"] for one in run.document["actions"]] == ["drifted-on-host"]
    assert blocks(fleet, "a") == text
    assert fleet.sh(f"cat {folder}/mine").strip() == "mine"
    assert fleet.up("a") == before


def test_the_responder_runs_while_somebody_needs_it(fleet: Fleet) -> None:
    fleet.declare("a")
    fleet.converge()
    assert responder(fleet) == ("inactive", "disabled")
    fleet.roster["runtimes"] = {"sleeper": {"command": ["sleep", "infinity"], "process_names": ["sleep"]}}
    fleet.agents["s"] = dict(SLEEPER)
    fleet.commit()
    run = fleet.converge()
    assert {f"enable:responder:{RESPONDER}", f"start:responder:{RESPONDER}"} <= set(run.done)
    assert responder(fleet) == ("active", "enabled")
    eventually(lambda: "source=sidecar" in fleet.sh(f"cat {fleet.mosaic}/fleet/run/s.hb || true"), what="a heartbeat")
    fleet.sh(f"systemctl --user stop {RESPONDER}; systemctl --user disable {RESPONDER}")
    run = fleet.converge()
    assert set(run.done) == {f"enable:responder:{RESPONDER}", f"start:responder:{RESPONDER}"}
    assert fleet.converge().done == []
    fleet.agents["s"]["state"] = "stopped"
    fleet.commit()
    run = fleet.converge()
    assert {f"disable:responder:{RESPONDER}", f"stop:responder:{RESPONDER}"} <= set(run.done)
    assert responder(fleet) == ("inactive", "disabled")
    assert fleet.converge().done == []
