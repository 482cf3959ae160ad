"""The words of pi's screens, by version. Pure. Tried with 0.73.1 and 1.6.0."""

from __future__ import annotations

import re

from providers.programs.base import Choice
from providers.programs.screens.words import AskedSign, DialogSign, Means, TroubleSign, TurnSign

_TURNS = "[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]"
# A rule from edge to edge: bare, with a scroll mark at its left (0.73.1) or in its middle (1.6.0), or with the spinner,
# whose words give way to a scroll mark (1.6.0).
RULE = re.compile(rf"(?:─── [↑↓] \d+ more )?─*|─+ [↑↓] \d+ more ─+|── {_TURNS}(?: \S.*?)? ─+(?: ↑ \d+ more ─+)?")
SCROLLED = re.compile(r"[↑↓] \d+ more ")
QUEUED = re.compile(r" (?:Steering|Follow-up): (.*)")
QUEUE_ENDS = re.compile(r" ↳ .* to edit all queued messages")
FOLDED = re.compile(r"\[paste #\d+ (?:\+\d+ lines|\d+ chars)\]")
POINTER = "→"
POINTS = re.compile(" ?[\u2192\u203a] \\S")  # arrows

# Places: `rule`, the upper rule of its editor; `row`, a row above that, with a coloured spinner on no background.
TURNS: tuple[TurnSign, ...] = (
    TurnSign(place="rule", pattern=re.compile(rf"── {_TURNS} ?(.*?) ─"), turn="busy", why="it says"),
    TurnSign(place="row", pattern=re.compile(rf" {_TURNS} (\S.*)"), turn="busy", why="it says"),
)

# Of the last thing in its conversation, which is in the colour of errors.
TROUBLES: tuple[TroubleSign, ...] = (
    TroubleSign(
        pattern=re.compile(r"Error: .*\b(?:429|usage limit|rate.?limit)", re.IGNORECASE),
        trouble="limit", why="its last request was refused: a limit",
    ),
    TroubleSign(pattern=re.compile(r"Error: Retry failed after \d+ attempts"), trouble="retries",
                why="it has given up after several tries"),
    TroubleSign(pattern=re.compile(r"Error: .*\b(?:401|403)\b|Error: No API key"), trouble="logged-out",
                why="it is not logged in"),
    TroubleSign(pattern=re.compile(r"Error: "), trouble="api-error", why="its last request failed"),
)  # fmt: skip
UNTIL = re.compile(r"\b(?:resets?|try again) (?:at |in )?(\d[^\"},]*?)(?=\.?(?:[\"},]|$))")

# Below an error, and no part of it.
HINT = re.compile("If this looks like a pi bug")

_YES_NO: tuple[tuple[re.Pattern[str], Means], ...] = (
    (re.compile(r"(?:Yes|Trust)$"), "allow"),
    (re.compile(r"(?:No|Do not trust)$"), "deny"),
)
KEYS = re.compile(r"\benter (?:select|submit)\b")
FOREIGN = re.compile("\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}")  # of another program's composer

# By the first line of the menu. What has keys in its last line and is not among these is a question of an extension.
DIALOGS: tuple[DialogSign, ...] = (
    DialogSign(
        pattern=re.compile("Select authentication method|Select provider|Log ?in to |Enter API key"),
        asks="login", why="",
    ),
    DialogSign(
        pattern=re.compile(r"Trust project folder\?|Project trust"),
        asks="trust", why="it asks whether to trust the folder", answering="arrows", means=_YES_NO, since="1.0.0",
    ),
    DialogSign(
        pattern=re.compile("Session cwd does not exist"),
        asks="resume", why="it asks about an earlier conversation", answering="arrows",
    ),
    DialogSign(pattern=re.compile(r"Welcome to pi\b"), asks="first-run", why="it asks for its first settings"),
)  # fmt: skip

# Questions before there is an interface.
ASKED: tuple[AskedSign, ...] = (
    AskedSign(
        pattern=re.compile(r"^Fork this session into current directory\? \[y/N\]"),
        asks="resume", why="it asks about an earlier conversation",
        offers=(
            Choice(label="y", keys=("y", "Enter"), means="allow"),
            Choice(label="N", keys=("n", "Enter"), means="deny"),
        ),
    ),
)  # fmt: skip
