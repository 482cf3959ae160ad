"""The one text: its sections in their order, what is left out, how long it may get."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.host import Overlay
from providers.launch.contract import OVERLAYS, PROFILE, compose, compose_without_agent, runtimes
from providers.launch.peers import comms_text
from specs import library
from specs.compiled import Fleet, PersonaText
from specs.mission.projection import MARK
from tests.strategies import make_agent, make_fleet
from tests.world_model import FACTS

MOST = 100_000  # bytes of an argument that agent-start takes
PERSONA = PersonaText(text="# Coder\n\nFinish the card.\n", digest="0" * 12, purpose="Finish.", persistent=False)
AGENT = replace(make_agent("a", runtime="claude"), argv=("claude",))
FLEET: Fleet = replace(
    make_fleet(AGENT, make_agent("b")),
    mission=f"{MARK}: change that file, not this one. 0123456789ab -->\n\n# North star\n\nGrow things.\n",
    personas={AGENT.agent_class: PERSONA},
)
OWN = tuple(Overlay(name=name, text=f"This is {name}.\n") for name in (*PROFILE, *OVERLAYS))


def sources(text: str) -> list[str]:
    return re.findall(r"(?m)^<!-- source: (.*) -->$", text)


def test_every_section_in_its_order_with_its_source() -> None:
    text = compose(FLEET, AGENT, replace(FACTS, overlays=OWN))
    assert sources(text) == [
        "CONSTITUTION.md", "AGENTS.md", "USER.md", "USER.local.md", "TOOLS.md", "runtime/claude/RUNTIME.md", "SOUL.md",
        "SOUL.local.md", "STANDARDS.local.md", f"contract of class {AGENT.agent_class}", "fleet/NORTH_STAR.md",
        "messages between agents",
    ]  # fmt: skip
    for name in ("CONSTITUTION", "AGENTS", "TOOLS", "runtimes/claude"):
        assert library.text(f"framework/{name}.md").strip() in text
    assert PERSONA.text.strip() in text
    assert "Grow things." in text
    assert MARK not in text, "who reads the mission here cannot edit it"
    assert comms_text(FLEET, "a").strip() in text
    assert library.text("framework/STANDARDS.md").strip() not in text, "what is only looked up is not carried along"
    assert FACTS.mosaic_home in text.splitlines()[2], "where the guides are that it names"
    assert text == compose(replace(FLEET), AGENT, replace(FACTS, overlays=OWN)), "the same parts, the same bytes"


def test_what_is_not_there_leaves_nothing_behind() -> None:
    bare = make_fleet(AGENT)
    text = compose(bare, AGENT, FACTS)
    assert sources(text) == [
        "CONSTITUTION.md", "AGENTS.md", "TOOLS.md", "runtime/claude/RUNTIME.md", "messages between agents",
    ]  # fmt: skip
    other = replace(AGENT, argv=("bash",))
    assert "runtime/claude" not in compose(make_fleet(other), other, FACTS), "its command is not that program"


@pytest.mark.parametrize("text", [library.text("framework/templates/USER.md"), "", " \n"])
def test_a_draft_that_nobody_has_filled_in_says_nothing(text: str) -> None:
    found = compose(FLEET, AGENT, replace(FACTS, overlays=(Overlay(name="USER.md", text=text),)))
    assert "USER.md" not in sources(found)


def test_what_cannot_be_read_is_said_in_its_place() -> None:
    broken = (Overlay(name="USER.md", fault="Permission denied"),)
    text = compose(FLEET, AGENT, replace(FACTS, overlays=broken))
    assert sources(text)[2] == "USER.md"
    assert f"({FACTS.mosaic_home}/USER.md is there and could not be read: Permission denied.)" in text


@given(st.sampled_from(["x", "\u00e9", "\U0001f600", "long line " * 999 + "\n", "line\n"]), st.integers(1, 70_000))
def test_it_always_fits_where_it_has_to(piece: str, size: int) -> None:
    long = piece * (size // len(piece) + 1)
    fleet = replace(FLEET, mission=long, personas={AGENT.agent_class: replace(PERSONA, text=long)})
    text = compose(fleet, AGENT, replace(FACTS, overlays=tuple(replace(one, text=long) for one in OWN)))
    assert len(text.encode()) < MOST
    assert sources(text)[-1] == "messages between agents"
    cut = len(long.encode()) > 8_000
    assert ("It continues, and was cut here: all of it is in" in text) is cut
    assert (f"{FACTS.mosaic_home}/fleet/NORTH_STAR.md.)" in text) is cut


def test_without_an_agent_it_is_what_all_agents_have() -> None:
    text = compose_without_agent("pi", FLEET, FACTS)
    assert sources(text) == [
        "CONSTITUTION.md", "AGENTS.md", "TOOLS.md", "runtime/pi/RUNTIME.md", "fleet/NORTH_STAR.md",
    ]  # fmt: skip
    assert "Grow things." not in compose_without_agent("pi", None, FACTS)


def test_as_it_would_be_in_another_program() -> None:
    text = compose(FLEET, AGENT, FACTS, runtime="codex")
    assert "runtime/codex/RUNTIME.md" in sources(text)
    assert "runtime/claude/RUNTIME.md" not in sources(text)


def test_the_programs_that_texts_ship_for() -> None:
    assert runtimes() == ("claude", "codex", "opencode", "pi")


def test_a_typical_one_is_short() -> None:
    """Every agent pays for it at each start: what is read when it is needed has no place in it."""
    from specs.personas.persona import shipped

    longest = 0
    for name, persona in shipped().items():
        agent = replace(AGENT, agent_class=name)
        peers = [make_agent(f"coder{at}") for at in range(8)]
        given_ = PersonaText(text=persona.text, digest="", purpose="", persistent=False)
        text = compose(replace(make_fleet(agent, *peers), personas={name: given_}), agent, FACTS)
        longest = max(longest, len(text))
    assert longest < 14_000
