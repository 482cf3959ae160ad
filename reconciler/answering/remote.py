"""Answer a dialog on another host: it is read and answered there, by that host's own `mosaic`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.programs.base import Choice
from reconciler.answering.verdict import ANSWERS, DialogAnswer, ShownDialog, WantedAnswer
from reconciler.attention.case import DIALOGS, AttentionKind
from reconciler.errors import Unavailable
from reconciler.remote.ssh import Asking, Remote, Unreached, destination
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.base import Parsed
    from specs.compiled import Fleet, Peer

CALL_S = 60.0  # to connect and start there, and for the answer itself


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAnswered:
    """What the other host answered, and its document, which may be given on as it is. The choices of its dialogs have
    no keys: those are that host's own."""

    answer: DialogAnswer
    document: Mapping[str, Parsed]


def answer_elsewhere(
    fleet: Fleet, peer: Peer, wanted: WantedAnswer, *, case: str, by: str
) -> RemoteAnswered | DialogAnswer:
    """Have it answered there. Returns a DialogAnswer if the host did not answer: it says whether a key may have been
    pressed. Raises Remote for a failure there, Usage for a word that cannot be passed on."""
    how = ["--choose", str(wanted.number)] if wanted.how == "choose" else [f"--{wanted.how}"]
    words = ["agent", "answer", peer.name, "--fleet", fleet.name, *how, *(["-"] if wanted.how == "text" else [])]
    words += [*(["--case", case] if case else []), "--source-label", by, "-o", "json"]
    try:
        asking = Asking(destination(peer), words, timeout_s=CALL_S, stdin=wanted.text.encode())
        answer = asking.answer()
    except Unreached as error:
        return DialogAnswer(word="not-answered", reason=error.message, way=error.help)
    except Unavailable as error:
        return DialogAnswer(word="unconfirmed", reason=error.message, way=_look(peer))
    document = answer.document
    found = _answer(document) if document is not None and document.get("kind") == "DialogAnswer" else None
    if document is not None and found is not None:
        return RemoteAnswered(answer=found, document=document)
    failed = Remote(asking.there, answer)
    if answer.nothing_done:
        raise failed
    why = f"no answer that is understood came from {failed.message}"
    return DialogAnswer(word="unconfirmed", reason=why, way=_look(peer))


def _answer(document: Mapping[str, Parsed]) -> DialogAnswer | None:
    word = document.get("result")
    if not isinstance(word, str) or word not in ANSWERS:
        return None
    return DialogAnswer(
        word=word,
        dialog=_dialog(document.get("dialog")),
        pressed=str(document.get("pressed") or ""),
        now=str(document.get("now") or ""),
        then=_dialog(document.get("then")),
        reason=str(document.get("reason") or ""),
        way=str(document.get("help") or ""),
    )


def _dialog(raw: Parsed) -> ShownDialog | None:
    if not isinstance(raw, dict):
        return None
    kinds = {str(kind): kind for kind in DIALOGS}
    choices = raw.get("choices")
    return ShownDialog(
        case=str(raw.get("case")),
        kind=kinds.get(str(raw.get("kind")), AttentionKind.DIALOG),
        question=str(raw.get("question") or ""),
        choices=tuple(_choice(one) for one in choices if isinstance(one, dict)) if isinstance(choices, list) else (),
        takes_text=raw.get("takes_text") is True,
    )


def _choice(raw: Mapping[str, Parsed]) -> Choice:
    means = raw.get("means")
    return Choice(
        label=str(raw.get("label")),
        means="allow" if means == "allow" else "deny" if means == "deny" else "",
        selected=raw.get("selected") is True,
    )


def _look(peer: Peer) -> str:
    return f"look before you answer again: mosaic agent tail {peer.name}"
