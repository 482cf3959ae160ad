"""What claude's screen shows. Pure, and built on captures of 2.1 at widths of 80 and 200.

Its composer begins with an angle mark, between two rules from edge to edge; a dialog takes the composer's place. Its
queued messages are indented right above the composer. Its suggestions in the composer are faint.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from providers.programs.base import Reading
from providers.programs.screen_rows import rows

if TYPE_CHECKING:
    from providers.programs.base import Asks, TurnWord
    from providers.programs.screen_rows import ScreenRow
    from providers.screen import Screen

_RULE = re.compile(r"─{8,}(?: .{1,80} ─+)?$")
_MARK = "\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}"
_PROMPT = re.compile(rf"{_MARK}(?:\s|$)")
_MODE = re.compile(r"!(?:\s|$)")  # a shell runs what is sent there
_FOLDED = re.compile(r"\[Pastedtext#\d+(?:\+\d+lines?)?\]")
_CAN_LEAVE = re.compile(r"\bEsc to (?:cancel|close|clear|exit|go back)\b")
_SPINNER = re.compile("[\u2800-\u28ff]")
_IDLE_MARK = "✳"
_INTERRUPT = "esc to interrupt"
_LOGGED_OUT = "Not logged in"

# Words of a dialog in the composer's place, the easiest to mistake first.
_DIALOGS: tuple[tuple[re.Pattern[str], Asks, str], ...] = (
    (re.compile(r"Do you want to use this API key\?"), "login", "it asks about an API key"),
    (re.compile(r"Select login method|Paste code here if prompted"), "login", "it asks for a login"),
    (
        re.compile(r"one you trust\?|Do you trust the files in this folder"),
        "trust",
        "it asks whether to trust the folder",
    ),
    (re.compile(r"WARNING: Claude Code running in Bypass"), "trust", "it asks whether to work without permissions"),
    (re.compile(r"^ ?(?:Do you want |Would you like to proceed\?)"), "permission", "it asks for a permission"),
    (re.compile(r"^Enter to select · .*to navigate"), "question", "it asks a question"),
)


class _Composer(NamedTuple):
    """The rows of a composer, from `first` to before `end`."""

    first: int
    end: int


def read(screen: Screen) -> Reading:
    """What a person would see; an unknown screen is an empty Reading."""
    seen = rows(screen)
    composer = _composer(seen)
    if composer is None:
        turn, why = _turn(screen.title, idle=False, below=())
        asks, dialog = _dialog(seen)
        # It shows no sign of its work while it asks about a step of it.
        turn = "busy" if asks in ("permission", "question") else turn
        return Reading(turn=turn, asks=asks, why=dialog or why)
    turn, why = _turn(screen.title, idle=True, below=seen[composer.end :])
    draft = _draft(seen[composer.first : composer.end])
    logged_out = any(_LOGGED_OUT in row.text for row in seen[composer.end :])
    return Reading(
        turn=turn,
        composer="draft" if draft else "empty",
        draft=draft,
        asks="login" if logged_out else "",
        queued=_queued(seen[: composer.first - 1]),
        placeholders=len(_FOLDED.findall(re.sub(r"\s", "", draft))),
        why="it is not logged in" if logged_out else why,
    )


def _composer(seen: list[ScreenRow]) -> _Composer | None:
    """The lowest composer. A draft may contain a rule, so the nearest rule above need not be its upper edge."""
    rules = [number for number, row in enumerate(seen) if _RULE.match(row.text)]
    for end in reversed(rules):
        for above in reversed([number for number in rules if number < end - 1]):
            first = seen[above + 1].text
            if _PROMPT.match(first) or _MODE.match(first):
                return _Composer(above + 1, end)
    return None


def _draft(inside: list[ScreenRow]) -> str:
    first, *rest = (row.bright.rstrip() for row in inside)
    if _MODE.match(inside[0].text):
        return "\n".join([first, *rest]).strip()
    lines = [first[1:].removeprefix(" "), *(line.removeprefix("  ") for line in rest)]
    return "\n".join(lines).strip()


def _queued(above: list[ScreenRow]) -> tuple[str, ...]:
    """The block of messages that ends right above the composer, in their order."""
    found: list[str] = []
    part: list[str] = []
    for row in reversed(above):
        line = row.text
        if line.startswith(f"  {_MARK} "):
            found.append("\n".join([line[4:], *reversed(part)]))
            part = []
        elif line.startswith("    ") or (not line and not found and not part):
            part += [line[4:]] if line else []
        else:
            break
    return tuple(reversed(found))


def _turn(title: str, *, idle: bool, below: list[ScreenRow] | tuple[()]) -> tuple[TurnWord, str]:
    """`idle`: whether it may be idle: its composer is visible, with the rows `below` under it."""
    if _SPINNER.match(title):
        return "busy", "its title shows a spinner"
    if any(_INTERRUPT in row.text for row in below):
        return "busy", "it says how to interrupt it"
    if idle and title.startswith(_IDLE_MARK):
        return "idle", "its title says that it is idle"
    return "unknown", ""


def _dialog(seen: list[ScreenRow]) -> tuple[Asks, str]:
    lines = [row.text for row in seen if row.text]
    if not any(_CAN_LEAVE.search(line) for line in lines[-4:]):
        return "", ""
    for words, asks, why in _DIALOGS:
        if any(words.search(line) for line in lines):
            return asks, why
    return "menu", "a menu has the place of its composer"
