"""The conversations of an agent of another host, asked over ssh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import NotFound, Refused, Unavailable
from reconciler.remote.all_hosts import way_to
from reconciler.remote.ssh import Asking, Remote

if TYPE_CHECKING:
    from specs.compiled import Fleet, Peer

TIMEOUT_S = 20.0


def chosen_there(fleet: Fleet, peer: Peer, wanted: str) -> str:
    """The id of the conversation of an agent of another host: `wanted` is an id, or the beginning of only one. Raises
    NotFound, Refused if a start cannot go back to it, Unavailable."""
    asking = Asking(
        way_to([peer]), ["agent", "sessions", peer.name, "--fleet", fleet.name, "-o", "json"], timeout_s=TIMEOUT_S
    )
    answer = asking.answer()
    document = answer.document
    if document is None or document.get("kind") != "AgentSessions":
        raise Remote(asking.there, answer)
    known = document.get("sessions")
    if not isinstance(known, list) or not all(
        isinstance(one, dict) and isinstance(one.get("id"), str) for one in known
    ):
        raise Unavailable(
            f"{peer.host} gave an answer that is not understood", help="is the same version installed there?"
        )
    ways = {str(one["id"]): str(one.get("why_not") or "") for one in known if isinstance(one, dict)}
    found = [name for name in ways if name == wanted] or [name for name in ways if wanted and name.startswith(wanted)]
    if len(found) != 1:
        what = "several conversations" if found else "no conversation"
        raise NotFound(
            f'{peer.name} has {what} called "{wanted}" on {peer.host}',
            help=f"mosaic agent sessions {peer.name} lists them",
        )
    if ways[found[0]]:
        raise Refused(f"{peer.name} cannot go back to {found[0]}: {ways[found[0]]}")
    return found[0]
