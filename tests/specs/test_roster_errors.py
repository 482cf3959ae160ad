"""What can be wrong with a roster: the message, the place, the suggestion."""

from __future__ import annotations

import pytest

from tests.specs.helpers import HEAD, ONE, agents, only, read, underlined


@pytest.mark.parametrize(
    ("entry", "words", "under", "suggestion"),
    [
        ("name: a, runtime: cluade", 'unknown runtime "cluade" for agent "a"', "cluade", 'did you mean "claude"?'),
        ("name: a, runtime: zzz", 'unknown runtime "zzz"', "zzz", None),
        ("name: a, runtme: claude", 'unknown key "runtme" in agent "a"', "runtme", 'did you mean "runtime"?'),
        (
            "name: a, runtime: pi, workingDir: ~/x",
            'unknown key "workingDir"',
            "workingDir",
            'did you mean "working_directory"?',
        ),
        (
            "name: a, runtime: pi, state: runing",
            "must be running, stopped or absent",
            "runing",
            'did you mean "running"?',
        ),
        ("name: a, runtime: pi, yolo: no", "must be true or false, not text", "no", "write false"),
        ("name: a, runtime: pi, yolo: On", "must be true or false, not text", "On", "write true"),
        ("name: a, runtime: pi, yolo: 1", "must be true or false, not a number", "1", None),
        ("name: a, runtime: 5", '"runtime" of agent "a" must be text, not a number', "5", "put it in quotes"),
        ("name: a, runtime: ", '"runtime" of agent "a" has no value', "runtime", "remove the key, or give it a value"),
        ("name: a, runtime: pi, class: [x]", "must be text, not a list", "[", None),
        ("name: a, runtime: pi, env: [x]", '"env" of agent "a" must be a mapping, not a list', "[", None),
        ("name: a, runtime: pi, env: {A: 1}", "not a number; put it in quotes", "1", None),
        ("name: a, runtime: pi, env: {A: {}}", "must be exactly one of", "{", None),
        ("name: a, runtime: pi, env: {A: {from_evn: X}}", "unknown key", "from_evn", 'did you mean "from_env"?'),
        ("name: a, runtime: pi, env: {A-B: x}", "must consist of letters, digits", "A-B", None),
        ("name: a, runtime: pi, env: {MOSAIC_AGENT_NAME: x}", "is set by the launcher", "MOSAIC_AGENT_NAME", None),
        (r'name: a, runtime: pi, env: {A: "x\ny"}', "must be a single line", r'"x\ny"', None),
        (r'name: a, runtime: pi, env: {A: "x\e[0m"}', "without control characters", r'"x\e[0m"', None),
        ("name: a, runtime: pi, command: 'x \"y'", "cannot be split into words: no closing quotation", "'x \"y'", None),
        ("name: a, runtime: pi, command: []", "must not be empty", "[", None),
        ("name: a, runtime: pi, command: {a: b}", "must be text or a list of words", "{", None),
        ("name: a, runtime: pi, working_directory: src", "must be an absolute folder", "src", None),
        ("name: a, runtime: pi, working_directory: /a/../b", "must not contain ..", "/a/../b", None),
        ("name: a, runtime: pi, persistent_persona: often", 'true, false or "semi"', "often", None),
        ("name: a, runtime: pi, resources: {memory_max: lots}", "must be a size", "lots", None),
        ("name: a, runtime: pi, resources: {cpu_weight: 0}", "must be at least 1", "0", None),
        ("name: a, runtime: pi, resources: {tasks_max: 1.5}", "must be a whole number", "1.5", None),
        ("name: a, runtime: pi, generation: -1", "must be at least 0", "-1", None),
        ("name: a, runtime: pi, depends_on: [b]", 'depends on "b"', "b", None),
        ("name: a, runtime: pi, host: under_score!", "must be a host name", "under_score!", None),
        ("name: a, runtime: pi, socket: a/b", "must not contain a path separator", "a/b", None),
    ],
)
def test_one_wrong_value_holds_its_agent(entry: str, words: str, under: str, suggestion: str | None) -> None:
    loaded = read(agents("name: good, runtime: claude", entry))
    problem = only(loaded, words)
    assert (problem.file, problem.line, problem.agent) == ("roster.yaml", 5, "a")
    assert underlined(problem) == under
    assert problem.suggestion == suggestion
    assert not loaded.errors_fatal
    assert list(loaded.held) == ["a"]
    assert loaded.roster is not None
    assert [one.name for one in loaded.roster.agents] == ["good"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a/b", "path separator"),
        ("'a\\b'", "path separator"),
        ("-a", 'must not begin with "-"'),
        (".a", 'must not begin with "."'),
        ("..", 'must not begin with "."'),
        ("a@b", 'must not contain "@"'),
        ("'a:b'", 'must not contain ":"'),
        ("'a%b'", 'must not contain "%"'),
        ("a b", "must not contain spaces"),
        ("ä", 'must not contain "ä"'),
        ('"a\\tb"', "control characters"),
        ('""', "must not be empty"),
        ("a" * 65, "must not be longer than 64 characters, and has 65"),
        ("7", "must be text, not a number"),
    ],
)
def test_a_bad_name_is_fatal(name: str, words: str) -> None:
    loaded = read(agents("name: good, runtime: claude", f"name: {name}, runtime: claude"))
    assert loaded.roster is None
    problem = only(loaded, words)
    assert (problem.line, problem.column) == (5, 12)


