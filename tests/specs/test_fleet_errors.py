"""What can be wrong with fleet.yaml and NORTH_STAR.yaml, and between the files."""

from __future__ import annotations

import pytest

from tests.specs.helpers import ONE, agents, only, read, underlined

TWO = agents("name: lead, runtime: claude, class: orchestrator", "name: enhancer, runtime: claude, class: enhancer")


@pytest.mark.parametrize(
    ("text", "words", "under", "suggestion"),
    [
        ("nmae: x", 'unknown key "nmae"', "nmae", 'did you mean "name"?'),
        ("name: a/b", "must not contain a path separator", "a/b", None),
        ("version: 2", "must be 1", "2", None),
        ("floor: two-agents", "must be two-agent or none", "two-agents", 'did you mean "two-agent"?'),
        ("hosts: []", "must have at least one item", "[", None),
        ("hosts: here", '"hosts" must be a list, not text', "here", None),
        (
            "reconcile: {intervall: 5s}",
            'unknown key "intervall" in "reconcile"',
            "intervall",
            'did you mean "interval"?',
        ),
        ("reconcile: {interval: 5 minutes}", "must be a duration", "5 minutes", None),
        ("reconcile: {interval: 0}", "must be longer than zero", "0", None),
        ("reconcile: {interval: -5}", "must be longer than zero", "-5", None),
        ("reconcile: {interval: .inf}", "must be longer than zero", ".inf", None),
        ("reconcile: {interval: 1000d}", "must not be longer than a year", "1000d", None),
        ("reconcile: {interval: true}", "must be a duration", "true", None),
        ("reconcile: {prune: {max_removals: -1}}", "must be at least 0", "-1", None),
        ("reconcile: {prune: {max_removals: 1.5}}", "must be a whole number, not a number", "1.5", None),
        ("reconcile: {rollout: {on_change: when_idle}}", "must be when-idle", "when_idle", 'did you mean "when-idle"?'),
        ("reconcile: {backoff: {initial: 10m, maximum: 1m}}", "must not be longer than", "10m", None),
        ("heartbeat: {interval: 1m, stale_after: 30s}", "must be longer than", "30s", None),
        ("suspend: [{agent: lead, by: me}]", 'missing key "reason"', "{", None),
        ("suspend: [{agent: laed, by: me, reason: x}]", 'suspended agent "laed"', "laed", 'did you mean "lead"?'),
        (
            "suspend: [{agent: lead, by: me, reason: x, until: tomorrow}]",
            "must be a time with a zone",
            "tomorrow",
            None,
        ),
        (
            "suspend: [{agent: lead, by: me, reason: x, until: 2030-01-01T00:00:00}]",
            "with a zone",
            "2030-01-01T00:00:00",
            None,
        ),
        (
            "suspend: [{agent: lead, by: me, reason: x, until: 2030-13-01T00:00:00Z}]",
            "with a zone",
            "2030-13-01T00:00:00Z",
            None,
        ),
    ],
)
def test_a_wrong_value_in_fleet_yaml_is_fatal(text: str, words: str, under: str, suggestion: str | None) -> None:
    loaded = read(TWO, f"# a remark\n{text}\n")
    problem = only(loaded, words)
    assert (problem.file, problem.line) == ("fleet.yaml", 2)
    assert underlined(problem) == under
    assert problem.suggestion == suggestion
    assert loaded.errors_fatal == (problem,)
    assert loaded.roster is None


def test_suspending_an_agent_twice() -> None:
    one = "{agent: lead, by: me, reason: x}"
    assert "suspended twice" in read(TWO, f"suspend: [{one}, {one}]").errors_fatal[0].message


def test_the_whole_fleet_may_be_suspended() -> None:
    assert read(TWO, "suspend: [{agent: '*', by: me, reason: moving house}]").ok


def test_an_unknown_host_holds_the_agent() -> None:
    roster = agents(
        "name: lead, runtime: claude, class: orchestrator, host: alfa",
        "name: enhancer, runtime: claude, class: enhancer",
    )
    loaded = read(roster, "hosts: [alpha, beta]")
    problem = only(loaded, 'unknown host "alfa" for agent "lead"')
    assert (problem.suggestion, problem.line, underlined(problem)) == ('did you mean "alpha"?', 4, "alfa")
    assert list(loaded.held) == ["lead"]


