"""Deliver one text into the composer of one agent's program, submit it, and report the outcome.

    lock -> may it go in? -> paste -> seen in the composer -> submit key -> evidence

`refusal.py` and `next_step.py` decide; this module has the I/O and the clock. An agent gets one message at a time,
whoever sends it. The text is pasted once: what happens to it afterwards is reported, and never repaired by another
paste.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.processes import procfs
from providers.programs.base import Plain, read_screen
from providers.programs.identity import Identity, ProcessTree
from providers.screen import Screen
from providers.tmux.pane_input import PaneError, Panes, PaneState, Where
from reconciler.delivery.evidence import Receipts, Since, kept_trouble, reported_since, running_turn, state_now, waiting
from reconciler.delivery.next_step import pressed, step
from reconciler.delivery.refusal import refusal
from reconciler.delivery.shown import ShownText, ours
from reconciler.delivery.text import submittable
from reconciler.delivery.typed_text import Memory, Typed, clear_earlier, life_of, still_typed
from reconciler.delivery.verdict import ComposerState, Delivery, Progress, Task
from reconciler.errors import Locked
from reconciler.helpers.times import rfc3339
from reconciler.state.lock import run_lock
from reconciler.state.pause import read_pause
from reconciler.state.store import StateError, Store
from specs.compiled import Heartbeats
from specs.dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from providers.host import HostFacts
    from providers.programs.base import Program, Reading
    from specs.compiled import Agent

VERIFY_S = 6.0
LOCK_S = 30.0  # how long a message waits for the one before it
GRACE_S = 1.0  # an objection from the composer may come from the moment of a repaint
POLL_S = 0.05
_FOREVER_S = 15.0  # beyond all bounds that `step` keeps: then the delivery ends


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryIO:
    """What a delivery works with. `store`: the store of the agent's fleet; `heartbeats`: that fleet's rules."""

    facts: HostFacts
    store: Store
    panes: Panes
    heartbeats: Heartbeats = field(default_factory=Heartbeats)
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def delivery_io(facts: HostFacts, store: Store, heartbeats: Heartbeats | None = None) -> DeliveryIO:
    """The real I/O."""
    return DeliveryIO(facts=facts, store=store, panes=Panes(os.environ), heartbeats=heartbeats or Heartbeats())


def deliver(
    agent: Agent,
    text: str,
    by: DeliveryIO,
    *,
    verify: bool = True,
    timeout_s: float = VERIFY_S,
    lock_s: float = LOCK_S,
    grace_s: float = GRACE_S,
    as_is: bool = False,
    before_paste: Callable[[], None] = lambda: None,
    program: Program | None = None,
) -> Delivery:
    """Deliver a text that is `text.clean`. `as_is`: it is the program's own command, nothing may be added to it, and
    the menu that it opens is not a dialog. `before_paste` is called at the last moment before anything happens; what it
    raises passes through. Raises StateError and Unavailable if there is no place for the lock."""
    if program is None:
        from providers.programs.registry import program as known_program

        program = known_program(agent.runtime)
    lock = Store(by.store.state, by.store.runtime / "send" / agent.name)
    try:
        with run_lock(lock, now=by.wall(), wait_s=lock_s, command=f"a message to {agent.name}"):
            memory = Memory(lock, lock.runtime)
            return _Delivering(agent, text, by, program, verify, timeout_s, grace_s, as_is, memory).run(before_paste)
    except Locked as error:
        return Delivery(
            word="not-delivered",
            reason=f"another message is on its way to it: {error.message.partition(': ')[2]}",
            way="send it again when that one has ended",
        )


class _Delivering:
    def __init__(
        self,
        agent: Agent,
        text: str,
        by: DeliveryIO,
        program: Program,
        verify: bool,
        timeout_s: float,
        grace_s: float,
        as_is: bool,
        memory: Memory,
    ) -> None:
        self._memory = memory
        self._agent, self._text, self._by, self._program = agent, text, by, program
        self._as_is, self._grace_s = as_is, grace_s
        self._data = (text if as_is else submittable(text)).encode()
        self._where = Where(socket=agent.socket, session=agent.session, agent=agent.name, fleet=by.store.state.name)
        self._known = not isinstance(program, Plain)
        self._task = Task(
            agent=agent.name,
            known=self._known,
            receipts=program.receipts,
            verify=verify,
            timeout_s=timeout_s,
            size=len(self._data),
        )
        self._pids: tuple[int, ...] = ()
        self._before = ShownText()
        self._pasted: Counter[str] = Counter()  # placeholders that came with our paste
        self._submitted_at = 0.0  # Unix seconds
        self._was_busy = False  # by its record
        self._in_turn = False  # by its record or its screen
        self._typed = Typed(text=text, life="", as_is=as_is, at=0.0)  # as recorded
        self._stands = True  # until we know that it does not

    def run(self, before_paste: Callable[[], None]) -> Delivery:
        """Deliver, with the lock held."""
        pause = read_pause(self._by.facts)
        if pause is not None:
            return Delivery(
                word="not-delivered",
                reason=f"the fleet is paused: {pause.reason or 'no reason given'}",
                way="mosaic fleet resume",
            )
        try:
            cleared, refused = self._clear()
            if refused is not None:
                return refused
            pane, refused = self._look_first()
        except (PaneError, ObserveError) as error:
            return Delivery(word="not-delivered", reason=str(error), way="mosaic doctor")
        if refused is not None:
            return refused
        with waiting(self._by.facts, self._agent.name) as receipts:
            before_paste()
            receipts.running = self._running_turn()
            self._typed = Typed(text=self._text, life=life_of(pane), as_is=self._as_is, at=self._by.wall())
            self._memory.write(self._typed)
            found = self._put_in(pane, receipts)
        found = replace(found, pid=pane.pid, in_turn=self._in_turn)
        if not self._stands or found.word == "not-delivered":
            self._memory.forget()
        if cleared and not found.reason:
            return replace(found, reason="what was typed before and never submitted was cleared first")
        return found

    def _clear(self) -> tuple[bool, Delivery | None]:
        return clear_earlier(
            self._memory, self._by.panes, self._where,
            agent=self._agent.name, program=self._program, known=self._known,
            wall=self._by.wall, monotonic=self._by.monotonic, sleep=self._by.sleep,
        )  # fmt: skip

    def _look_first(self) -> tuple[PaneState, Delivery | None]:
        """Look at the pane and decide whether the message may go in."""
        deadline = self._by.monotonic() + self._grace_s
        while True:
            pane = self._by.panes.state(self._where)
            screen: Screen | None = None
            identity = Identity(matches=False, program="", launching=False, pids=(), started=0.0)
            if pane.found == "pane" and not pane.dead:
                identity = ProcessTree(procfs.Scanned(self._by.facts.uid)).identify(pane, self._agent.process_names)
                pane, screen = self._by.panes.shot(self._where, pane)
            wrong = "launch" if identity.launching else "" if identity.matches else identity.program or "nothing"
            reading = self._read(screen) if screen is not None else None
            # Whoever types a program's own command has already judged whether it may be typed.
            said, stuck, until = (
                ("", "", "") if self._as_is or not identity.pids else self._said(identity, pane, reading)
            )
            name, runtime = self._agent.name, self._agent.runtime
            refused = refusal(
                name, pane, program=runtime, wrong=wrong, reading=reading, said=said, stuck=stuck, until=until
            )
            if refused is None and screen is None:
                refused = refusal(self._agent.name, PaneState(found="no-pane"), program="", wrong="", reading=None)
            if refused is None and screen is not None:
                self._pids = identity.pids
                self._before = ShownText.of(screen, reading, self._text)
                self._was_busy = self._since(0.0).busy
                self._in_turn = self._was_busy or (reading is not None and reading.turn == "busy")
                self._task = replace(self._task, doubt=stuck)
                return pane, None
            passing = reading is not None and not reading.asks and not pane.in_mode and not wrong
            if not passing or self._by.monotonic() >= deadline:
                return pane, refused
            self._by.sleep(POLL_S)

    def _put_in(self, pane: PaneState, receipts: Receipts) -> Delivery:
        try:
            done = self._by.panes.paste(self._where, pane, self._data)
        except PaneError as error:
            if error.unsure:
                reason = f"it may have been put into the composer, and was not submitted: {error}"
                return Delivery(word="unconfirmed", reason=reason, way=self._look_yourself())
            return Delivery(word="not-delivered", reason=str(error), way="mosaic doctor")
        if not done:
            reason = "its pane changed at the last moment: copy mode, or its program has ended"
            return Delivery(word="not-delivered", reason=reason, way=f"mosaic agent status {self._agent.name}")
        progress = Progress(began=self._by.monotonic())
        size_s = self._task.size * 1e-4
        end = progress.began + _FOREVER_S + self._task.timeout_s + size_s
        while True:
            progress, do = step(self._task, progress, self._composer_state(pane, receipts))
            if isinstance(do, Delivery):
                last = progress.last
                self._stands = still_typed(do, presses=progress.presses, stands=last is not None and last.stands)
                return do
            if self._by.monotonic() >= end:
                reason = "its pane would not take the submit key"
                return Delivery(word="unconfirmed", reason=reason, way=self._look_yourself())
            if do == "press":
                progress = self._press(pane, progress)
            else:
                self._by.sleep(POLL_S)

    def _press(self, pane: PaneState, progress: Progress) -> Progress:
        at, wall = self._by.monotonic(), self._by.wall()
        with suppress(StateError):  # the text is typed already, so the delivery continues
            self._memory.write(replace(self._typed, submitted=wall))
        try:
            if not self._by.panes.key(self._where, pane, self._agent.submit_key):
                self._by.sleep(POLL_S)
                return progress
        except PaneError as error:
            if not error.unsure:
                self._by.sleep(POLL_S)
                return progress
        self._submitted_at = self._submitted_at or wall
        return pressed(progress, at)

    def _composer_state(self, pane: PaneState, receipts: Receipts) -> ComposerState:
        receipt = receipts.find(self._text)
        found = ComposerState(at=self._by.monotonic(), receipt=receipt.evidence, receipt_queued=receipt.queued)
        try:
            state, screen = self._by.panes.shot(self._where, pane)
        except PaneError:
            return replace(found, pane="blind")
        if screen is None:
            return replace(found, pane="gone")
        if state.dead:
            return replace(found, pane="dead")
        found = replace(found, pane="copy-mode" if state.in_mode else "ok")
        since = self._since(self._submitted_at) if self._submitted_at else Since()
        found = replace(found, answered=since.answered, trouble=since.trouble)
        reading = self._read(screen)
        if reading is None:
            return found
        if reading.turn == "busy":
            found = replace(found, trouble="")
        elif reading.trouble:
            found = replace(found, trouble=reading.trouble, until=reading.until)
        if not self._known:
            return replace(found, asks=reading.asks)
        now = ShownText.of(screen, reading, self._text)
        empty = reading.composer == "empty"
        fresh = now.folded - self._before.folded
        if reading.composer == "draft":
            self._pasted |= fresh
        return replace(
            found,
            composer=reading.composer,
            ours=ours(reading, self._text, self._before.placeholders) if reading.composer == "draft" else "no",
            draft=reading.draft,
            asks=reading.asks,
            queued=now.queued > self._before.queued,
            shown=empty and (now.shows_more(self._before) or bool(fresh & self._pasted)),
            busy=not self._was_busy and since.busy,
        )

    def _said(self, identity: Identity, pane: PaneState, reading: Reading | None) -> tuple[str, str, str]:
        """What it waits for, what keeps it from working, and until when, if that is known and not over."""
        now = self._by.wall()
        state, waits = state_now(
            self._by.facts, self._agent, identity, self._by.heartbeats,
            reading=reading, life=life_of(pane), kept=kept_trouble(self._by.store, self._agent.name, now), now=now,
        )  # fmt: skip
        until = state.until or (rfc3339(state.until_at) if state.until_at else "")
        return waits, state.stuck, until if state.until_at > now else ""

    def _running_turn(self) -> str:
        return running_turn(self._by.facts, self._agent.name, self._pids, now=self._by.wall())

    def _since(self, since: float) -> Since:
        return reported_since(self._by.facts, self._agent.name, self._pids, since=since, now=self._by.wall())

    def _read(self, screen: Screen) -> Reading | None:
        reading = read_screen(self._program, screen)
        menu = reading is not None and self._as_is and reading.asks == "menu"
        return replace(reading, asks="") if reading is not None and menu else reading

    def _look_yourself(self) -> str:
        return f"look before it is sent again: mosaic agent tail {self._agent.name}"