def test_a_missing_name_is_fatal() -> None:
    assert only(read(agents("runtime: claude")), 'missing key "name"').line == 4


def test_a_missing_runtime_holds_the_agent() -> None:
    loaded = read(agents("name: good, runtime: claude", "name: a"))
    assert only(loaded, 'missing key "runtime" in agent "a"').line == 5
    assert list(loaded.held) == ["a"]


def test_an_agent_that_is_no_mapping_is_fatal() -> None:
    assert '"agents[1]" must be a mapping, not text' in read(HEAD + "agents:\n  - lead\n").errors_fatal[0].message


def test_duplicate_agents() -> None:
    problem = only(read(agents("name: a, runtime: claude", "name: a, runtime: pi")), 'duplicate agent "a"')
    assert (problem.line, problem.suggestion) == (5, "first declared on line 4")


def test_sessions_that_tmux_would_make_the_same() -> None:
    loaded = read(agents("name: a.b, runtime: claude", "name: a_b, runtime: pi"))
    problem = only(loaded, 'agents "a.b" and "a_b" would share the tmux session "a_b"')
    assert loaded.errors_fatal == (problem,)
    assert underlined(problem) == "a_b"


@pytest.mark.parametrize("apart", ["host: other", "socket: other", "state: absent"])
def test_sessions_apart_do_not_collide(apart: str) -> None:
    assert read(agents("name: a.b, runtime: claude", f"name: a_b, runtime: pi, {apart}")).ok


def test_the_session_of_the_holder_is_taken() -> None:
    loaded = read(agents("name: _holder, runtime: claude"))
    assert "the tmux session of the holder" in loaded.errors_fatal[0].message


def test_a_circle_of_agents_is_fatal_and_spelt_out() -> None:
    loaded = read(
        agents(
            "name: a, runtime: pi, depends_on: [b]",
            "name: b, runtime: pi, depends_on: [c]",
            "name: c, runtime: pi, depends_on: [a]",
        )
    )
    problem = only(loaded, "agents depend on each other in a circle: a -> b -> c -> a")
    assert (problem.line, underlined(problem)) == (6, "a")
    assert loaded.roster is None


def test_an_agent_that_waits_for_itself() -> None:
    assert "in a circle: a -> a" in read(agents("name: a, runtime: pi, depends_on: [a]")).errors_fatal[0].message


def test_a_misspelt_dependency() -> None:
    loaded = read(agents("name: orchestrator, runtime: pi", "name: b, runtime: pi, depends_on: [orchestartor]"))
    assert only(loaded, "not in the roster").suggestion == 'did you mean "orchestrator"?'


def test_a_misspelt_class_is_a_warning() -> None:
    loaded = read(agents("name: a, runtime: pi, class: orchestrater", "name: b, runtime: pi, class: data-scientist"))
    assert loaded.ok
    (warning,) = loaded.warnings
    assert (warning.agent, warning.suggestion) == ("a", 'did you mean "orchestrator"?')


