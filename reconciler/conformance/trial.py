"""One program on its stage: launch, identification, delivery, heartbeat, reset, each proved by what is seen.

It is the product's own code that launches, reads, delivers and resets; the API's word is what that is held against. A
proof that fails says what was seen instead, and those that need it are skipped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from providers.base import Kind, ObserveError, Present, ResourceKey
from providers.filesystem.guarded_read import read_regular
from providers.kinds.heartbeat import as_evidence
from providers.launch import additions
from providers.machine import heartbeat_files
from providers.processes import procfs
from providers.programs.base import Plain, Reading, read_screen
from providers.programs.identity import Identity, ProcessTree
from providers.programs.registry import program as known_program
from providers.screen import Screen
from providers.tmux.pane_input import PaneError, Panes
from providers.tmux.pane_view import PaneViewer
from reconciler.conformance.homes import home_of
from reconciler.conformance.model import Proof, ProofName, TrialOutcome, complete
from reconciler.delivery.deliver import DeliveryIO, deliver
from reconciler.delivery.text import clean
from reconciler.errors import MosaicError
from reconciler.helpers.redact import one_line
from reconciler.model import Observation
from reconciler.observe.attribution import AttributedHeartbeat, judge_heartbeat, judge_turn
from reconciler.state.store import Store
from specs.compiled import Heartbeats

if TYPE_CHECKING:
    from providers.evidence import SessionEvidence
    from providers.host import HeartbeatFile
    from reconciler.conformance.fake_api import FakeApi
    from reconciler.conformance.stage import Stage
    from reconciler.context.fleet import FleetContext
    from specs.compiled import Agent

T = TypeVar("T")
LAUNCH_S = 90.0  # a program of 200 MB, started for the first time in its life, on a machine that is busy
STEADY_S = 1.0  # some paint their composer before they have read their settings
ARRIVE_S = 90.0  # a program begins its first answer as slowly as it starts
HEARTBEAT_S = 90.0
POLL_S = 0.1
_SCREEN_LINES = 4

# As many lines as make every program fold a paste, or take the first for all; letters from everywhere, words that look
# like keys, and a backslash at the end of a line.
FIRST = "\n".join(
    (
        "contract: the first message of this conversation",
        "Größe, 日本, C-c Enter \\",
        *(f"line {number} of thirty-one" for number in range(3, 31)),
        "the last line",
    )
)
AFTER = "contract: a message after the reset"


class ProofFailed(Exception):
    """A proof that did not come about; the text says what was seen instead."""


def carry_out(proofs: list[Proof], name: ProofName, prove: Callable[[], str]) -> bool:
    """Carry out one proof and write down what came of it."""
    began = time.monotonic()
    outcome: TrialOutcome = "fail"
    try:
        evidence = prove()
        outcome = "pass"
    except ProofFailed as failed:
        evidence = str(failed)
    except (MosaicError, PaneError, ObserveError) as error:
        evidence = str(error)
    except OSError as error:
        evidence = f"{error.filename or 'something'}: {error.strerror or error}"
    seconds = time.monotonic() - began
    proofs.append(Proof(name=name, outcome=outcome, evidence=one_line(evidence, 400), seconds=seconds))
    return outcome == "pass"


class Tried:
    """One program that is tried. `proofs()` leaves nothing out and raises nothing but what an operator can do."""

    def __init__(self, stage: Stage, api: FakeApi) -> None:
        self._stage, self._api = stage, api
        self._home = home_of(stage.runtime, project=str(stage.project), url=api.url)
        self._agent: Agent = stage.agent(self._home)
        self._program = known_program(stage.runtime)
        self._panes = Panes(stage.environ)
        self._store = Store.open(stage.facts, "contract")
        self._began = 0.0
        self._speaks = bool(self._home.files)  # to a model: the stub does not

    def proofs(self) -> tuple[Proof, ...]:
        found: list[Proof] = []
        if not carry_out(found, "launch", self._launch):
            return complete(found, "it did not come up")
        if not carry_out(found, "identification", self._identify):
            return complete(found, "it is not known by its process")
        if not carry_out(found, "delivery", self._deliver):
            self._api.go_on()
            return complete(found, "no message reached it")
        carry_out(found, "contract", self.contract)
        carry_out(found, "heartbeat", self._heartbeat)
        self._api.go_on()
        carry_out(found, "reset", self._reset)
        self.states(found)
        return complete(found, "")

    def contract(self) -> str:
        """That the contract reached the model."""
        raise NotImplementedError

    def states(self, found: list[Proof]) -> None:
        """Further proofs."""

    def note_files(self) -> None:
        """What is to be the same afterwards."""

    # --- the proofs ---

    def _launch(self) -> str:
        self._began = time.time()
        began = time.monotonic()
        self._stage.begin(self._agent, self._home)
        self.note_files()
        since: list[float] = []

        def stays_ready() -> Reading | None:
            reading = self._ready()
            since[:] = [] if reading is None else since or [time.monotonic()]
            return reading if since and time.monotonic() - since[0] >= STEADY_S else None

        reading = self._wait(stays_ready, LAUNCH_S, self._why_not_ready)
        said = reading.why or "its process is there"
        return f"takes input after {since[0] - began:.1f} s: {said}"

    def _identify(self) -> str:
        identity = self._identity()
        if not identity.matches:
            raise ProofFailed(f"{identity.program or 'nothing'} runs in the pane, and none of {self._names()} below it")
        processes = procfs.scan(self._stage.facts.uid)
        tree = [processes[pid].comm for pid in identity.pids if pid in processes]
        return f"{self._names()} in the pane's process tree: {' > '.join(tree[:4])}"

    def _deliver(self) -> str:
        self._api.think()  # so that it is busy for as long as we look
        sent = deliver(self._agent, clean(FIRST), self._delivery_io(), timeout_s=ARRIVE_S)
        if sent.word != "delivered":
            raise ProofFailed(f"{sent.word}: {sent.reason or 'no reason given'}{self._arrived(FIRST)}")
        if not self._speaks:
            self._wait(lambda: self._answers(FIRST), ARRIVE_S, lambda: "it does not answer")
            return f"delivered, by {sent.evidence}; it answers with every line"
        self._wait(lambda: self._has(FIRST), ARRIVE_S, lambda: "delivered, it is said, and the API received nothing")
        return f"delivered, by {sent.evidence}; the API received all {len(FIRST.splitlines())} lines"

    def _heartbeat(self) -> str:
        kind = additions.heartbeat_source(self._agent)
        if kind == "none":
            raise ProofFailed("it has no heartbeat of its own, and no hooks: only the responder can answer for it")
        ending = "hb" if kind == "native" else "turn"
        first, last = ("ok", "ok") if not self._speaks else ("busy", "ok")
        record = self._record(ending, first)
        busy = f"status={record.status} event={record.event or '-'}"
        self._api.go_on()
        if last == first:
            return f"{kind}, pid {record.pid}: {busy}"
        record = self._record(ending, last)
        return f"{kind}, pid {record.pid}: {busy}, then status={record.status} event={record.event or '-'}"

    def _reset(self) -> str:
        from reconciler.agents.reset import by_command
        from reconciler.agents.reset_verdict import reset_text

        text = reset_text(self._agent, self._program, "")
        if text is None:
            raise ProofFailed("it has no command that begins a new conversation")
        self._wait(self._idle, ARRIVE_S, self._why_not_ready)
        sent = by_command(self._here(), self._stage.fleet(self._agent), self._agent, self._program, text)
        if sent.word != "delivered":
            raise ProofFailed(f"`{text}`: {sent.word}: {sent.reason or 'no reason given'}")
        if not self._speaks:
            return f"`{text}`, seen by {sent.evidence}"
        self._wait(self._idle, ARRIVE_S, self._why_not_ready)
        after = deliver(self._agent, clean(AFTER), self._delivery_io(), timeout_s=ARRIVE_S)
        if after.word != "delivered":
            raise ProofFailed(f"`{text}`, and the next message was {after.word}: {after.reason}")
        self._wait(lambda: self._has(AFTER), ARRIVE_S, lambda: "the API did not receive the message after it")
        kept = [turn for turn in self._api.turns() if among(AFTER, turn.all) and among(FIRST, turn.all)]
        if kept:
            raise ProofFailed(f"`{text}`, seen by {sent.evidence}, and the conversation before it was sent again")
        return f"`{text}`, seen by {sent.evidence}; the next message came without what was before"

    # --- what is seen ---

    def _shot(self) -> Screen | None:
        pane = self._panes.state(self._stage.where)
        if pane.found != "pane":
            raise ProofFailed(f"its pane is gone ({pane.found})")
        state, screen = self._panes.shot(self._stage.where, pane)
        if state.dead:
            # What it said last was pushed off the screen by tmux' own word for it.
            back = PaneViewer(self._stage.environ).snapshot(self._stage.where, pane, back=50)
            raise ProofFailed(f"its program has ended: {_last_lines(back.rows)}")
        return screen

    def _ready(self) -> Reading | None:
        screen = self._shot()
        if screen is None:
            return None
        if isinstance(self._program, Plain):
            matches = self._identity().matches and any(screen.lines)
            return Reading(why="its process is there, and its screen cannot be read") if matches else None
        reading = self._program.read(screen)
        return reading if reading.composer == "empty" and not reading.asks else None

    def _read_screen(self, screen: Screen) -> Reading | None:
        return read_screen(self._program, screen)

    def _reports(self, seen: SessionEvidence, now: float) -> tuple[AttributedHeartbeat, AttributedHeartbeat]:
        """Its heartbeat and its turn record, judged."""
        heartbeats, turns = heartbeat_files.scan_both(self._stage.facts.run_dir, now)
        name = self._agent.name
        key, said = ResourceKey(Kind.HEARTBEAT, name), as_evidence(heartbeats.get(name), turns.get(name))
        present = {} if said is None else {key: Present(key=key, agent=name, ours=True, fields={}, evidence=said)}
        observation = Observation(present=present, unknown={}, taken_at=now, digest="")
        return judge_heartbeat(observation, name, seen, Heartbeats()), judge_turn(observation, name, seen)

    def _idle(self) -> Reading | None:
        reading = self._ready()
        return None if reading is None or reading.turn == "busy" else reading

    def _why_not_ready(self) -> str:
        screen = self._shot()
        if screen is None:
            return "its pane cannot be seen"
        reading = self._program.read(screen)
        asks = f"it asks ({reading.asks}): " if reading.asks else "it does not take input: "
        return asks + _last_lines(screen.lines)

    def _identity(self) -> Identity:
        pane = self._panes.state(self._stage.where)
        return ProcessTree(procfs.Scanned(self._stage.facts.uid)).identify(pane, self._agent.process_names)

    def _names(self) -> str:
        return " or ".join(self._agent.process_names)

    def _record(self, ending: str, status: str) -> HeartbeatFile:
        """A record that one of its processes has written since the launch, and that says this."""
        pids = self._identity().pids
        path = Path(self._stage.facts.run_dir, f"{self._agent.name}.{ending}")
        seen: list[str] = []

        def look() -> HeartbeatFile | None:
            try:
                line = read_regular(path, limit=heartbeat_files.MAX_BYTES, follow=False)
            except OSError:
                return None
            record = heartbeat_files.parse(line, time.time())
            seen[:] = [record.error or f"pid={record.pid} status={record.status}"]
            if record.error or record.pid not in pids or record.ts < int(self._began):
                return None
            return record if record.status == status else None

        return self._wait(
            look, HEARTBEAT_S, lambda: f"no word with status={status} in {path.name}: {seen or 'no file'}"
        )

    def _has(self, text: str) -> bool:
        return any(among(text, turn.new) for turn in self._api.turns())

    def _answers(self, text: str) -> bool:
        screen = self._shot()
        shown = "" if screen is None else "\n".join(screen.lines)
        return all(f"> {line}" in shown for line in text.splitlines())

    def _arrived(self, text: str) -> str:
        if not self._speaks:
            return ""
        return "; the API did receive it" if self._has(text) else "; the API received nothing"

    def _wait(self, look: Callable[[], T | None], seconds: float, why: Callable[[], str]) -> T:
        """The first thing that is seen within so many seconds."""
        deadline = time.monotonic() + seconds
        while True:
            if found := look():
                return found
            if time.monotonic() >= deadline:
                raise ProofFailed(f"{why()} (waited {seconds:.0f} s)")
            time.sleep(POLL_S)

    # --- what the product works with ---

    def _delivery_io(self) -> DeliveryIO:
        return DeliveryIO(facts=self._stage.facts, store=self._store, panes=self._panes)

    def _here(self) -> FleetContext:
        from reconciler.context.fleet import FleetContext
        from reconciler.context.settings import Settings

        return FleetContext(facts=self._stage.facts, settings=Settings(), store=self._store, spec=None)


def among(text: str, texts: tuple[str, ...]) -> bool:
    """The whole of it, whatever a program puts around."""
    return any(text in one.replace("\r\n", "\n").replace("\r", "\n") for one in texts)


def _last_lines(rows: Sequence[str]) -> str:
    lines = [line for row in rows if (line := one_line(row))]
    return " / ".join(lines[-_SCREEN_LINES:]) or "an empty screen"
