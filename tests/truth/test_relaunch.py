"""`mosaic update --relaunch` keeps to the table of what may end an agent, on a real host."""

from __future__ import annotations

from tests.scenarios.fleet import Fleet, Run, stub
from tests.truth.bench import LONG, operator, reads, row, rows, rules, screens, showing


def pids(fleet: Fleet) -> dict[str, int]:
    return {name: one["pid"] for name, one in rows(fleet).items() if one["pid"]}


def relaunch(fleet: Fleet, *words: str) -> Run:
    return fleet.cli("update", "--relaunch", *words, "--fleet", fleet.repo)


def test_it_ends_exactly_those_who_may_be_stopped(fleet: Fleet) -> None:
    rules(fleet)
    operator(fleet)
    fleet.agents = {name: stub() for name in ("free", "works", "asks", "newest")}
    fleet.agents["trust"] = showing("claude", "claude.trust.80")
    fleet.agents["draft"] = showing("claude", "claude.draft.80")
    fleet.commit("first")
    fleet.converge()
    older = [name for name in fleet.agents if name != "newest"]
    # As after an upgrade: they were started by an older version.
    for name in older:
        fleet.sh(f"sed -i 's/^MOSAIC_GIVEN=.*/MOSAIC_GIVEN=0123456789ab/' {fleet.mosaic}/fleet/agents/{name}.env")
    first = pids(fleet)
    fleet.sh("systemctl --user restart " + " ".join(f"mosaic-agent@{name}.service" for name in older))
    fleet.wait(lambda: all(pids(fleet).get(name, first[name]) != first[name] for name in older), "their restart", LONG)
    fleet.reconcile()
    screens(fleet)
    for name, word in (("works", "/busy"), ("asks", "/ask permission")):
        fleet.beats(name)
        fleet.type(name, word)
    for name, state in (("works", ("working",)), ("asks", ("waiting", "permission")), ("trust", ("waiting", "trust")),
                        ("draft", ("waiting", "draft")), ("free", ("available",))):  # fmt: skip
        reads(fleet, name, *state)
    may = {name: row(fleet, name)["may_stop"] for name in older}
    assert may == {"free": True, "works": False, "asks": False, "trust": True, "draft": False}
    before = pids(fleet)
    run = relaunch(fleet)
    assert "waiting until the rollout policy lets them go: asks, draft, works" in run.out
    after = pids(fleet)
    assert {name for name in older if after[name] != before[name]} == {name for name in older if may[name]}
    assert after["newest"] == before["newest"]
    assert {one["agent"] for one in fleet.reconcile("--dry-run").document["held"]} == {"asks", "draft", "works"}
    # By force, once, and the event says so.
    assert fleet.cli("update", "--force", "--fleet", fleet.repo).code == 64
    assert "restarted: asks, draft, works" in relaunch(fleet, "--force").out
    last = pids(fleet)
    assert {name for name in last if last[name] != after[name]} == {"asks", "draft", "works"}
    done = {one["agent"]: one for one in fleet.events() if one["type"] == "action-done" and one.get("forced")}
    assert done.keys() == {"asks", "draft", "works"}
    assert "though it waits for a person (permission)" in done["asks"]["message"]
    assert "every agent runs on the present launch" in fleet.cli("update", "--fleet", fleet.repo).out
