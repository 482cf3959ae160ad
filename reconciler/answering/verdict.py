"""The outcome of an answer to a dialog, and the values that decide it. Pure.

`choose.py` says beforehand what is to be pressed, or why nothing may be; `afterwards.py` judges each look after that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

from providers.programs.base import Choice, Reading
from reconciler.attention.case import DIALOGS, AttentionKind, case_id
from reconciler.errors import ExitCode
from specs.dataclass import dataclass

AnswerWord = Literal["answered", "unconfirmed", "changed", "no-dialog", "not-answered"]
AnswerHow = Literal["allow", "deny", "choose", "text"]
ANSWERS: tuple[AnswerWord, ...] = get_args(AnswerWord)
HOWS: tuple[AnswerHow, ...] = get_args(AnswerHow)
EXIT: Mapping[AnswerWord, ExitCode] = {
    "answered": ExitCode.OK,
    "unconfirmed": ExitCode.UNHEALTHY,
    "changed": ExitCode.REFUSED,
    "no-dialog": ExitCode.NOT_FOUND,
    "not-answered": ExitCode.FAILED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedAnswer:
    """What is to be answered: the choice that allows or denies, choice `number` (the first is 1), or `text`."""

    how: AnswerHow
    number: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDialog:
    """A dialog on an agent's screen. `case` is the id by which `mosaic fleet attention` lists it."""

    case: str
    kind: AttentionKind
    question: str
    choices: tuple[Choice, ...]
    takes_text: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogAnswer:
    """What became of an answer.

    `answered`: the keys were pressed, and the dialog is gone; `now` says what the agent does, and `then` is the dialog
    that it shows instead, if it shows another one. `unconfirmed`: the keys may have been pressed, and the dialog is
    still shown, or went before the last of them, or nobody can see. `changed`: another dialog than the listed one is
    shown, and nothing was pressed. `no-dialog`: none is shown. `not-answered`: one is shown, and nothing was pressed.
    `pressed` is the label of the choice, or says that a text was typed. `reason` is a sentence without its full stop,
    `way` what to do.
    """

    word: AnswerWord
    dialog: ShownDialog | None = None
    pressed: str = ""
    now: str = ""
    then: ShownDialog | None = None
    reason: str = ""
    way: str = ""


def shown_dialog(agent: str, life: str, reading: Reading) -> ShownDialog | None:
    """The dialog that a screen shows; None if it shows none, or only a menu that a person has opened. `life`: the
    process in the pane, `pid.ticks`."""
    if reading.asks in ("", "menu"):
        return None
    named = {str(kind): kind for kind in DIALOGS}
    kind = named.get(reading.asks, AttentionKind.DIALOG)
    return ShownDialog(
        case=case_id(agent, life, kind, reading.question, reading.choices),
        kind=kind,
        question=reading.question,
        choices=reading.choices,
        takes_text=reading.takes_text,
    )
