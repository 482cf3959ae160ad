"""Typed text: what was put into an agent's composer and, as far as we know, not submitted.

We record it before the first key, and remove the record once the submit key has worked. A record remains after a killed
sender, or a message that could not be submitted. The next sender clears that text first: a text put behind it would
join it in one message, and a command such as `/reset` would no longer be one. If it cannot be cleared, it is left to a
person, and nothing is put behind it.

A record counts for the process in the pane that it names. It is in the runtime folder, which ends no later than the
process.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from providers.processes import procfs
from reconciler.delivery.shown import ours
from reconciler.delivery.text import at_cursor, letters
from reconciler.delivery.verdict import PASTE_BYTE_S, PASTE_MAX_S, Delivery
from reconciler.helpers.atomic_files import parse_json, read_optional
from reconciler.state.store import write_failure
from specs.dataclass import asdict, dataclass, replace

if TYPE_CHECKING:
    from providers.programs.base import Program, Reading
    from providers.screen import Screen
    from providers.tmux.pane_input import Panes, PaneState, Where
    from reconciler.state.store import Store

CLEAR_KEY = "C-u"  # clears a line in terminals, line editors and all programs known here
# For when that changes nothing in a composer that can be read: after clearing a line, opencode's cursor is at the start
# of the line above, where End scrolls the conversation.
FURTHER_KEYS = ("C-e", "BSpace")
CLEAR_S = 40.0
CHANGE_S = 0.5  # for a key to show its effect
EMPTY = 3  # looks in a row without a trace of it: a single one may be the moment of a repaint
IN_VAIN = 20  # keys in a row that change nothing
_LOOK_S = 0.05
_FILE_MAX = 4 << 20

Stands = Literal["ours", "more", "no", "unclear"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """`life`: the process that it was typed into, at the Unix second `at`. `as_is`: it is the program's own command.
    `clearing`: a part of it may have been cleared already. `submitted`: the Unix second just before the last press of
    the submit key; 0 if it was never pressed."""

    text: str
    life: str
    as_is: bool
    at: float
    clearing: bool = False
    submitted: float = 0.0


class Memory:
    """The record for one agent. `folder`: the folder of its lock, which must be held. Methods raise StateError."""

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self._path = store, folder / "typed.json"

    def read(self) -> Typed | None:
        """None if nothing is recorded; an unreadable record counts as none."""
        try:
            raw = read_optional(self._path)
            if raw is None or len(raw) > _FILE_MAX:
                return None
            found = Typed(**parse_json(raw))
        except (OSError, ValueError, TypeError):
            return None
        known = isinstance(found.text, str) and isinstance(found.life, str)
        known = known and isinstance(found.at, float) and isinstance(found.submitted, float)
        return found if known else None

    def write(self, typed: Typed) -> None:
        self._store.write(self._path, json.dumps(asdict(typed)))

    def forget(self) -> None:
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            raise write_failure(self._path, error) from error


def life_of(pane: PaneState) -> str:
    """An id of the process in a pane, unique to its lifetime."""
    return f"{pane.pid}.{procfs.start_ticks(pane.pid)}"


def standing(typed: Typed, screen: Screen, reading: Reading | None) -> Stands:
    """Whether the text is in the composer. `reading` None: this program's screen cannot be read; then the text before
    the cursor, on its line, counts. Pure."""
    if reading is None:
        return at_cursor(screen.lines, screen.width, screen.cursor, typed.text)
    if reading.composer != "draft":
        return "no" if reading.composer == "empty" else "unclear"
    rest = letters(reading.draft)
    part = typed.clearing and bool(rest) and rest in letters(typed.text)
    return "ours" if part or ours(reading, typed.text) != "no" else "more"


def clear_earlier(
    memory: Memory,
    panes: Panes,
    where: Where,
    *,
    agent: str,
    program: Program,
    known: bool,
    wall: Callable[[], float],
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
) -> tuple[bool, Delivery | None]:
    """Clear what was typed before and not submitted. Returns whether something was cleared, and why nothing may be put
    in now (None if this is no obstacle). A pane in which nothing can be done stays as it is: the next sender checks it
    too, and gives the reason. Raises PaneError and StateError."""
    typed = memory.read()
    if typed is None:
        return False, None
    panes.drop_buffers(where)
    # Text typed just now may not be shown yet.
    longest = PASTE_MAX_S + len(typed.text) * PASTE_BYTE_S
    shown = monotonic() + min(longest, max(0.0, typed.at + longest - wall()))
    # Text submitted just now may still be there.
    taken = monotonic() + min(longest, max(0.0, typed.submitted + longest - wall()))
    presses, vain, empty, deadline = 0, 0, 0, max(shown, taken) + CLEAR_S
    last: object = None
    pressed = 0.0
    while True:
        pane = panes.state(where)
        if pane.found != "pane" or pane.dead or life_of(pane) != typed.life:
            if pane.found in ("pane", "no-session", "no-pane", "no-server"):
                memory.forget()
            return False, None
        pane, screen = panes.shot(where, pane)
        if screen is None or pane.in_mode:
            return False, None
        reading = _read(program, screen, typed) if known else None
        if reading is not None and reading.asks:
            return False, None
        stands = standing(typed, screen, reading)
        if stands == "no":
            empty += 1
            if monotonic() >= shown or (presses and empty >= EMPTY):
                memory.forget()
                return presses > 0, None
            sleep(_LOOK_S)
            continue
        empty = 0
        if stands == "ours" and not presses and not typed.clearing and monotonic() < taken:
            sleep(_LOOK_S)
            continue
        now = (screen.cursor, screen.lines if reading is None else reading.draft)
        if now == last and monotonic() < pressed + CHANGE_S:
            sleep(_LOOK_S)
            continue
        vain = vain + 1 if now == last else 0
        if monotonic() >= deadline or vain >= IN_VAIN or stands != "ours":
            return False, _in_the_way(agent, typed, reading, stands)
        if not typed.clearing:
            typed = replace(typed, clearing=True)
            memory.write(typed)
        keys = (CLEAR_KEY, *FURTHER_KEYS) if reading is not None else (CLEAR_KEY,)
        if panes.key(where, pane, keys[vain % len(keys)]):
            presses, last, pressed = presses + 1, now, monotonic()
        sleep(_LOOK_S)


def _read(program: Program, screen: Screen, typed: Typed) -> Reading:
    reading = program.read(screen)
    return replace(reading, asks="") if typed.as_is and reading.asks == "menu" else reading


def _in_the_way(agent: str, typed: Typed, reading: Reading | None, stands: Stands) -> Delivery | None:
    if reading is not None and stands != "ours":
        return None  # a person's draft by now, or no composer at all
    what = f"the command {typed.text}" if typed.as_is else "an earlier message"
    more = " with more behind it" if stands == "more" else ""
    return Delivery(
        word="not-delivered",
        reason=f"{what} was typed into its composer and never submitted, and is still there{more}",
        way=f"send or drop it: mosaic agent attach {agent}",
    )


def still_typed(found: Delivery, *, presses: int, stands: bool) -> bool:
    """Whether a message is, or may be, in the composer after its delivery has ended. Pure."""
    return found.word == "unconfirmed" and (presses == 0 or stands)
