"""The words of codex's screens, by version. Pure. Tried with 0.169.0 and 0.171.0."""

from __future__ import annotations

import re

from providers.programs.base import Choice
from providers.programs.screens.words import DialogSign, Means, TroubleSign, TurnSign

MARK = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
POINTS = re.compile(rf"(?: {{0,2}}{MARK}|>) \S")
FOLDED = re.compile(r"\[PastedContent\d+chars\]")
QUEUES = re.compile("\u2022 (?:Messages to be submitted |Queued follow-up inputs)")
ITEM = "  \N{DOWNWARDS ARROW WITH TIP RIGHTWARDS} "
# On its own below a composer: a start may show one before it shows the dialog that it ends at.
STARTS = "  ? for shortcuts"
CAN_LEAVE = re.compile(
    r"^  (?:\S.* )?esc (?:back|cancel|close|skip|to (?:cancel|go back))\b"
    r"|^  \S.* \| esc to interrupt$|^  Press enter to |^  enter \w+ \u00b7 esc "
    r"|^ enter resume .* esc exit|^   r retry   f fork "
)
ACTION = re.compile(r"\[ . \] Action Required")
FAILED = "■ "
INTERRUPTED = "■ Conversation interrupted"

# Places: `title`; `above`, the rows above its composer.
TURNS: tuple[TurnSign, ...] = (
    TurnSign(place="title", pattern=re.compile("[\u2800-\u28ff]"), turn="busy", why="its title shows a spinner"),
    TurnSign(
        place="above",
        pattern=re.compile(r"\([^()]*\besc to interrupt\)"),
        turn="busy",
        why="it says how to interrupt it",
    ),
)

# Of the last thing in its conversation, which begins with the mark of a failure.
TROUBLES: tuple[TroubleSign, ...] = (
    TroubleSign(
        pattern=re.compile(r"\b(?:usage limit|hit your limit|rate.?limit|429)\b|Too Many Requests", re.IGNORECASE),
        trouble="limit", why="it is at a limit",
    ),
    TroubleSign(
        pattern=re.compile(r"\b401\b|Unauthorized|not logged in|sign in again|refresh token", re.IGNORECASE),
        trouble="logged-out", why="it is not logged in",
    ),
    TroubleSign(
        pattern=re.compile(r"exceeded retry limit|stream disconnected before completion"),
        trouble="retries", why="it has given up after several tries",
    ),
    TroubleSign(pattern=re.compile(r"\S"), trouble="api-error", why="its last request failed"),
)  # fmt: skip
UNTIL = re.compile(r"\b(?:resets?|try again) (?:at |in |on )?(\S.*?)(?=\.(?:\s|$)|$)")

_ANSWERS: tuple[tuple[re.Pattern[str], Means], ...] = (
    (re.compile(r"Yes, proceed\b|Trust and continue$|Yes, continue$"), "allow"),
    (re.compile(r"No\b|Back to Agent Command Center$"), "deny"),
)

# A number answers at once where a permission is asked for; in the others it may only select.
DIALOGS: tuple[DialogSign, ...] = (
    DialogSign(
        pattern=re.compile(r"^  Would you like to "), asks="permission", why="it asks for a permission",
        answering="digit", means=_ANSWERS,
    ),
    DialogSign(
        pattern=re.compile(r"^  Question \d+/\d+"), asks="question", why="it asks a question",
        answering="arrows", described=True,
    ),
    DialogSign(pattern=re.compile(r"^  Hooks need review"), asks="trust", why="it asks whether to trust hooks",
               answering="arrows"),
    DialogSign(
        pattern=re.compile(r"^  (?:Trust this folder\?|Do you trust the contents of this directory)"),
        asks="trust", why="it asks whether to trust the folder", answering="arrows", means=_ANSWERS,
    ),
    DialogSign(
        pattern=re.compile(r"^  Working directory \u00b7 resume$"),
        asks="resume", why="it asks in which folder an earlier conversation goes on", answering="arrows",
    ),
    DialogSign(
        pattern=re.compile(r"This conversation is open in another app"),
        asks="resume", why="its conversation is open elsewhere",
        offers=(Choice(label="r retry", keys=("r",)), Choice(label="f fork", keys=("f",))),
    ),
    DialogSign(
        pattern=re.compile(r"^ Resume a previous session$"),
        asks="resume", why="it asks which earlier conversation is meant",
    ),
    DialogSign(pattern=re.compile(r"Sign in with ChatGPT"), asks="login", why="it asks for a login", described=True),
)  # fmt: skip
