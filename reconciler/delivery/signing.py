"""Signing: name the sender of a message or command. An agent signs as itself; a person as the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.delivery.text import label as checked
from reconciler.errors import Refused
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.status.events import EventSource
    from specs.compiled import Fleet

_OURS = ("operator", "mosaic")  # names after the host's that belong to the person and the reconciler


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """`sender`: the form in a message's preamble; `source`: the form in the event log."""

    sender: str
    source: EventSource


def sign(fleet: Fleet, label: str | None, agent: str) -> Signature:
    """The signature of a message from `agent` ("" for a person), with the label that was asked for. Raises Refused if
    an agent would sign as somebody else, and Usage for an invalid label. Pure."""
    if not agent:
        return Signature(sender=checked(label or f"{fleet.host}:operator"), source="operator")
    own = f"{fleet.host}:{agent}"
    everyone = [one for _, one in fleet.everyone]
    names = {one.name: one.alias for one in everyone}
    mine = {agent.casefold(), (names.get(agent) or agent).casefold()}
    host, colon, said = checked(label or own).rpartition(":")
    if said.casefold() in mine and host in ("", fleet.host):
        return Signature(sender=own, source="agent")
    others = {one.casefold() for pair in names.items() for one in pair if one} | set(_OURS)
    if said.casefold() in others:
        raise Refused(
            f"this is called by agent {agent}, which cannot sign as {host}{colon}{said}",
            help=f"leave --source-label out: its messages are from {own}",
        )
    return Signature(sender=checked(f"{own}/{label}"), source="agent")


def who(person: str) -> str:
    """Who gives a command here: the agent whose pane it is given in, else the person."""
    from providers.processes.caller import calling_agent

    return calling_agent() or person
