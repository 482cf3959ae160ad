"""Send a message to an agent of another host: the text goes there over standard input, and that host delivers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.delivery.send import EXIT
from reconciler.delivery.verdict import DELIVERIES, EVIDENCE, Delivery
from reconciler.errors import ExitCode, Unavailable
from reconciler.remote.ssh import Asking, Remote, Unreached, destination
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.base import Parsed
    from specs.compiled import Fleet, Peer

CALL_S = 30.0  # to connect and start there, besides the time of the delivery itself


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteDelivery:
    """The other host's exit code and document; `delivery` is None if the message was stored there."""

    code: int
    document: Mapping[str, Parsed]
    delivery: Delivery | None


def send_elsewhere(
    fleet: Fleet, peer: Peer, text: str, *, sender: str, options: Sequence[str], wait_s: float
) -> RemoteDelivery | Delivery:
    """Send it there; `options` are further arguments of `mosaic agent send`. Returns a Delivery if the host did not
    answer: it says whether the message may have arrived. Raises Remote for a failure there, Usage for a label that
    cannot be passed on."""
    words = ["agent", "send", peer.name, "--fleet", fleet.name, "--source-label", sender, *options, "-o", "json"]
    try:
        asking = Asking(destination(peer), words, timeout_s=CALL_S + wait_s, stdin=text.encode())
        answer = asking.answer()
    except Unreached as error:
        return Delivery(word="not-delivered", reason=error.message, way=error.help)
    except Unavailable as error:
        return Delivery(word="unconfirmed", reason=error.message, way=_look(peer))
    document = answer.document
    found = _delivery(document) if document is not None and document.get("kind") == "Delivery" else None
    if document is not None and found is not None:
        return RemoteDelivery(code=EXIT[found.word], document=document, delivery=found)
    if document is not None and document.get("result") == "stored" and isinstance(document.get("id"), str):
        return RemoteDelivery(code=ExitCode.OK, document=document, delivery=None)
    failed = Remote(asking.there, answer)
    if answer.nothing_done:
        raise failed
    return Delivery(
        word="unconfirmed", reason=f"no answer that is understood came from {failed.message}", way=_look(peer)
    )


def _look(peer: Peer) -> str:
    return f"look before it is sent again: mosaic agent tail {peer.name}"


def _delivery(document: Mapping[str, Parsed]) -> Delivery | None:
    word = document.get("result")
    if not isinstance(word, str) or word not in DELIVERIES:
        return None

    evidence = document.get("evidence")
    return Delivery(
        word=word,
        evidence=evidence if evidence in EVIDENCE else "",
        queued=document.get("queued") is True,
        reason=str(document.get("reason") or ""),
        way=str(document.get("help") or ""),
    )
