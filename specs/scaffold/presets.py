"""The fleets that `mosaic fleet init` begins with, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from specs.dataclass import dataclass

ORCHESTRATOR, ENHANCER = "orchestrator", "enhancer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A place in a preset. `runtime` is what it is best filled with, `model` goes with that; `after` are slots by
    name."""

    name: str
    runtime: str
    agent_class: str
    about: str
    model: str = ""
    persistent: bool | Literal["semi"] = False
    reset: bool = False
    yolo: bool = True
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """`about` is one line for the caller that has to choose."""

    name: str
    about: str
    slots: tuple[Slot, ...]
    mission: str
    floor: Literal["two-agent", "none"] = "two-agent"


def _lead(model: str = "opus", runtime: str = "claude", name: str = ORCHESTRATOR) -> Slot:
    about = "Talks to people, and hands out the work."
    return Slot(name=name, runtime=runtime, agent_class=ORCHESTRATOR, about=about, model=model, persistent=True)


def _enhancer(model: str = "", runtime: str = "claude") -> Slot:
    about = "Looks at how the fleet works, and makes that better."
    return Slot(name=ENHANCER, runtime=runtime, agent_class=ENHANCER, about=about, model=model, persistent=True)


def _hand(name: str, runtime: str, role: str, about: str, **more: str | bool) -> Slot:
    model, yolo = str(more.get("model", "")), bool(more.get("yolo", True))
    after = (str(more.get("after", ORCHESTRATOR)),)
    return Slot(
        name=name, runtime=runtime, agent_class=role, about=about, model=model, yolo=yolo, reset=True, after=after
    )


_CODES = "Takes a task, and comes back with a change and its tests."
_REVIEWS = "Reads changes of others. It asks before it acts."
_FINDS = "Looks for evidence, apart from the other one."

_ALL = (
    Preset(
        name="minimal",
        about="one agent: see a commit become a running program",
        floor="none",
        mission="Show that what is declared in git runs on this host.",
        slots=(
            Slot(name="canary", runtime="claude", agent_class="canary", about="Is there, and answers.", reset=True),
        ),
    ),
    Preset(
        name="local-canary",
        about="four stubs: no account, no network, no tokens",
        mission="Prove on one machine that the fleet converges, heals and forgets nothing.",
        slots=(
            _lead("", "stub", "lead"),
            _enhancer("", "stub"),
            _hand("coder0", "stub", "implementer", _CODES, after="lead"),
            _hand("reviewer0", "stub", "reviewer", "Reads changes of others.", after="lead"),
        ),
    ),
    Preset(
        name="general",
        about="orchestrator, enhancer, one worker for whatever comes",
        mission="Take work of any kind from a request to a result that somebody can use.",
        slots=(
            _lead(),
            _enhancer("sonnet"),
            _hand("worker0", "pi", "worker", "Does what is asked, one thing at a time."),
        ),
    ),
    Preset(
        name="coding",
        about="two implementers of different make, and a reviewer",
        mission="Turn issues into reviewed, tested and merged changes.",
        slots=(
            _lead(),
            _enhancer(),
            _hand("coder0", "codex", "implementer", _CODES),
            _hand("coder1", "opencode", "implementer", "The same, with another program: it errs in other ways."),
            _hand("reviewer", "claude", "reviewer", _REVIEWS, model="sonnet", yolo=False),
        ),
    ),
    Preset(
        name="research",
        about="two researchers apart, and an analyst who weighs",
        mission="Answer questions with evidence that a stranger can check.",
        slots=(
            _lead(""),
            _enhancer(),
            _hand("researcher0", "pi", "researcher", _FINDS),
            _hand("researcher1", "opencode", "researcher", _FINDS),
            Slot(
                name="analyst",
                runtime="claude",
                agent_class="analyst",
                about="Weighs what the researchers bring, and says what is not known.",
                model="opus",
                persistent="semi",
                after=(ORCHESTRATOR,),
            ),
        ),
    ),
    Preset(
        name="hybrid",
        about="research and coding under one orchestrator",
        mission="Find out what is worth building, and build it.",
        slots=(
            _lead(),
            _enhancer(),
            _hand("coder0", "codex", "implementer", _CODES),
            _hand("researcher0", "pi", "researcher", "Finds out what is worth building."),
            _hand("reviewer", "opencode", "reviewer", "Reads changes of others."),
        ),
    ),
)
PRESETS: Mapping[str, Preset] = {preset.name: preset for preset in _ALL}
