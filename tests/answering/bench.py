"""A fake agent with dialogs in a real tmux, and answers to it. The scenarios use this inside a private host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

from providers.machine.facts import gather
from providers.programs.base import AgentPaths, Choice, Extra, HeartbeatSource, Reading, Reads
from providers.screen import Screen
from providers.tmux.pane_input import Panes
from reconciler.answering import answer as answering
from reconciler.answering.answer import answer
from reconciler.answering.verdict import DialogAnswer, WantedAnswer
from reconciler.delivery.deliver import DeliveryIO
from reconciler.state.store import Store
from specs.compiled import Agent
from tests.answering import fake
from tests.hosts.waiting import eventually
from tests.launch.bench import make_agent

FLEET = "demo"
PROGRAM = str(Path(fake.__file__).resolve())
_NUMBERS = count()
YES_NO = [["Yes", "allow"], ["No", "deny"]]


# One that gets no processor for some seconds has not refused to repaint.
answering.REPAINT_S = 20.0


def dialog(ways: str = "digit", question: str = "Run git push?", **changes: Any) -> dict[str, Any]:
    return {"kind": "permission", "question": question, "choices": YES_NO, "ways": ways, **changes}


@dataclass(frozen=True)
class FakeProgram:
    """How the fake's screen is read."""

    name: str = "fake"
    heartbeats: HeartbeatSource = "none"
    receipts: bool = False
    reads: Reads = "start"

    def extra(self, agent: Agent, place: AgentPaths) -> Extra:
        del agent, place
        return Extra()

    def takes_conversation(self, agent: Agent) -> bool:
        del agent
        return False

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        del how
        return None

    def read(self, screen: Screen, version: str = "") -> Reading:
        del version
        lines = [line for line in screen.lines if line]
        if lines[-1:] == ["> "] or lines[-1:] == [">"]:
            return Reading(composer="empty")
        kind = next((line.removeprefix("ask: ") for line in lines if line.startswith("ask: ")), "")
        choices: list[tuple[str, str, str]] = []
        selected = 0
        for line in lines:
            if line[:2] in ("> ", "  ") and line.count("|") == 2:
                label, means, ways = line[2:].split("|")
                selected = len(choices) if line[0] == ">" else selected
                choices.append((label.partition(". ")[2].strip(), means, ways))
        return Reading(
            asks=kind,  # type: ignore[arg-type]
            question="\n".join(line[2:] for line in lines if line.startswith("? ")),
            choices=tuple(
                Choice(
                    label=label,
                    means=means,  # type: ignore[arg-type]
                    keys=_keys(at, selected, ways),
                    selected=at == selected,
                )
                for at, (label, means, ways) in enumerate(choices)
            ),
            takes_text=any(line.startswith("field: ") or line == "field:" for line in lines),
        )


def _keys(at: int, selected: int, ways: str) -> tuple[str, ...]:
    if "arrows" in ways:
        return (*(["Down"] * (at - selected)), *(["Up"] * (selected - at)), "Enter")
    return (str(at + 1),) if "digit" in ways or "ignores" in ways else ()


class FakeAgent:
    """One session with the fake in it, marked like an agent's."""

    def __init__(self, home: Path, dialogs: list[dict[str, Any]]) -> None:
        self.socket = f"answering-{next(_NUMBERS)}"  # a server that ends is still there for a moment
        self.agent = make_agent("coder0", runtime="fake", process_names=("fake.py",), socket=self.socket)
        self.facts = gather(os.environ)
        self.store = Store.open(self.facts, FLEET)
        self.log = home / "keys.log"
        environ = {"FAKE_DIALOGS": json.dumps(dialogs), "FAKE_LOG": str(self.log)}
        pairs = [word for key, value in environ.items() for word in ("-e", f"{key}={value}")]
        target = "=coder0:"
        self.tmux(
            *("-f", "/dev/null", "new-session", "-d", "-s", "coder0", "-x", "100", "-y", "40", *pairs),
            *(sys.executable, "-I", "-S", PROGRAM, ";"),
            *("set-option", "-t", target, "@mosaic_agent", "coder0", ";"),
            *("set-option", "-t", target, "@mosaic_fleet", FLEET, ";"),
            *("set-option", "-p", "-t", target, "@mosaic_pane", "coder0", ";"),
            *("set-option", "-w", "-t", target, "remain-on-exit", "on"),
        )
        eventually(lambda: "the fake" in self.screen(), timeout=90, what="the fake's screen")

    def tmux(self, *argv: str, check: bool = True) -> str:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}
        command = ["tmux", "-u", "-L", self.socket, *argv]
        done = subprocess.run(command, check=check, capture_output=True, text=True, timeout=90, env=environ)
        return done.stdout

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", "=coder0:")

    @property
    def pid(self) -> int:
        return int(self.tmux("display-message", "-p", "-t", "=coder0:", "#{pane_pid}"))

    def answer(
        self, how: Literal["allow", "deny", "choose", "text"], number: int = 0, text: str = "", **options: Any
    ) -> DialogAnswer:
        by = DeliveryIO(facts=self.facts, store=self.store, panes=options.pop("panes", None) or Panes(os.environ))
        wanted = WantedAnswer(how=how, number=number, text=text)
        options.setdefault("verify_s", 30.0)
        return answer(self.agent, wanted, by, program=FakeProgram(), **options)

    def keys(self) -> list[list[Any]]:
        """Every key that it got, with the number of the dialog that it went into."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@contextmanager
def asking(*dialogs: dict[str, Any]) -> Iterator[FakeAgent]:
    """A fake agent that shows these dialogs, for as long as the scenario runs."""
    home = Path(os.environ["HOME"], "fakes")
    home.mkdir(exist_ok=True)
    (home / "keys.log").unlink(missing_ok=True)
    made = FakeAgent(home, list(dialogs))
    try:
        yield made
    finally:
        made.tmux("kill-server", check=False)
