"""Moving: an agent whose host has changed starts on the new host once the old one has ended it. Pure.

Whether it has is asked there (`old_host.py`), and only when a first start is due here that the history of the branch
(`moves.py`) calls a move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from specs.compiled import Agent, Fleet, MoveWord
from specs.values.names import same_host

if TYPE_CHECKING:
    from reconciler.listing.document import Listing
    from reconciler.model import Inventory


def first_starts(fleet: Fleet, inventory: Inventory) -> tuple[Agent, ...]:
    """The agents that a roster of several hosts places here and that were never started here, as far as is known."""

    def never(agent: Agent) -> bool:
        owned = inventory.agents.get(agent.name)
        return owned is None or not owned.launch_digest

    return tuple(one for one in fleet.agents if one.placed and one.state == "running" and not one.held and never(one))


def why_held(fleet: Fleet, name: str) -> str:
    """Why an agent does not start here yet; "" where nothing speaks against it. Pure."""
    move = fleet.moving.get(name)
    if move is None or move.released or move.word == "gone":
        return ""
    if move.word == "runs":
        return f"moving from {move.host}: {move.said}"
    if move.word == "silent":
        if move.ssh is None or fleet.policy.moving == "start":
            return ""
        return f"moving from {move.host}, and whether it still runs there is not known: {move.said}"
    return f"moving from {move.host}, which has not been asked yet"


def moving_to(fleet: Fleet, name: str) -> str:
    """The other host that an agent is declared for; "" for none."""
    return next((peer.host for peer in fleet.peers if peer.name == name and peer.state != "absent"), "")


def unasked(fleet: Fleet, name: str) -> str:
    """What is said of an agent that is started here although nobody knows whether it still runs where it was."""
    move = fleet.moving.get(name)
    if move is None or move.word != "silent" or move.released or why_held(fleet, name):
        return ""
    why = "the fleet's policy is not to wait" if fleet.policy.moving == "start" else "no way there is declared (`ssh`)"
    return (
        f"{name} comes from {move.host}, and whether it still runs there is not known ({move.said}); {why}: if it "
        f"does, it runs twice until {move.host} takes this commit"
    )


def answered(answer: Listing | str, name: str, host: str, here: str) -> tuple[MoveWord, str]:
    """What follows from a host's answer about an agent, and in which words: it `runs` there or may do so again, it is
    `gone`, or the host is `silent`. Pure."""
    if isinstance(answer, str):
        return "silent", answer
    if same_host(answer.host, here):
        return "gone", "that is this very host"
    if not same_host(answer.host, host):
        return "silent", f'the host that answers there is "{answer.host}"'
    row = next((one for one in answer.rows if one.name == name and one.kind in ("agent", "removed", "orphan")), None)
    if row is None:
        return "gone", "it is not there"
    there = row.session not in ("missing", "dead") or row.unit not in ("inactive", "failed", "")
    if row.desired == "running":
        taken = f"{host} does not take the newest commit: {answer.rejected}" if answer.rejected else ""
        taken = taken or f"{host} has not taken the commit yet"
        return "runs", f"it still runs there, and {taken}" if there else f"it is not running there, but {taken}"
    if there:
        return "runs", "it still runs there" + (f" ({row.may_stop_why})" if row.may_stop_why else "")
    if row.enabled is not False:
        return "runs", "it has ended there, and would come back at a boot"
    return "gone", "it has ended there"
