"""The outcome of an answer to a dialog, for people and for programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.helpers.redact import hide_secrets, one_line
from reconciler.helpers.words import data, no_paint
from reconciler.status.document import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.base import Json, Parsed
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


def answer_text(agent: str, document: Mapping[str, Parsed], *, paint: Paint = no_paint) -> str:
    """The dialog that was meant, what became of the answer, and the dialog that is shown then; from the document, which
    may be another host's."""
    word = str(document.get("result"))
    dialog, then = document.get("dialog"), document.get("then")
    lines = _dialog(dialog) if isinstance(dialog, dict) else []
    pressed, now, reason = (one_line(str(document.get(key) or "")) for key in ("pressed", "now", "reason"))
    said = f"{paint(word, _TINTS.get(word, 'red'))}: agent {agent}"
    said += f", with {pressed}" if pressed else ""
    said += f": {reason}" if reason else ""
    said += f"; now {now}" if now else ""
    lines.append(said)
    return "\n".join([*lines, *(_dialog(then) if isinstance(then, dict) else [])]) + "\n"


def _dialog(dialog: Mapping[str, Parsed]) -> list[str]:
    lines = [f"case {data(dialog.get('case'))} ({data(dialog.get('kind'))})"]
    lines += [f"  {one_line(line, _LINE)}" for line in str(dialog.get("question") or "").split("\n") if line.strip()]
    choices = dialog.get("choices")
    for one in choices if isinstance(choices, list) else []:
        if isinstance(one, dict):
            means = f" (--{one_line(str(one['means']))})" if one.get("means") else ""
            lines.append(f"  {data(one.get('number'))}  {one_line(str(one.get('label')), _LINE)}{means}")
    return lines
