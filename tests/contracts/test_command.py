"""`mosaic compose-contract`: the same text that the launch of an agent is given."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from providers.host import HostFacts
from providers.launch.contract import compose
from providers.machine.facts import gather
from providers.machine.overlays import read_overlays
from reconciler.commands import mosaic
from reconciler.plan.desired import compile_files, inputs_digest
from reconciler.state.store import Store
from specs.compiled import Fleet
from tests import builders as make
from tests.commands.calling import Said, call

FILES = {
    "roster.yaml": b"""\
version: 1
transport: tmux
agents:
  - {name: coder0, runtime: claude, class: implementer, host: build-1}
  - {name: coder1, runtime: pi, class: florist, host: build-1}
  - {name: far, runtime: claude, class: review, host: build-2}
""",
    "NORTH_STAR.yaml": b"version: 1\nmission: Grow things.\n",
    "roles/code.md": b"---\nclass: code\n---\n## Persona\n\nCalm.\n",
}


def composed(*words: str) -> Said:
    return call(mosaic.command, "compose-contract", *words)


@pytest.fixture
def facts(isolated: Path) -> HostFacts:
    del isolated
    return gather(os.environ)


@pytest.fixture
def fleet(facts: HostFacts) -> Fleet:
    """One that has run here once."""
    made = compile_files(FILES, revision=make.SHA, host="build-1", facts=facts, path=()).fleet
    assert made is not None
    store = Store.open(facts, made.name)
    store.save_status(make.status(plan=make.plan(fleet=made.name)))
    store.save_desired(made, inputs=inputs_digest(facts, ()))
    return made


def test_it_is_what_the_launch_is_given(fleet: Fleet, facts: HostFacts) -> None:
    Path(facts.mosaic_home).mkdir(parents=True)
    Path(facts.mosaic_home, "USER.md").write_text("Call me Ada.\n")
    said = composed("claude", "--agent", "coder0")
    overlays = read_overlays(facts.mosaic_home)
    assert (said.code, said.err) == (0, "")
    assert said.out == compose(fleet, fleet.agents[0], replace(facts, overlays=overlays))
    for words in ("Call me Ada.", "Calm.", "Grow things.", "You are `build-1:coder0`"):
        assert words in said.out


def test_what_is_unusual_is_told_beside_it(fleet: Fleet, facts: HostFacts) -> None:
    Path(facts.mosaic_home, "SOUL.md").mkdir(parents=True)
    said = composed("codex", "--agent", "coder1")
    assert said.code == 0
    assert "SOUL.md: it is not a regular file" in said.err
    assert 'class "florist" has no contract: roles/florist.md' in said.err
    assert "agent coder1 runs pi; this is as it would be in codex" in said.err
    assert "<!-- source: runtime/codex/RUNTIME.md -->" in said.out
    assert fleet.personas.keys() == {"implementer"}


def test_without_an_agent_and_without_a_fleet(facts: HostFacts) -> None:
    said = composed("pi")
    assert said.code == 0
    assert "# Constitution" in said.out
    assert "Mission" not in said.out
    assert "without a mission: no fleet has run on this host yet" in said.err
    assert facts.mosaic_home in said.out


def test_without_an_agent_it_has_the_mission(fleet: Fleet) -> None:
    said = composed("pi")
    assert (said.code, said.err) == (0, "")
    assert "Grow things." in said.out
    assert fleet.mission


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("cluade",), 4, 'did you mean "claude"?'),
        (("claude", "--agent", "codre0"), 4, "coder0"),
        (("claude", "--fleet", "elsewhere"), 4, "elsewhere"),
    ],
)
def test_what_nobody_has(fleet: Fleet, words: tuple[str, ...], code: int, says: str) -> None:
    said = composed(*words)
    assert (said.code, said.out) == (code, "")
    assert says in said.err
    assert fleet.agents
