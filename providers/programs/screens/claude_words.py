"""The words of claude's screens, by version. Pure.

Tried with 2.1.197 and 2.1.332. Text of a conversation never begins in the first column without a mark of claude's own,
and a dialog's words are looked for within the dialog only.
"""

from __future__ import annotations

import re

from providers.programs.screens.words import DialogSign, Means, TroubleSign, TurnSign

MARK = "\N{HEAVY RIGHT-POINTING ANGLE QUOTATION MARK ORNAMENT}"
RULE = re.compile(r"─{8,}(?: .{1,80} ─+)?$")
FOLDED = re.compile(r"\[Pastedtext#\d+(?:\+\d+lines?)?\]")
# Below the messages in its queue, since 2.1.332; before, they are indented.
QUEUED = re.compile(r"  ⎿ +Queued\b")
_TURNS = "[·✢✳✶✻✽*]"  # what turns while it works, and stands still before a note about a turn that is over

# Places: `title`; `row`, any row above its composer; `foot`, the rows below it.
TURNS: tuple[TurnSign, ...] = (
    TurnSign(place="title", pattern=re.compile("[\u2800-\u28ff]"), turn="busy", why="its title shows a spinner"),
    TurnSign(place="foot", pattern=re.compile("esc to interrupt"), turn="busy", why="it says how to interrupt it"),
    TurnSign(
        place="row",
        pattern=re.compile(rf"{_TURNS} \S.*(?:…(?: \(.*\))?$| · (?:will retry|retrying) in )"),
        turn="busy",
        why="a row says what it works on",
    ),
    TurnSign(place="row", pattern=QUEUED, turn="busy", why="a message is in its queue", since="2.1.332"),
    # A message without an answer, or a note other than those about what is over.
    TurnSign(place="last", pattern=re.compile(MARK), turn="unknown", why="nothing follows the last message"),
    TurnSign(
        place="last",
        pattern=re.compile(rf"{_TURNS} (?!\S+ for \d|Conversation compacted)"),
        turn="unknown",
        why="its last note is not known",
    ),
    TurnSign(place="title", pattern=re.compile("✳"), turn="idle", why="its title says that it is idle"),
)

# Of the last thing in its conversation, or of the rows below its composer.
TROUBLES: tuple[TroubleSign, ...] = (
    TroubleSign(
        pattern=re.compile(r"Not logged in\b|Please run /login\b|OAuth token (?:has )?(?:expired|been revoked)"),
        trouble="logged-out",
        why="it is not logged in",
    ),
    TroubleSign(
        pattern=re.compile(r"You['\u2019]ve (?:hit|reached) your \S.*?(?:limit|credits)\b|[Uu]sage limit reached\b"),
        trouble="limit",
        why="it is at its usage limit",
    ),
    TroubleSign(pattern=re.compile(r"Credit balance (?:is )?too low"), trouble="limit", why="its credit is used up"),
    TroubleSign(
        pattern=re.compile(r"API Error: (?:Request rejected \()?429\b"),
        trouble="limit",
        why="its last request was refused: too many",
    ),
    TroubleSign(
        pattern=re.compile(r"\bAPI Error\b|^Unable to connect to API"),
        trouble="api-error",
        why="its last request failed",
    ),
)
# What ends a trouble that was seen before: nothing else shows that a person has logged in again.
OVER: tuple[TroubleSign, ...] = (
    TroubleSign(pattern=re.compile(r"⎿ +Login successful\b"), trouble="logged-out", why="it has been logged in"),
)
# It never came to its composer.
NO_START: tuple[TroubleSign, ...] = (
    TroubleSign(
        pattern=re.compile(r"^ ?Unable to connect to Anthropic services"),
        trouble="api-error",
        why="it cannot reach its service",
    ),
)
UNTIL = re.compile(r"\bresets? (?:at |on )?(.+?)(?= · |$)")

_YES_NO: tuple[tuple[re.Pattern[str], Means], ...] = (
    (re.compile(r"Yes$|Yes, (?:and switch to default|I trust this folder|I accept|proceed)"), "allow"),
    (re.compile(r"No\b"), "deny"),
)
_PERMISSION = re.compile(r"^ ?(?:Do you want |Would you like to proceed\?)|^   Exit plan mode\?$")

# The upper edge of what a person has opened by a command.
OPENED = re.compile("▔{8,}$")

DIALOGS: tuple[DialogSign, ...] = (
    DialogSign(
        pattern=re.compile(rf"^ {{0,4}}(?:{MARK} )?\d\. \[[^\]]?\] "),  # its choices are only ticked
        asks="question", why="it asks a question", described=True,
    ),
    DialogSign(
        pattern=re.compile(r"^ *Resume session$"),
        asks="resume", why="it asks which earlier conversation is meant",
    ),
    DialogSign(
        pattern=re.compile(r"Try the new fullscreen renderer\?"),
        asks="first-run", why="it offers another way to draw its screen", answering="digit",
        means=((re.compile("Yes, try it$"), "allow"), (re.compile("Not now$"), "deny")),
    ),
    DialogSign(
        pattern=re.compile(r"Do you want to use this API key\?"),
        asks="login", why="it asks about an API key", answering="digit", means=_YES_NO,
    ),
    DialogSign(
        pattern=re.compile(r"Select login method|Paste code here if prompted"),
        asks="login", why="it asks for a login", answering="digit",
    ),
    DialogSign(
        pattern=re.compile(r"one you trust\?|Do you trust the files in this folder"),
        asks="trust", why="it asks whether to trust the folder", answering="digit", means=_YES_NO,
    ),
    DialogSign(
        pattern=re.compile(r"WARNING: Claude Code running in Bypass"),
        asks="bypass", why="it asks whether to work without permissions", answering="digit", means=_YES_NO,
    ),
    DialogSign(
        pattern=re.compile(r"Make auto mode your default permission mode\?"),
        asks="first-run", why="it asks for its default permission mode", answering="arrows", means=_YES_NO,
        since="2.1.332",
    ),
    DialogSign(
        pattern=_PERMISSION, asks="permission", why="it asks for a permission", answering="digit", means=_YES_NO,
    ),
    DialogSign(
        pattern=re.compile(r"^Enter to select · .*to navigate"),
        asks="question", why="it asks a question", answering="digit", described=True,
        text=re.compile(r"Type something\.?$"),
    ),
    DialogSign(
        pattern=re.compile(r"^  (?:Settings|Help)  "), asks="menu", why="a menu has the place of its composer",
        before="2.1.332",
    ),
)  # fmt: skip
