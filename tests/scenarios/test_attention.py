"""What needs a person, on a real host: seen by the resident loop, listed, told once, and cleared."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from typing import Any

from jsonschema import Draft202012Validator

from reconciler.schemas.registry import schema_of
from tests.scenarios.fleet import Fleet, stub
from tests.scenarios.test_watch import watching
from tests.truth.bench import showing

NOTICES = "/tmp/notices"
STUCK = "97531"  # seconds; a number that no other process on the host has in its arguments
SHOWS, SPEAKS = "shows", "speaks"


def changes(fleet: Fleet) -> Counter[tuple[str, str]]:
    kinds = ("attention-raised", "attention-cleared")
    return Counter((one["type"], one["agent"]) for one in fleet.events() if one["type"] in kinds)


def notices(fleet: Fleet) -> list[dict[str, Any]]:
    if not fleet.exists(NOTICES):
        return []
    found = [json.loads(line) for line in fleet.read(NOTICES).splitlines()]
    for one in found:
        Draft202012Validator(schema_of("attention-notice")).validate(one)
    return found


def handed(fleet: Fleet) -> list[str]:
    return sorted(case["agent"] for one in notices(fleet) for case in one["cases"])


def hanging(fleet: Fleet) -> list[int]:
    """Processes of the notifier that hangs."""
    with suppress(FileNotFoundError, ProcessLookupError):  # one ends while it is looked at
        return [pid for pid in fleet.named("sleep") if STUCK in fleet.read(f"/proc/{pid}/cmdline")]
    return [0]


def listed(fleet: Fleet) -> dict[str, dict[str, Any]]:
    found = fleet.cli("fleet", "attention", "--fleet", fleet.repo, "-o", "json")
    assert found.code == 0, found.err
    Draft202012Validator(schema_of("attention")).validate(found.document)
    return {one["agent"]: one for one in found.document["cases"]}


def test_a_person_is_notified_once_of_each_case(fleet: Fleet) -> None:
    fleet.rules["reconcile"]["interval"] = "1h"  # whatever is seen soon is seen for another reason
    fleet.rules["notify"] = [
        {"name": "page", "command": ["sh", "-c", f"cat >> {NOTICES}"], "after": "10ms"},
        {"name": "hangs", "command": ["sh", "-c", f"sleep {STUCK} & sleep {STUCK}"], "after": "10ms", "timeout": "1s"},
    ]
    fleet.agents = {SHOWS: showing("claude", "claude.idle.80"), SPEAKS: stub()}
    fleet.commit("first")
    raised, cleared = "attention-raised", "attention-cleared"
    with watching(fleet) as watch:
        fleet.tmux("resize-window", "-t", f"={SHOWS}:", "-x", "80", "-y", "24")
        fleet.type(SHOWS, "show claude.permission.80")  # only its screen shows it
        watch.until(lambda: changes(fleet)[raised, SHOWS], "the dialog is seen")
        fleet.type(SPEAKS, "/ask question")  # only its heartbeat says so
        watch.until(lambda: changes(fleet)[raised, SPEAKS], "the question is heard")
        watch.until(lambda: handed(fleet) == [SHOWS, SPEAKS], "a person is notified of both")

        seen = listed(fleet)
        assert {name: one["kind"] for name, one in seen.items()} == {SHOWS: "permission", SPEAKS: "question"}
        check = fleet.cli("fleet", "attention", "--fleet", fleet.repo, "--check", "--agent", SHOWS)
        assert check.code == 3, check.err
        rows = fleet.cli("fleet", "ps", "--fleet", fleet.repo, "-o", "json").document["agents"]
        assert {one["name"]: [it["case"] for it in one["attention"]] for one in rows} == {
            name: [one["case"]] for name, one in seen.items()
        }
        # One that hangs is ended with all its processes, says so, and holds up nobody.
        watch.until(lambda: any(one["type"] == "notify-failed" for one in fleet.events()), "one fails")
        fleet.wait(lambda: not hanging(fleet), "nothing of it is left")

        fleet.kill(watch.pid)  # the next loop raises nothing twice
        watch.process.wait(60)
    with watching(fleet) as watch:
        fleet.type(SPEAKS, "/idle")
        watch.until(lambda: changes(fleet)[cleared, SPEAKS], "the answer is heard")
        fleet.type(SHOWS, "show claude.idle.80")
        watch.until(lambda: changes(fleet)[cleared, SHOWS], "the answer is seen")
        assert listed(fleet) == {}
    assert changes(fleet) == Counter({(kind, name): 1 for kind in (raised, cleared) for name in (SHOWS, SPEAKS)})
    assert handed(fleet) == [SHOWS, SPEAKS]

    # A run by itself notifies too, after it has ended.
    fleet.type(SPEAKS, "/stuck limit")
    fleet.wait(lambda: SPEAKS in listed(fleet), "the limit is listed")
    fleet.converge()  # at this look it is too young
    fleet.converge()
    assert handed(fleet) == [SHOWS, SPEAKS, SPEAKS]
    assert {one["case"] for one in fleet.status()["attention"]} == {one["case"] for one in listed(fleet).values()}
