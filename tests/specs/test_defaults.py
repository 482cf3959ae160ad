"""What agents inherit from `defaults` and from their runtime, and what a `command` takes away."""

from __future__ import annotations

import re

import pytest

from specs.compiled import Agent, EnvValue, Limits
from specs.loading.origins import origins
from specs.values.fields import camel
from specs.values.problems import render_all
from tests.specs.helpers import HEAD, agent, agents, compiled, only, read, underlined

INHERITED = """
defaults:
  env: {A: fleet, B: {from_env: B_OF_HOST}, C: {from_file: ~/c}}
  resources: {memory_max: 2G, cpu_weight: 50}
  args: [--of, fleet]
  yolo: false
  kickstart_template: ./begin.md
  reset_between_tasks: true
  resume: never
runtimes:
  claude: {args: --of-runtime}
"""
CAMEL = re.sub(r"([a-z]+(?:_[a-z]+)+):", lambda m: f"{camel(m[1])}:", INHERITED)
YOLO = "--dangerously-skip-permissions"


def one(entry: str, head: str = INHERITED) -> Agent:
    loaded = read(f"{HEAD}{head}agents:\n  - {{name: a, {entry}}}\n")
    assert loaded.ok, loaded.problems
    return agent(compiled(loaded), "a")


@pytest.mark.parametrize(
    ("entry", "argv"),
    [
        ("runtime: claude", ("claude", "--of-runtime", "--of", "fleet")),
        ("runtime: claude, args: --own x", ("claude", "--of-runtime", "--of", "fleet", "--own", "x")),
        ("runtime: claude, args: []", ("claude", "--of-runtime", "--of", "fleet")),
        ("runtime: claude, yolo: true, model_hint: m, args: ['a b']",
         ("claude", YOLO, "--model", "m", "--of-runtime", "--of", "fleet", "a b")),
        ("runtime: pi, args: '-x \"a b\"'", ("pi", "--of", "fleet", "-x", "a b")),
        ("runtime: claude, command: sh -c x", ("sh", "-c", "x")),
        ("runtime: claude, command: sh, args: -c x", ("sh", "-c", "x")),
    ],
)  # fmt: skip
def test_the_order_of_arguments(entry: str, argv: tuple[str, ...]) -> None:
    assert one(entry).argv == argv


def test_keys_merge_and_the_agents_own_count() -> None:
    plain = one("runtime: claude")
    assert plain.env == (
        ("A", EnvValue(literal="fleet")),
        ("B", EnvValue(from_env="B_OF_HOST")),
        ("C", EnvValue(from_file="/home/me/c")),
    )
    assert plain.limits == Limits(memory_max="2G", cpu_weight=50)
    assert (plain.kickstart, plain.reset_between_tasks, plain.resume) == ("./begin.md", True, "never")
    own = one(
        "runtime: claude, env: {A: mine, D: x}, resources: {cpu_weight: 9, tasks_max: 5},"
        " kickstart_template: hello, reset_between_tasks: false, resume: always"
    )
    assert [name for name, _ in own.env] == ["A", "B", "C", "D"]
    assert dict(own.env)["A"] == EnvValue(literal="mine")
    assert own.limits == Limits(memory_max="2G", cpu_weight=9, tasks_max=5)
    assert (own.kickstart, own.reset_between_tasks, own.resume) == ("hello", False, "always")


def test_the_older_spelling_means_the_same() -> None:
    assert "memoryMax" in CAMEL
    assert one("runtime: claude, args: x", CAMEL) == one("runtime: claude, args: x")


@pytest.mark.parametrize("key", ["model_hint: opus", "yolo: false", "yolo: true"])
def test_what_a_command_takes_away_is_said(key: str) -> None:
    loaded = read(agents(f"name: a, runtime: claude, command: claude, {key}", "name: b, runtime: claude"))
    name = key.partition(":")[0]
    problem = only(loaded, f'"{name}" of agent "a" has no effect')
    assert (problem.severity, problem.file, problem.line, underlined(problem)) == ("warning", "roster.yaml", 4, name)
    assert loaded.ok


