"""The real claude in a folder that nobody has trusted: `ps` says what its screen asks, and nobody writes there."""

from __future__ import annotations

import json
from typing import Any

from tests.hosts.waiting import eventually
from tests.real_agents import homes
from tests.real_agents.answers import answer
from tests.real_agents.bench import RealFleet
from tests.real_agents.test_attending import mosaic

ASKS = ("claude",)


def rows(fleet: RealFleet) -> dict[str, Any]:
    run = mosaic(fleet, "fleet", "ps", "--fleet", str(fleet.repository), "-o", "json")
    return {one["name"]: one for one in json.loads(run.stdout)["agents"]}


def test_who_asks_for_trust_waits(fleet: RealFleet) -> None:
    folder = fleet.host.home / "elsewhere"
    fleet.write(folder / "README", "nobody has been here\n")
    fleet.write(fleet.host.home / ".claude/settings.json", "{}\n")  # nobody has agreed to its unattended mode
    fleet.more = {name: {"working_directory": str(folder)} for name in ASKS}
    fleet.commit("Elsewhere", {"codex": "stopped", "shared": "stopped", "pi": "stopped", "opencode": "stopped"})
    fleet.reconcile()

    def asking() -> bool:
        found = rows(fleet)
        return all((found[name]["state"], found[name]["waiting"]) == ("waiting", "trust") for name in ASKS)

    try:
        eventually(asking, timeout=90, every=1.0, what="the question for trust in the list")
    except AssertionError as error:
        shown = {name: (one["state"], one["waiting"], one["why"]) for name, one in rows(fleet).items()}
        raise AssertionError(f"{shown}\n" + "\n".join(fleet.screen(name) for name in ASKS)) from error
    before = fleet.pids()
    for name, one in rows(fleet).items():
        if name not in ASKS:
            continue
        assert one["wrong"]
        sent = mosaic(fleet, "agent", "send", name, "-m", "1", "-o", "json")
        assert (sent.returncode, json.loads(sent.stdout)["reason"]) == (1, "it waits for a person (trust)")
        checked = mosaic(fleet, "fleet", "ps", "--check", "--agent", name, "--fleet", str(fleet.repository))
        assert checked.returncode == 3
        single = mosaic(fleet, "agent", "status", name, "--fleet", str(fleet.repository))
        assert "waiting (trust)" in single.stdout
    checks = json.loads(mosaic(fleet, "fleet", "verify", "--fleet", str(fleet.repository), "-o", "json").stdout)[
        "checks"
    ]
    wrong = {one["agent"] for one in checks if (one["name"], one["result"]) == ("waiting", "wrong")}
    assert wrong == set(ASKS)
    assert fleet.pids() == before


def test_the_rule_trusts_its_own_folder_and_a_person_answers_the_rest(fleet: RealFleet) -> None:
    before = fleet.pids()
    rules = 'classes: {"*": {trust_working_directory: true}}\n'
    fleet.write(fleet.repository / "fleet.yaml", homes.FLEET + rules)
    fleet.commit("Trust what the roster names", {})
    fleet.reconcile()
    fleet.until("claude", lambda seen: seen.asks == "bypass")
    log = fleet.host.path_outside(fleet.host.home / ".local/state/mosaic/real/events.ndjson")
    (answered,) = (one for one in map(json.loads, log.read_text().splitlines()) if one["type"] == "answered")
    assert (answered["agent"], answered["kind"], answered["rule"]) == ("claude", "trust", "trust_working_directory")
    fleet.reconcile()  # the rule speaks for no other dialog
    assert fleet.until("claude", lambda seen: seen.asks != "").asks == "bypass"
    answer(fleet, "claude", "--allow")
    fleet.until("claude", lambda seen: seen.composer == "empty")
    assert fleet.pids() == before