def test_without_a_list_of_hosts_any_host_will_do() -> None:
    assert read(agents("name: a, runtime: claude, host: anywhere")).ok


def test_no_fleet_file_means_no_floor() -> None:
    loaded = read(agents("name: canary, runtime: pi"))
    assert loaded.ok
    assert loaded.floor == "none"


def test_with_a_fleet_file_the_floor_is_two_agents() -> None:
    assert read(TWO, "name: x").floor == "two-agent"
    loaded = read(agents("name: canary, runtime: pi"), "name: x")
    assert [problem.message for problem in loaded.errors_fatal] == [
        "the fleet has no orchestrator",
        "the fleet has no enhancer",
    ]
    assert "floor: none" in (loaded.errors_fatal[0].help or "")


def test_the_floor_goes_by_the_class_and_says_who_has_an_older_name_of_it() -> None:
    loaded = read(TWO.replace("class: orchestrator", "class: planner"), "name: x")
    problem = only(loaded, "the fleet has no orchestrator")
    assert problem.suggestion == 'agent "lead" has the class planner, an older name: write `class: orchestrator`'


def test_the_floor_can_be_lifted() -> None:
    assert read(ONE, "floor: none").ok


def test_a_second_orchestrator() -> None:
    loaded = read(TWO + "  - {name: boss, runtime: pi, class: orchestrator}\n", "name: x")
    problem = only(loaded, 'agent "boss" is a second orchestrator')
    assert (problem.line, underlined(problem)) == (6, "orchestrator")
    assert problem.suggestion == 'the first is "lead" on line 4'


def test_an_absent_agent_does_not_hold_up_the_floor() -> None:
    roster = TWO.replace("class: enhancer", "class: enhancer, state: absent")
    assert "the fleet has no enhancer" in read(roster, "name: x").errors_fatal[0].message
    assert read(TWO.replace("class: enhancer", "class: enhancer, state: stopped"), "name: x").ok


def test_a_held_orchestrator_still_counts_for_the_floor() -> None:
    loaded = read(TWO.replace("class: orchestrator", "class: orchestrator, yolo: no"), "name: x")
    assert not loaded.errors_fatal
    assert list(loaded.held) == ["lead"]


GOALS = """
version: 1
mission: x
goals:
  - {id: A, title: a, depends_on: [%s]}
  - {id: BETA, title: b, depends_on: [%s]}
"""


@pytest.mark.parametrize(
    ("text", "words", "line", "suggestion"),
    [
        ("version: 1\n", 'missing key "mission"', 1, None),
        ("version: 1\nmission: ''\n", "must not be empty", 2, None),
        ("version: 1\nmission: x\ngaols: []\n", 'unknown key "gaols"', 3, 'did you mean "goals"?'),
        (GOALS % ("BETTA", ""), 'depends on "BETTA", which is not a goal', 5, 'did you mean "BETA"?'),
        (GOALS % ("BETA", "A"), "in a circle: A -> BETA -> A", 6, None),
        (
            "version: 1\nmission: x\nworkstreams:\n- {id: A, title: x}\n- {id: A, title: y}\n",
            'duplicate id "A"',
            5,
            "first used on line 4",
        ),
        ("version: 1\nmission: x\nspend: {advisory: on}\n", "must be true or false", 3, "write true"),
        ("version: 1\nmission: x\nassumptions: [{id: A}]\n", 'missing key "text"', 3, None),
    ],
)
def test_a_wrong_north_star_is_fatal(text: str, words: str, line: int, suggestion: str | None) -> None:
    loaded = read(TWO, star=text)
    problem = only(loaded, words)
    assert (problem.file, problem.line, problem.suggestion) == ("NORTH_STAR.yaml", line, suggestion)
    assert loaded.roster is None


def test_the_same_id_twice_on_one_line() -> None:
    loaded = read(TWO, star="version: 1\nmission: x\nworkstreams: [{id: A, title: x}, {id: A, title: y}]\n")
    assert loaded.errors_fatal[0].message == 'duplicate id "A"'


def test_goals_that_build_on_each_other() -> None:
    loaded = read(TWO, star=GOALS % ("", "A"))
    assert loaded.ok
    assert loaded.north_star is not None
    assert loaded.north_star.goals[1].depends_on == ("A",)
