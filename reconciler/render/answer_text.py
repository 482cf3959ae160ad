"""The outcome of an answer to a dialog, for people and for programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.helpers.redact import hide_secrets, one_line
from reconciler.helpers.words import data, no_paint
from reconciler.status.document import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.base import Json
    from reconciler.answering.verdict import DialogAnswer, ShownDialog
    from reconciler.helpers.words import Paint, Tint
    from specs.compiled import Fleet

_TINTS: Mapping[str, Tint] = {"answered": "green", "unconfirmed": "yellow", "changed": "yellow"}
_LINE = 200  # characters of a question's line


def answer_document(fleet: Fleet, agent: str, found: DialogAnswer) -> dict[str, Json]:
    """The document of `mosaic agent answer`; the text of an answer is not in it."""
    return {
        "apiVersion": API_VERSION,
        "kind": "DialogAnswer",
        "fleet": fleet.name,
        "tenant_id": fleet.tenant_id,
        "host": fleet.host,
        "agent": agent,
        "result": found.word,
        "dialog": None if found.dialog is None else dialog_document(found.dialog),
        "pressed": found.pressed or None,
        "now": found.now or None,
        "then": None if found.then is None else dialog_document(found.then),
        "reason": found.reason or None,
        "help": found.way or None,
    }


def dialog_document(dialog: ShownDialog) -> dict[str, Json]:
    """A dialog, without anything that is recognisable as a secret. The first choice has the number 1."""
    return {
        "case": dialog.case,
        "kind": str(dialog.kind),
        "question": hide_secrets(dialog.question),
        "choices": [
            {
                "number": number,
                "label": hide_secrets(one.label),
                "means": one.means or None,
                "known": bool(one.keys),
                "selected": one.selected,
            }
            for number, one in enumerate(dialog.choices, 1)
        ],
        "takes_text": dialog.takes_text,
    }


def answer_text(agent: str, found: DialogAnswer, *, paint: Paint = no_paint) -> str:
    """The dialog that was meant, what became of the answer, and the dialog that is shown then. It may be another host's
    word."""
    said = f"{paint(found.word, _TINTS.get(found.word, 'red'))}: agent {agent}"
    said += f", with {data(found.pressed)}" if found.pressed else ""
    said += f": {data(found.reason)}" if found.reason else ""
    said += f"; now {data(found.now)}" if found.now else ""
    before = _dialog(found.dialog) if found.dialog is not None else []
    return "\n".join([*before, said, *(_dialog(found.then) if found.then is not None else [])]) + "\n"


def _dialog(dialog: ShownDialog) -> list[str]:
    lines = [f"case {data(dialog.case)} ({dialog.kind})"]
    question = hide_secrets(dialog.question).split("\n")
    lines += [f"  {one_line(line, _LINE)}" for line in question if line.strip()]
    for number, one in enumerate(dialog.choices, 1):
        means = f" (--{one.means})" if one.means else ""
        lines.append(f"  {number}  {one_line(hide_secrets(one.label), _LINE)}{means}")
    return lines
