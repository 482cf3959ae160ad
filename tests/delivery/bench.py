"""A fake agent in a real tmux, and a message to it. The scenarios use this inside a private host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Literal

from providers.machine.facts import gather
from providers.programs.base import AgentPaths, Extra, HeartbeatSource, Reading
from providers.screen import Screen
from providers.tmux.pane_input import Panes
from reconciler.delivery.deliver import DeliveryIO, deliver
from reconciler.delivery.verdict import Delivery
from reconciler.state.store import Store
from specs.compiled import Agent
from tests.delivery import fake
from tests.hosts.waiting import eventually
from tests.launch.bench import make_agent

FLEET = "demo"
_NUMBERS = count()
PROGRAM = str(Path(fake.__file__).resolve())


@dataclass(frozen=True)
class FakeProgram:
    """How the fake's screen is read."""

    name: str = "fake"
    beats: HeartbeatSource = "none"
    receipts: bool = False

    def extra(self, agent: Agent, place: AgentPaths) -> Extra:
        del agent, place
        return Extra()

    def reset_text(self, how: Literal["new", "clear"]) -> str | None:
        del how
        return None

    def read(self, screen: Screen, version: str = "") -> Reading:
        del version
        rules = [at for at, line in enumerate(screen.lines) if line == fake.RULE]
        if len(rules) < 2:
            return Reading()
        draft = "\n".join(line.removeprefix(">").removeprefix(" ") for line in screen.lines[rules[-2] + 1 : rules[-1]])
        below = screen.lines[rules[-1] + 1 :]
        return Reading(
            composer="draft" if draft.strip() else "empty",
            draft=draft,
            asks="permission" if any(line.startswith("ask: ") for line in below) else "",
            queued=tuple(line.removeprefix("queued: ") for line in below if line.startswith("queued: ")),
            placeholders=draft.count("[Pasted text #"),
        )


class FakeAgent:
    """One session with the fake in it, marked like an agent's."""

    def __init__(self, home: Path, name: str, ways: str, *, receipts: bool) -> None:
        self.socket = f"delivery-{next(_NUMBERS)}"  # a server that ends is still there for a moment
        self.agent = make_agent(name, runtime="fake", process_names=("fake.py",), socket=self.socket)
        self.facts = gather(os.environ)
        self.store = Store.open(self.facts, FLEET)
        self.program = FakeProgram(receipts=receipts)
        self.log = home / f"{name}.log"
        self.record = Path(self.facts.run_dir, f"{name}.turn")
        self.record.parent.mkdir(parents=True, exist_ok=True)
        environ = {"FAKE_WAYS": ways, "FAKE_LOG": str(self.log), "FAKE_RECORD": str(self.record)}
        if receipts:
            environ["FAKE_RECEIPTS"] = f"{self.facts.runtime_dir}/mosaic/await/{name}"
        pairs = [word for key, value in environ.items() for word in ("-e", f"{key}={value}")]
        target = f"={name}:"
        self.tmux(
            *("-f", "/dev/null", "new-session", "-d", "-s", name, "-x", "100", "-y", "40", *pairs),
            *(sys.executable, "-I", "-S", PROGRAM, ";"),
            *("set-option", "-t", target, "@mosaic_agent", name, ";"),
            *("set-option", "-t", target, "@mosaic_fleet", FLEET, ";"),
            *("set-option", "-p", "-t", target, "@mosaic_pane", name, ";"),
            *("set-option", "-w", "-t", target, "remain-on-exit", "on"),
        )
        eventually(lambda: fake.RULE in self.screen(), timeout=90, what="the fake's screen")

    def tmux(self, *argv: str, check: bool = True) -> str:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}
        command = ["tmux", "-u", "-L", self.socket, *argv]
        done = subprocess.run(command, check=check, capture_output=True, text=True, timeout=90, env=environ)
        return done.stdout

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p", "-t", f"={self.agent.name}:")

    def send(self, text: str, **options: Any) -> Delivery:
        by = DeliveryIO(facts=self.facts, store=self.store, panes=options.pop("panes", None) or Panes(os.environ))
        options.setdefault("program", self.program)
        options.setdefault("timeout_s", 30.0)
        return deliver(options.pop("agent", self.agent), text, by, **options)

    def got(self) -> list[str]:
        """The messages that it was really given."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def as_agent(self, **changes: Any) -> Agent:
        return replace(self.agent, **changes)


@contextmanager
def agent(ways: str = "", *, name: str = "coder0", receipts: bool = False) -> Iterator[FakeAgent]:
    """A fake agent for as long as the scenario runs."""
    home = Path(os.environ["HOME"], "fakes")
    home.mkdir(exist_ok=True)
    (home / f"{name}.log").unlink(missing_ok=True)
    made = FakeAgent(home, name, ways, receipts=receipts)
    try:
        yield made
    finally:
        made.tmux("kill-server", check=False)
