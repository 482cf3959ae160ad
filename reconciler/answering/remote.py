"""Answer a dialog on another host: it is read and answered there, by that host's own `mosaic`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.answering.verdict import ANSWERS, EXIT, AnswerWord, DialogAnswer, WantedAnswer
from reconciler.errors import ExitCode, Unavailable
from reconciler.remote.ssh import Asking, Remote, Unreached, destination
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.base import Parsed
    from specs.compiled import Fleet, Peer

CALL_S = 60.0  # to connect and start there, and for the answer itself
# A command that ends with one of these codes pressed nothing; any other may have, whatever it printed.
_NOTHING_DONE = {
    ExitCode.NOT_FOUND,
    ExitCode.REFUSED,
    ExitCode.USAGE,
    ExitCode.UNAVAILABLE,
    ExitCode.LOCKED,
    ExitCode.INVALID_CONFIG,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAnswered:
    """The other host's word and its document, which may be shown as it is."""

    word: AnswerWord
    code: int
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
    word = document.get("result") if document is not None and document.get("kind") == "DialogAnswer" else None
    if document is not None and isinstance(word, str) and word in ANSWERS:
        return RemoteAnswered(word=word, code=int(EXIT[word]), document=document)
    failed = Remote(asking.there, answer)
    if answer.status in _NOTHING_DONE:
        raise failed
    why = f"no answer that is understood came from {failed.message}"
    return DialogAnswer(word="unconfirmed", reason=why, way=_look(peer))


def _look(peer: Peer) -> str:
    return f"look before you answer again: mosaic agent tail {peer.name}"
