"""The outboxes of the fleet's other hosts, asked over ssh at the same time; a host that does not answer says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.errors import Unavailable
from reconciler.remote.all_hosts import ask_all
from reconciler.remote.ssh import Asking, Remote, RemoteAnswer
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.base import Json
    from specs.compiled import Fleet, Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """Messages as their hosts' documents have them, each with its `host`; and the hosts that gave no answer, with the
    reason."""

    messages: tuple[dict[str, Json], ...] = ()
    silent: Mapping[str, str] | None = None


def outboxes_of(fleet: Fleet, peers: Sequence[Peer], name: str | None = None) -> Elsewhere:
    """What waits on the hosts of these agents, for one of them or for all. Raises nothing: a host that is not reached
    is one that is silent."""
    words = ["agent", "outbox", *([name] if name else []), "--fleet", fleet.name, "-o", "json"]
    found, silent = ask_all(peers, words, _messages)
    return Elsewhere(messages=tuple(one for messages in found.values() for one in messages), silent=silent)


def _messages(host: str, asking: Asking, answer: RemoteAnswer) -> list[dict[str, Json]]:
    """Raises MosaicError for what is not a list of messages."""
    document = answer.document
    if document is None or document.get("kind") != "Outbox":
        raise Remote(asking.there, answer)
    messages = document.get("messages")
    texts = ("id", "agent", "sender", "state", "begins", "created_at")
    if not isinstance(messages, list) or not all(
        isinstance(one, dict) and all(isinstance(one.get(key), str) for key in texts) for one in messages
    ):
        raise Unavailable(f"{host} gave an answer that is not understood", help="is the same version installed there?")
    return [{**one, "host": host} for one in messages]
