"""The kinds of entries in the programs' tables of words. Pure.

Each table is read from its first entry to its last, and the first one that matches counts: so that a table without a
known version is safe, what tells of work stands before what tells of rest.
"""

from __future__ import annotations

import re
from typing import Literal

from providers.programs.base import Asks, Choice, Trouble, TurnWord
from providers.programs.screens.versions import Ranged
from specs.dataclass import dataclass

Means = Literal["", "allow", "deny"]
# How an answer is chosen: by its number, by going to it and Enter, or by the key in its label. "": no safe way is
# known.
Answering = Literal["", "digit", "arrows", "label"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSign(Ranged):
    """`place`: where the words are looked for, as the program's reader names its places."""

    place: str
    pattern: re.Pattern[str]
    turn: TurnWord
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleSign(Ranged):
    """Words of the last thing in a conversation: what keeps the program from working."""

    pattern: re.Pattern[str]
    trouble: Trouble
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogSign(Ranged):
    """Words on a row of a dialog. `described`: its choices have descriptions below them, which are no part of their
    labels. `means`: what a label means, by words; `text`: the label of the choice that is a field for text. `offers`:
    the answers of a dialog without a list."""

    pattern: re.Pattern[str]
    asks: Asks
    why: str
    answering: Answering = ""
    described: bool = False
    means: tuple[tuple[re.Pattern[str], Means], ...] = ()
    text: re.Pattern[str] | None = None
    offers: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedSign(Ranged):
    """A question in the last line of a terminal, with the answers that it takes."""

    pattern: re.Pattern[str]
    asks: Asks
    why: str
    offers: tuple[Choice, ...]


TroubleReading = tuple[Trouble, str, str]  # a trouble, when it ends ("" if that is not said), and the evidence in words
NO_TROUBLE: TroubleReading = ("", "", "")


def meaning(label: str, means: tuple[tuple[re.Pattern[str], Means], ...]) -> Means:
    """The first that matches; "" if none does: never a guess."""
    return next((word for words, word in means if words.match(label)), "")
