"""A message to an agent of another host: the text goes there over standard input, and that host delivers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from reconciler.deliver_verdict import DELIVERIES, EVIDENCE, Delivery
from reconciler.errors import Unavailable
from reconciler.remote import Asking, Remote, Unreached, destination

if TYPE_CHECKING:
    from specs.compiled import Fleet, Peer

CALL_S = 30.0  # for the connection and the start over there, besides what the delivery itself may take


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The other host's exit code and document; `delivery` is None for a message that was stored there."""

    code: int
    document: Mapping[str, Any]
    delivery: Delivery | None


def send_elsewhere(
    fleet: Fleet, peer: Peer, text: str, *, sender: str, options: Sequence[str], wait_s: float
) -> Answered | Delivery:
    """Send there; `options` are further words of `mosaic agent send`. A Delivery where the host gave no answer: it says
    whether the message may have arrived. Raises Remote for what went wrong there, Usage for a label that cannot cross.
    """
    words = ["agent", "send", peer.name, "--fleet", fleet.name, "--source-label", sender, *options, "-o", "json"]
    try:
        asking = Asking(destination(peer), words, timeout_s=CALL_S + wait_s, stdin=text.encode())
        answer = asking.answer()
    except Unreached as error:
        return Delivery(word="not-delivered", reason=error.message, way=error.help)
    except Unavailable as error:
        way = f"look before it is sent again: mosaic agent tail {peer.name}"
        return Delivery(word="unconfirmed", reason=error.message, way=way)
    document = answer.document
    if document is None or document.get("kind") != "Delivery":
        raise Remote(asking.there, answer)
    return Answered(code=answer.status, document=document, delivery=_delivery(document))


def _delivery(document: Mapping[str, Any]) -> Delivery | None:
    word = document.get("result")
    if word not in DELIVERIES:
        return None
    evidence = document.get("evidence")
    return Delivery(
        word=word,
        evidence=evidence if evidence in EVIDENCE else "",
        queued=document.get("queued") is True,
        reason=str(document.get("reason") or ""),
        way=str(document.get("help") or ""),
    )
