"""The launch environment as text: stable, complete, and honest about what needs a restart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.launch import additions, environment
from specs.compiled import Agent, EnvValue, Heartbeats, Limits, mission_digest
from tests.launch.bench import changed_names, make_agent, make_facts, make_fleet

FACTS = make_facts()
AGENT = make_agent(
    "coder.0",
    env={"PLAIN": "x", "TOKEN": EnvValue(from_env="CODER_TOKEN"), "KEY": EnvValue(from_file="/run/secrets/key")},
    limits=Limits(memory_max="2G", cpu_weight=50, tasks_max=512),
    path=("/opt/tools/bin",),
    model="opus",
    argv=("claude", "--model", "opus", ""),
)

lines = st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=20)
names = st.from_regex(r"[A-Z][A-Z0-9_]{0,6}", fullmatch=True)
values = st.one_of(
    lines.map(lambda text: EnvValue(literal=text)),
    names.map(lambda name: EnvValue(from_env=name)),
    lines.map(lambda text: EnvValue(from_file="/" + text)),
)
agents = st.builds(
    lambda argv, env, path, limits, model, workdir: make_agent(
        "a", argv=tuple(argv), env=tuple(sorted(env.items())), path=path, limits=limits, model=model,
        working_directory="/" + workdir,
    ),
    st.lists(lines, min_size=1, max_size=5),
    st.dictionaries(names, values, max_size=4),
    st.lists(lines.map(lambda text: "/" + text), max_size=2).map(tuple),
    st.builds(Limits, memory_max=st.sampled_from([None, "2G"]), tasks_max=st.one_of(st.none(), st.integers(1, 9))),
    st.one_of(st.none(), st.sampled_from(["opus", "o3"])),
    lines,
)  # fmt: skip


def test_the_file_has_all_that_the_programs_read() -> None:
    text = environment.render_env(AGENT, make_fleet(AGENT), FACTS)
    assert text.splitlines() == [
        "# mosaic-fleet: generated from git for agent coder.0 of fleet canary; edits are put back",
        "MOSAIC_AGENT_NAME=coder.0",
        "MOSAIC_AGENT_SESSION=coder_0",
        "MOSAIC_FLEET=canary",
        "MOSAIC_TENANT_ID=default",
        "MOSAIC_HOST=private-host",
        "MOSAIC_HOME=/root/.config/mosaic",
        "MOSAIC_HEARTBEAT_INTERVAL=15",
        f"MOSAIC_LAUNCH={environment.launch_digest(AGENT)}",
        f"MOSAIC_MISSION={mission_digest(make_fleet(AGENT), AGENT)}",
        "MOSAIC_RESUME=on-heal",
        f"MOSAIC_DECLARED={environment.declared_digest(AGENT)}",
        "MOSAIC_AGENT_CLASS=coder",
        "MOSAIC_AGENT_RUNTIME=stub",
        "MOSAIC_AGENT_MODEL=opus",
        "MOSAIC_AGENT_WORKDIR=/tmp",
        "MOSAIC_TMUX_SOCKET=mosaic-test",
        "MOSAIC_GENERATION=0",
        "PROP=MemoryMax=2G",
        "PROP=CPUWeight=50",
        "PROP=TasksMax=512",
        "PATHDIR=/opt/tools/bin",
        "ENV_FILE=KEY=/run/secrets/key",
        "ENV=PLAIN=x",
        "ENV_FROM=TOKEN=CODER_TOKEN",
        "ARG=claude",
        "ARG=--model",
        "ARG=opus",
        "ARG=",
        "MOSAIC_HEARTBEAT=native",
        f"MOSAIC_GIVEN={dict(additions.pairs(AGENT, FACTS))[additions.GIVEN_KEY]}",
    ]


def test_what_needs_a_restart_is_named_and_shows_no_secret() -> None:
    assert environment.launch_fields(AGENT) == {
        "class": "coder",
        "runtime": "stub",
        "model": "opus",
        "working_directory": "/tmp",
        "socket": "mosaic-test",
        "generation": "0",
        "resources.MemoryMax": "2G",
        "resources.CPUWeight": "50",
        "resources.TasksMax": "512",
        "path": ["/opt/tools/bin"],
        "env.KEY": {"from_file": "/run/secrets/key"},
        "env.PLAIN": "x",
        "env.TOKEN": {"from_env": "CODER_TOKEN"},
        "argv": ["claude", "--model", "opus", ""],
    }


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        (replace(AGENT, runtime="claude"), "runtime"),
        (replace(AGENT, agent_class="reviewer"), "class"),
        (replace(AGENT, model=None), "model"),
        (replace(AGENT, working_directory="/srv"), "working_directory"),
        (replace(AGENT, socket=""), "socket"),
        (replace(AGENT, generation=1), "generation"),
        (replace(AGENT, limits=Limits()), "resources.MemoryMax"),
        (replace(AGENT, path=()), "path"),
        (replace(AGENT, env=()), "env.TOKEN"),
        (replace(AGENT, argv=("claude", "--model opus", "")), "argv"),
    ],
)
def test_each_launch_field_changes_the_digest(changed: Agent, name: str) -> None:
    assert environment.launch_digest(changed) != environment.launch_digest(AGENT)
    assert name in changed_names(environment.launch_fields(AGENT), environment.launch_fields(changed))


@pytest.mark.parametrize(
    "changed",
    [
        replace(AGENT, alias="Ada"),
        replace(AGENT, depends_on=("lead",)),
        replace(AGENT, reset_command="/new"),
        replace(AGENT, process_names=("other",)),
        replace(AGENT, native_heartbeat=False),
        replace(AGENT, submit_key="C-m"),
        replace(AGENT, resume="never", resume_nudge="go on", restart_session="fresh"),
    ],
)
def test_what_the_program_never_sees_needs_no_restart(changed: Agent) -> None:
    assert environment.launch_digest(changed) == environment.launch_digest(AGENT)


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        (replace(AGENT, resume="always", resume_nudge="go on"), True),
        (replace(AGENT, generation=1, restart_session="fresh"), True),
        (replace(AGENT, limits=Limits(), env=(), path=(), socket="", model=None, argv=("claude",)), True),
        (replace(AGENT, runtime="claude"), False),
        (replace(AGENT, agent_class="reviewer"), False),
        (replace(AGENT, working_directory="/srv"), False),
    ],
)
def test_what_a_conversation_belongs_to(changed: Agent, same: bool) -> None:
    assert (environment.declared_digest(changed) == environment.declared_digest(AGENT)) is same


def test_what_git_asks_of_one_start() -> None:
    def once(agent: Agent) -> list[str]:
        pairs = environment.env_pairs(agent, make_fleet(agent), FACTS)
        return [value for key, value in pairs if key == "MOSAIC_RESUME_ONCE"]

    assert once(AGENT) == []
    assert once(replace(AGENT, generation=3, restart_session="fresh")) == ["g3 fresh"]
    assert once(replace(AGENT, generation=4, restart_session="ses_1.a-b")) == ["g4 session ses_1.a-b"]


def test_heartbeat_thresholds_need_no_restart() -> None:
    fleet = make_fleet(AGENT)
    slower = replace(fleet, heartbeats=Heartbeats(interval=30))
    one, two = environment.render_env(AGENT, fleet, FACTS), environment.render_env(AGENT, slower, FACTS)
    assert one != two
    assert environment.pairs_digest(environment.read_pairs(one)) == environment.pairs_digest(
        environment.read_pairs(two)
    )


@given(agents)
def test_the_file_says_again_what_it_was_made_from(agent: Agent) -> None:
    pairs = environment.read_pairs(environment.render_env(agent, make_fleet(agent), FACTS))
    assert environment.pairs_digest(pairs) == environment.launch_digest(agent) == dict(pairs)["MOSAIC_LAUNCH"]
    assert environment.pairs_fields(pairs) == environment.launch_fields(agent)


@given(agents, agents)
def test_digest_and_fields_change_together(one: Agent, two: Agent) -> None:
    same = environment.launch_digest(one) == environment.launch_digest(two)
    assert same == (changed_names(environment.launch_fields(one), environment.launch_fields(two)) == set())


@pytest.mark.parametrize("value", ["a\nENV=EVIL=1", "a\0b"])
def test_a_value_never_becomes_a_second_line(value: str) -> None:
    agent = make_agent("a", env={"X": value})
    with pytest.raises(ValueError, match="line break"):
        environment.render_env(agent, make_fleet(agent), FACTS)


def test_the_holder_holds_every_socket_that_is_used() -> None:
    fleet = make_fleet(make_agent("a", socket=""), make_agent("b"), make_agent("c", socket="gone", state="stopped"))
    assert environment.render_holder(fleet).splitlines()[1:] == [
        "MOSAIC_FLEET=canary",
        "MOSAIC_HOLDER_SESSION=_holder",
        f"MOSAIC_HOLDER_DEFINITION={environment.holder_definition()}",
        "MOSAIC_TMUX_SOCKET=mosaic-test",
        "MOSAIC_TMUX_SOCKET=",
    ]