def test_args_beside_a_command_take_nothing_away() -> None:
    assert read(agents("name: a, runtime: claude, command: claude, args: -x")).problems == ()


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("defaults: {args: 5}", '"defaults.args" must be text or a list of words, not a number'),
        ("defaults: {env: {A: 5}}", '"defaults.env.A" must be text'),
        ("defaults: {resources: {memory: 1G}}", 'unknown key "memory" in "defaults.resources"'),
        ("defaults: {environment: {}}", 'unknown key "environment" in "defaults"'),
        ("runtimes: {claude: {args: ['']}}", '"runtimes.claude.args" must not be empty'),
    ],
)
def test_what_is_wrong_in_them_is_at_its_place(head: str, message: str) -> None:
    assert only(read(f"{HEAD}{head}\nagents:\n  - {{name: a, runtime: pi}}\n"), message).line == 3


@pytest.mark.parametrize("head", ["env: {API_TOKEN: %s}", "args: [--token, %s]", "args: --token=%s"])
def test_a_secret_in_them_is_found(head: str) -> None:
    random = "q7Zk29dLm4TxV8sB3nRw6YpJ"
    loaded = read(f"{HEAD}defaults: {{{head % random}}}\nagents:\n  - {{name: a, runtime: pi}}\n")
    assert "generated secret" in loaded.errors_fatal[0].message
    assert random not in render_all(loaded.problems)


def test_where_each_value_comes_from() -> None:
    entry = (
        "{name: a, runtime: claude, class: code, env: {A: mine, MY_TOKEN: {from_env: T}}, yolo: true, args: --own x}"
    )
    found = origins(f"{HEAD}{INHERITED}agents:\n  - {entry}\n".encode(), "a")
    assert [(one.key, one.value, one.source, one.line) for one in found] == [
        ("args", "--of-runtime", "runtime", 13),
        ("args", "--of fleet", "defaults", 7),
        ("args", "--own x", "agent", 15),
        ("class", "code", "agent", 15),
        ("command", "claude", "shipped", 0),
        ("env.A", "mine", "agent", 15),
        ("env.B", "{from_env: B_OF_HOST}", "defaults", 5),
        ("env.C", "{from_file: ~/c}", "defaults", 5),
        ("env.MY_TOKEN", "{from_env: T}", "agent", 15),
        ("kickstart_template", "./begin.md", "defaults", 9),
        ("name", "a", "agent", 15),
        ("reset_between_tasks", "true", "defaults", 10),
        ("resources.cpu_weight", "50", "defaults", 6),
        ("resources.memory_max", "2G", "defaults", 6),
        ("resume", "never", "defaults", 11),
        ("runtime", "claude", "agent", 15),
        ("working_directory", "~", "shipped", 0),
        ("yolo", "true", "agent", 15),
    ]
    assert not any(one.lost for one in found)


def test_what_has_no_effect_is_marked_and_older_spellings_are_read() -> None:
    found = origins(
        f"{HEAD}{CAMEL}agents:\n  - {{name: a, runtime: claude, command: sh, modelHint: m}}\n".encode(), "a"
    )
    assert {one.key for one in found if one.lost} == {"args", "model_hint", "yolo"}
    assert [one.source for one in found if one.key == "args"] == ["runtime", "defaults"]
    assert {one.source for one in found if one.key == "resources.memory_max"} == {"defaults"}


def test_nothing_is_said_of_what_is_not_there() -> None:
    assert origins(b"agents: [", "a") == ()
    assert origins(f"{HEAD}agents:\n  - {{name: a, runtime: pi}}\n".encode(), "b") == ()


def test_a_secret_is_not_shown() -> None:
    roster = f"{HEAD}agents:\n  - {{name: a, runtime: pi, env: {{API_TOKEN: q7Zk29dLm4TxV8sB3nRw6YpJ}}}}\n"
    (token,) = (one for one in origins(roster.encode(), "a") if one.key == "env.API_TOKEN")
    assert "q7Zk" not in token.value
