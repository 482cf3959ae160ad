"""The words of opencode's screens, by version. Pure. Tried with 1.18.33."""

from __future__ import annotations

import re

from providers.programs.screens.words import DialogSign, Means, TroubleSign, TurnSign

FLOOR = re.compile(r"^( *)╹(▀{8,})")
WALL = "┃"
INVITES = re.compile(r"Ask anything…|Run a command…")
FOLDED = re.compile(r"\[Pasted ~\d+ lines\]|\[(?:Image|PDF|SVG)[^\]\n]*\]")
BADGE = "QUEUED"
ANSWERED = re.compile(r"\s*▣ +\S.* · ")  # below an answer: the agent, and its model in the colour of what matters less

# Places: `foot`, the rows below its prompt.
TURNS: tuple[TurnSign, ...] = (
    TurnSign(
        place="foot",
        pattern=re.compile(r"\besc (?:again to )?interrupt\b|\[retrying [^\]]*\]"),
        turn="busy",
        why="it says",
    ),
    TurnSign(
        place="foot",
        pattern=re.compile(r"\bctrl\+p commands\b|\besc exit shell mode\b"),
        turn="idle",
        why="nothing to interrupt",
    ),
)

# What its conversation ends with, in the box of a failure.
TROUBLES: tuple[TroubleSign, ...] = (
    TroubleSign(
        pattern=re.compile(r"\b(?:429|rate.?limit|usage limit|quota)\b|Too Many Requests", re.IGNORECASE),
        trouble="limit", why="its last request was refused: a limit",
    ),
    TroubleSign(
        pattern=re.compile(r"\b(?:401|unauthorized|API key)\b|not logged in", re.IGNORECASE),
        trouble="logged-out", why="its last request was refused: its login",
    ),
    TroubleSign(pattern=re.compile(r"\S"), trouble="api-error", why="its last request failed"),
)  # fmt: skip
UNTIL = re.compile(r"\b(?:resets?|try again) (?:at |in )?(\d[^.,)]*)")

_MEANS: tuple[tuple[re.Pattern[str], Means], ...] = (
    (re.compile(r"(?:Allow once|Confirm)$"), "allow"),
    (re.compile(r"(?:Reject|Cancel)$"), "deny"),
)
BUTTONS = re.compile(r"\b(?:Allow once|Allow always|Reject|Confirm|Cancel)\b")

# In place of its prompt, by a line within the box.
DIALOGS: tuple[DialogSign, ...] = (
    DialogSign(pattern=re.compile("^△ "), asks="permission", why="it asks", means=_MEANS),
    DialogSign(
        pattern=re.compile(r"\besc dismiss\b|\benter (?:submit|toggle|confirm)\b"),
        asks="question", why="it asks", answering="arrows", described=True,
    ),
)  # fmt: skip

# Over its screen, by the title.
TITLE = re.compile(r"([^ ┃](?:[^ ]| (?! ))*) {2,}esc(?:/enter)?(?: {3}.*)?$")
COVERS: tuple[DialogSign, ...] = (
    DialogSign(
        pattern=re.compile(r"Connect a provider|API key|Log ?in\b|Authori[sz]e|Select auth method", re.IGNORECASE),
        asks="login", why="a dialog is open",
    ),
    DialogSign(pattern=re.compile(r"Select model"), asks="menu", why="a dialog is open"),
    DialogSign(pattern=re.compile(r"\S"), asks="menu", why="a dialog is open"),
)  # fmt: skip
