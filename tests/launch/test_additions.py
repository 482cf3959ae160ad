"""What a launch adds to an agent's command: in the file, outside the digest, and only for the program meant."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import pytest

from providers.base import Kind, ResourceKey
from providers.evidence import FileEvidence
from providers.host import FileState, HostFacts
from providers.kinds.env import EnvProvider
from providers.launch import additions, environment
from providers.programs import registry
from providers.programs.base import AgentPaths, Extra, HeartbeatSource, Plain, Program, Reading, Reads
from providers.screen import Screen
from specs.compiled import Agent
from tests.launch.bench import changed_names, make_agent, make_facts, make_fleet
from tests.launch.test_providers import look
from tests.materials import file_of, parsed

FACTS = make_facts()
AGENT = make_agent("a", argv=("/opt/bin/prog", "--first"), runtime="prog", native_heartbeat=False)
AGENT = replace(AGENT, process_names=("prog",))
PATH = f"{FACTS.agents_dir}/a.env"


@dataclass(frozen=True)
class Prog:
    """A program that adds one of each."""

    name: str = "prog"
    heartbeats: HeartbeatSource = "hook"
    receipts: bool = True
    reads: Reads = "start"

    def extra(self, agent: Agent, place: AgentPaths) -> Extra:
        return Extra(
            args=("--settings", f"{place.folder}/settings.json"),
            text_args=(("--system=", place.contract),),
            env=(("PROG_MODE", agent.agent_class),),
        )

    def read(self, screen: Screen, version: str = "") -> Reading:
        return Plain("prog").read(screen, version)

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        return Plain("prog").reset_text(how)

    def takes_conversation(self, agent: Agent) -> bool:
        return Plain("prog").takes_conversation(agent)


@pytest.fixture
def prog(monkeypatch: pytest.MonkeyPatch) -> None:
    def one(runtime: str) -> Program:
        return Prog() if runtime == "prog" else Plain(runtime)

    monkeypatch.setattr(additions, "program", one)


def text(agent: Agent) -> str:
    return environment.render_env(agent, make_fleet(agent), FACTS)


@pytest.mark.usefixtures("prog")
def test_the_lines_come_after_the_agents_own() -> None:
    lines = text(AGENT).splitlines()
    folder = "/root/.config/mosaic/fleet/agents/a.d"
    assert lines[lines.index("ARG=--first") :] == [
        "ARG=--first",
        "MOSAIC_HEARTBEAT=hook",
        f"MOSAIC_GIVEN={dict(additions.pairs(AGENT, FACTS))[additions.GIVEN_KEY]}",
        f"MOSAIC_ADDED={additions.digest(additions.pairs(AGENT, FACTS))}",
        f"ADD_ENV=PROG_MODE={AGENT.agent_class}",
        "ADD_ARG=--settings",
        f"ADD_ARG={folder}/settings.json",
        f"ADD_TEXT=--system=|{folder}/contract.md",
    ]


@pytest.mark.usefixtures("prog")
def test_they_are_no_reason_for_a_restart() -> None:
    plain = replace(AGENT, process_names=("other",))
    assert text(plain) != text(AGENT)
    assert environment.launch_digest(plain) == environment.launch_digest(AGENT)
    pairs = environment.read_pairs(text(AGENT))
    assert environment.pairs_digest(pairs) == environment.launch_digest(AGENT)
    assert environment.pairs_fields(pairs) == environment.launch_fields(AGENT)
    assert environment.intact(pairs)


@pytest.mark.usefixtures("prog")
@pytest.mark.parametrize(
    ("agent", "heartbeats"),
    [
        (replace(AGENT, argv=("bash", "-c", "prog")), "none"),
        (replace(AGENT, argv=("/opt/bin/prog2",)), "none"),
        (replace(AGENT, argv=()), "none"),
        (replace(AGENT, argv=("bash",), native_heartbeat=True), "none"),
        (replace(AGENT, runtime="unheard-of"), "none"),
        (replace(AGENT, runtime="unheard-of", native_heartbeat=True), "native"),
    ],
)
def test_a_command_that_is_another_program_gets_nothing(agent: Agent, heartbeats: str) -> None:
    heartbeat, (key, _) = additions.pairs(agent, FACTS)
    assert heartbeat == ("MOSAIC_HEARTBEAT", heartbeats)
    assert key == additions.GIVEN_KEY


@pytest.mark.usefixtures("prog")
def test_what_is_given_is_told_from_what_was_given() -> None:
    """By what a start hands over, and not by who the agent is."""

    def given(agent: Agent, facts: HostFacts = FACTS) -> str:
        return dict(additions.pairs(agent, facts))[additions.GIVEN_KEY]

    assert given(AGENT) == given(replace(AGENT, generation=7))
    assert given(AGENT) != given(replace(AGENT, agent_class="other"))
    assert given(AGENT) != given(replace(AGENT, process_names=("other",)))
    assert given(AGENT) != given(AGENT, replace(FACTS, mosaic_home="/elsewhere"))


@pytest.mark.usefixtures("prog")
def test_an_edit_of_them_is_drift_and_shows_no_value() -> None:
    fleet = make_fleet(AGENT)
    provider = EnvProvider()
    [wanted] = provider.desired(fleet, FACTS)

    def differing(content: str) -> set[str]:
        seen = provider.observe(look({PATH: FileState(content=content, mode=0o600)}), fleet, FACTS)
        present = seen[ResourceKey(Kind.ENV, "a")]
        assert present.evidence == FileEvidence(intact=False)
        assert "sk-secret" not in repr(present.fields)
        return changed_names(parsed(present.fields["vars"]), file_of(wanted).variables)

    content = file_of(wanted).content
    assert differing(content.replace("ADD_ENV=PROG_MODE=", "ADD_ENV=PROG_MODE=sk-secret")) == {"ADD_ENV PROG_MODE"}
    assert differing(content.replace("ADD_ARG=--settings\n", "")) == {"ADD_ARG"}
    assert differing(content + "ADD_TEXT=sk-secret|/x\n") == {"ADD_TEXT"}
    assert differing(content.replace(additions.DIGEST_KEY, "MOSAIC_OTHER")) == {additions.DIGEST_KEY, "MOSAIC_OTHER"}


def test_a_prefix_ends_at_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bar(Plain):
        def extra(self, agent: Agent, place: AgentPaths) -> Extra:
            return Extra(text_args=((f"{agent.name}|", place.contract),))

    monkeypatch.setattr(additions, "program", Bar)
    with pytest.raises(ValueError, match=r"a\|"):
        additions.pairs(AGENT, FACTS)


@pytest.mark.parametrize("runtime", ["claude", "codex", "opencode", "pi", "stub"])
def test_every_program_we_know_can_be_launched(runtime: str) -> None:
    """Whatever it adds fits on the lines of a launch environment, and stays below the agent's own folder."""
    agent = replace(AGENT, runtime=runtime, argv=(runtime,), process_names=(runtime,))
    assert registry.program(runtime).name == runtime
    assert environment.intact(environment.read_pairs(text(agent)))
    for name, _ in additions.extra_of(agent, FACTS).files:
        assert name
        assert not name.startswith((".", "/"))
        assert "/" not in name
