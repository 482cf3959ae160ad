"""What a type makes of a fleet's files: every seat filled, all else as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specs.editing.edit import entries, remove_agent, set_agents
from specs.fleet_files import FLEET, NORTH_STAR, ROSTER
from specs.loading.load import load
from specs.organisation.provision import Implied, Wanted, filled, provision
from specs.scaffold.presets import PRESETS
from specs.scaffold.starter import Choices, new_files
from specs.types.repository_extras import RepositoryExtras, read_own
from specs.types.system_type import Seat, SystemType, shipped
from tests.types.test_types import BAKER, IDS, OWN

NOBODY = read_own({})
calm = settings(max_examples=40, deadline=None)


@cache
def begun(type_id: str = "research") -> Mapping[str, bytes]:
    return provision({}, shipped()[type_id], NOBODY, Wanted()).files


def again(files: Mapping[str, bytes], wanted_type: SystemType | None = None, **wanted: object) -> Implied:
    choice = Wanted(**wanted)  # type: ignore[arg-type]  # the words of the test
    return provision(files, wanted_type or shipped()["research"], NOBODY, choice)


def names(files: Mapping[str, bytes]) -> list[str]:
    return list(entries(files[ROSTER]))


def grown(type_id: str, agent_class: str, by: int) -> SystemType:
    found = shipped()[type_id]
    seats = [
        replace(one, multiplicity=one.multiplicity + by) if one.agent_class == agent_class else one
        for one in found.roster
    ]
    return replace(found, roster=tuple(seats))


@pytest.mark.parametrize("type_id", IDS)
def test_a_fleet_that_begins(type_id: str) -> None:
    files, found = begun(type_id), shipped()[type_id]
    loaded = load(files)
    assert loaded.problems == ()
    assert loaded.roster is not None
    assert (loaded.fleet.name, loaded.fleet.type, loaded.floor) == (type_id, type_id, "two-agent")
    assert loaded.north_star is not None
    assert loaded.north_star.mission == found.mission
    assert Counter(one.agent_class for one in loaded.roster.agents) == {
        seat.agent_class: seat.multiplicity for seat in found.roster
    }
    for agent in loaded.roster.agents:
        contract = NOBODY.resolve(agent.agent_class)
        assert contract is not None
        assert agent.persistent_persona == contract.persistent
        assert agent.reset_between_tasks is (contract.persistent is False)


def test_agents_are_named_by_their_role() -> None:
    assert names(begun("software-delivery")) == [
        "orchestrator", "enhancer", "board", "decomposer0", "coder0", "coder1", "reviewer0", "security0", "tester0",
        "writer0", "merge-gate", "rebaser0", "operator", "retro0",
    ]  # fmt: skip


@pytest.mark.parametrize("type_id", IDS)
def test_all_but_the_floor_start_after_the_orchestrator(type_id: str) -> None:
    for name, entry in entries(begun(type_id)[ROSTER]).items():
        expected = None if entry["class"] in ("orchestrator", "enhancer") else ("orchestrator",)
        assert entry.get("depends_on") == expected, name


@pytest.mark.parametrize("type_id", IDS)
def test_a_second_time_changes_nothing(type_id: str) -> None:
    files = begun(type_id)
    made = again(files, shipped()[type_id])
    assert made.added == ()
    assert {**files, **made.files} == files


def test_a_type_that_has_grown_adds_what_is_missing() -> None:
    files = begun()
    made = again(files, grown("research", "researcher", 2), runtimes={"researcher": "pi"})
    assert made.added == ("researcher2", "researcher3")
    before, after = entries(files[ROSTER]), entries(made.files[ROSTER])
    assert {name: after[name] for name in before} == before
    assert [after[name]["runtime"] for name in made.added] == ["pi", "pi"]
    assert made.files[ROSTER].startswith(files[ROSTER].rstrip())


def test_a_type_that_has_shrunk_removes_nobody() -> None:
    files = begun()
    made = again(files, grown("research", "researcher", -1))
    assert (made.added, made.surplus, made.files[ROSTER]) == ((), {"researcher": 2}, files[ROSTER])


def test_what_the_operator_changed_stays() -> None:
    changes = {"researcher0": {"runtime": "codex", "model_hint": "large", "state": "stopped"}}
    roster = set_agents(begun()[ROSTER], changes).replace(b"agents:\n", b"agents:  # all of us\n")
    files = {**begun(), ROSTER: roster, FLEET: b"floor: two-agent\nname: ours\ntype: research\n"}
    made = again(files, default_runtime="pi", runtimes={"researcher": "opencode"})
    assert (made.added, {**files, **made.files}) == ((), files)


def test_older_names_of_a_class_fill_its_seats() -> None:
    files = dict(new_files(Choices(), PRESETS["research"]))
    made = again(files)
    assert made.added == (
        "lead-researcher", "data-scientist0", "market-analyst0", "writer0", "reviewer0",
    )  # fmt: skip
    assert entries(made.files[ROSTER])["analyst"]["class"] == "analyst"


def test_a_name_that_somebody_has_is_passed_over() -> None:
    roster = b"version: 1\nagents:\n  - {name: researcher0, runtime: pi, class: baker}\n"
    roster += b"  - {name: enhancer, runtime: pi, class: baker}\n"
    made = again({ROSTER: roster})
    assert {"researcher1", "researcher2", "enhancer1"} <= set(made.added)
    assert load(made.files).problems == ()


def test_a_seat_that_was_left_empty_on_purpose_stays_empty() -> None:
    files = {**begun(), ROSTER: set_agents(begun()[ROSTER], {"writer0": {"state": "absent"}})}
    assert again(files).added == ()


def test_nobody_waits_for_an_orchestrator_that_is_gone() -> None:
    roster = (
        b"version: 1\nagents:\n  - {name: old, runtime: pi, class: orchestrator, state: absent}\n"
        b"  - {name: new, runtime: pi, class: orchestrator}\n"
    )
    made = again({ROSTER: roster})
    assert entries(made.files[ROSTER])["researcher0"]["depends_on"] == ("new",)


def test_files_that_are_there_get_only_what_is_missing() -> None:
    roster = b"# yaml-language-server: $schema=s/roster.schema.json\nversion: 1\nagents:\n  - {name: a, runtime: pi}\n"
    made = again({ROSTER: roster, FLEET: b"version: 1\nname: ours  # for good\n"})
    rules = made.files[FLEET].decode().splitlines()
    assert rules == ["version: 1", "name: ours  # for good", "type: research", "floor: two-agent"]
    assert made.files[NORTH_STAR].startswith(b"# yaml-language-server: $schema=s/north-star.schema.json\n")
    assert again({ROSTER: roster[53:], NORTH_STAR: b"x"}).files.keys() == {ROSTER, FLEET}


def test_a_floor_that_was_lifted_stays_lifted() -> None:
    made = again({FLEET: b"floor: none\n"})
    assert load(made.files).floor == "none"


def test_without_a_roster_that_names_a_schema_no_file_does() -> None:
    made = again({ROSTER: b"version: 1\nagents: [{name: a, runtime: pi}]\n"})
    assert b"yaml-language-server" not in made.files[FLEET] + made.files[NORTH_STAR]


def bakery() -> RepositoryExtras:
    odd = BAKER.replace(b"purpose: Bakes.", b'purpose: "Bakes\\n- name: evil"')
    return read_own({"roles/baker.md": odd, "profiles/bakery.yaml": OWN.encode()})


def test_a_type_of_ones_own() -> None:
    own = bakery()
    made = provision({}, own.types["bakery"], own, Wanted())
    loaded = load({**made.files, "roles/baker.md": BAKER, "profiles/bakery.yaml": OWN.encode()})
    assert loaded.problems == ()
    assert made.added == ("baker", "researcher0", "researcher1", "researcher2")
    assert loaded.floor == "none"
    assert entries(made.files[ROSTER])["researcher0"]["depends_on"] == ("baker",)


def test_every_name_is_safe() -> None:
    """Also for a class with the longest of names, or one that is not like a word."""
    for agent_class in ("x" * 64, "_", "a.b", "0", "_holder"):
        own = read_own({f"roles/{agent_class}.md": BAKER.replace(b"class: baker", f'class: "{agent_class}"'.encode())})
        lead, many = Seat(agent_class=agent_class), Seat(agent_class="code", reports_to=agent_class, multiplicity=64)
        odd = replace(shipped()["research"], lead=agent_class, floor=(agent_class,), roster=(lead, many))
        made = provision({}, odd, own, Wanted())
        assert load(made.files).ok, agent_class
        assert len(set(made.added)) == 65


@pytest.mark.parametrize("nobody", ["[]  # nobody yet", ""])
def test_a_roster_with_nobody_in_it_is_filled(nobody: str) -> None:
    roster = f"# ours\nversion: 1\nagents: {nobody}\ntmux: {{socket_name: agents}}\n".encode()
    made = again({ROSTER: roster}, shipped()["research"])
    assert load(made.files).problems == ()
    assert len(made.added) == len(entries(made.files[ROSTER])) == 10
    assert made.files[ROSTER].startswith(b"# ours\n")
    assert again(made.files, shipped()["research"]).added == ()


@calm
@given(st.data())
def test_from_any_part_of_a_fleet_it_becomes_whole_and_keeps_the_rest(data: st.DataObject) -> None:
    type_id = data.draw(st.sampled_from(IDS))
    files = dict(begun(type_id))
    everybody = names(files)
    gone = data.draw(st.lists(st.sampled_from(everybody), unique=True, max_size=len(everybody) - 1))
    roster = files[ROSTER]
    for name in reversed(everybody):
        if name in gone:
            roster = remove_agent(roster, name)
    kept = entries(roster)
    changed = data.draw(st.sampled_from(sorted(kept)))
    roster = set_agents(roster, {changed: {"model_hint": "mine", "runtime": "pi"}})
    kept = entries(roster)
    made = again({**files, ROSTER: roster}, shipped()[type_id])
    after = entries(made.files[ROSTER])
    assert {name: after[name] for name in kept} == kept
    assert {one: len(who) for one, who in filled(after, NOBODY).items()} == {
        seat.agent_class: seat.multiplicity for seat in shipped()[type_id].roster
    }
    assert set(made.added) == set(gone)
    assert load({**files, **made.files}).problems == ()
    assert again({**files, **made.files}, shipped()[type_id]).added == ()