@pytest.mark.parametrize("name", ["designer", "lead-researcher", "operations-manager", "data-scientist", "editor"])
def test_a_class_of_ones_own_is_no_misspelling(name: str) -> None:
    assert not read(agents(f"name: a, runtime: pi, class: {name}")).problems


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("agents: []", "the roster has no agents"),
        ("agents:", '"agents" must be a list, not nothing'),
        ("agents: {a: b}", '"agents" must be a list, not a mapping'),
        ("tmux: {}", 'missing key "agents"'),
    ],
)
def test_no_agents_never_means_remove_all(text: str, words: str) -> None:
    loaded = read(HEAD + text + "\n")
    assert loaded.roster is None
    assert "never means" in (only(loaded, words).help or "")


def test_no_roster_at_all() -> None:
    loaded = read(None)
    assert (
        only(loaded, "there is no roster.yaml")
        .render()
        .startswith("error: there is no roster.yaml\n --> roster.yaml:1:1")
    )


@pytest.mark.parametrize(
    ("text", "words", "suggestion"),
    [
        ("verson: 1", 'unknown key "verson"', 'did you mean "version"?'),
        ("version: 2", "must be 1", None),
        ("version: true", "must be 1", None),
        ("version: 1\ntransport: screen", '"transport" must be tmux', None),
        ("version: 1\ntmux: {sockt_name: x}", 'unknown key "sockt_name" in "tmux"', 'did you mean "socket_name"?'),
        (
            "version: 1\nruntimes: {pi: {rest_command: x}}",
            'unknown key "rest_command"',
            'did you mean "reset_command"?',
        ),
        ("version: 1\nruntimes: {cluade: {reset_command: x}}", "declared without a command", 'did you mean "claude"?'),
        ("version: 1\nconnector: {kind: matrx}", "must be tmux, discord, matrix", 'did you mean "matrix"?'),
        ("version: 1\nconnector: {kind: discord, discord: {channel_id: 15}}", "must be text", "put it in quotes"),
        (
            "version: 1\ntmux: {socketName: a, socket_name: b}",
            'duplicate key "socketName"',
            '"socket_name" is written on line 2',
        ),
    ],
)
def test_what_concerns_the_whole_file_is_fatal(text: str, words: str, suggestion: str | None) -> None:
    loaded = read(text + "\nagents: [{name: a, runtime: pi}]\n")
    problem = only(loaded, words)
    assert problem in loaded.errors_fatal
    assert problem.suggestion == suggestion


def test_a_duplicate_key_inside_an_agent_holds_only_that_agent() -> None:
    loaded = read(agents("name: a, runtime: pi, class: x, class: y", "name: b, runtime: pi"))
    assert list(loaded.held) == ["a"]
    assert not loaded.errors_fatal


def test_a_duplicate_name_inside_an_agent_is_fatal() -> None:
    assert read(agents("name: a, name: b, runtime: pi")).errors_fatal


def test_both_spellings_of_a_key_inside_an_agent() -> None:
    loaded = read(agents("name: a, runtime: pi, modelHint: x, model_hint: y", "name: b, runtime: pi"))
    assert "another spelling" in loaded.held["a"][0].message


def test_every_problem_of_all_files_is_told_at_once() -> None:
    loaded = read(
        agents("name: a, runtime: pie, yolo: no", "name: b, runtme: pi"),
        "version: 1\nnmae: x\n",
        "version: 1\nmision: x\n",
    )
    messages = "\n".join(problem.message for problem in loaded.problems)
    for words in (
        '"pie"',
        '"yolo"',
        '"runtme"',
        'missing key "runtime"',
        '"nmae"',
        '"mision"',
        'missing key "mission"',
    ):
        assert words in messages
    assert [problem.file for problem in loaded.problems] == ["roster.yaml"] * 4 + ["fleet.yaml"] + [
        "NORTH_STAR.yaml"
    ] * 2


def test_a_good_roster_has_no_problems() -> None:
    assert read(ONE).problems == ()


@pytest.mark.parametrize(
    "entry", ["env: {{A: {}}}", "env: {{A: {{from_file: /{}}}}}", "command: [sleep, {}]", "command: sleep {}"]
)
def test_what_the_kernel_would_not_take(entry: str) -> None:
    fits, too_long = ("é" * (count // 2 - 1) for count in (100_000, 100_004))
    assert not read(agents("name: a, runtime: claude, " + entry.format(fits))).problems
    (problem,) = read(agents("name: a, runtime: claude, " + entry.format(too_long))).problems
    assert "longer than 100000 bytes" in problem.message
    assert len(problem.render()) < 2000
