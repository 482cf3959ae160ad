"""Moving: an agent whose host has changed starts on the new host after the old one has ended it. Pure.

`old_host.py` asks the old host, and only when a first start is due here that the branch's history (`moves.py`) calls a
move.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from specs.compiled import Agent, Fleet, MoveWord, Moving, OnMove
from specs.dataclass import dataclass
from specs.values.names import same_host

if TYPE_CHECKING:
    from reconciler.listing.document import Listing
    from reconciler.listing.row import Row
    from reconciler.model import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Arriving:
    """What is known about a move to this host, and the fleet's policy for a move that no host answers for."""

    move: Moving
    policy: OnMove


@dataclass(frozen=True, slots=True, kw_only=True)
class OldHost:
    """The answer of the host `asked`: its own `name`, its row of the agent, and why it rejects the newest commit, "" if
    it does not. `here`: this host."""

    name: str
    asked: str
    here: str
    row: Row | None
    rejected: str = ""

    @property
    def there(self) -> bool:
        """Whether any part of the agent lives there, or may."""
        if self.row is None:
            return False
        return self.row.session not in ("missing", "dead") or self.row.unit not in ("inactive", "failed", "")

    @property
    def to_run(self) -> bool:
        return self.row is not None and self.row.desired == "running"


def first_starts(fleet: Fleet, inventory: Inventory) -> tuple[Agent, ...]:
    """The agents that a roster of several hosts places here and that this host has never started, as far as it
    knows."""

    def never(agent: Agent) -> bool:
        owned = inventory.agents.get(agent.name)
        return owned is None or not owned.launch_digest

    return tuple(one for one in fleet.agents if one.placed and one.state == "running" and not one.held and never(one))


def why_held(fleet: Fleet, name: str) -> str:
    """Why an agent does not start here yet; "" if nothing prevents it. Pure."""
    arriving = Arriving(move=fleet.moving.get(name, Moving(word="gone")), policy=fleet.policy.moving)
    move = arriving.move
    return first_match(ARRIVALS, arriving).then.format(host=move.host, said=move.said)


def moving_to(fleet: Fleet, name: str) -> str:
    """The other host that an agent is declared for; "" if none."""
    return next((peer.host for peer in fleet.peers if peer.name == name and peer.state != "absent"), "")


def unasked(fleet: Fleet, name: str) -> str:
    """The warning for an agent that starts here although it is unknown whether it still runs on its old host."""
    move = fleet.moving.get(name)
    if move is None or move.word != "silent" or move.released or why_held(fleet, name):
        return ""
    why = "the fleet's policy is not to wait" if fleet.policy.moving == "start" else "no way there is declared (`ssh`)"
    return (
        f"{name} comes from {move.host}, and whether it still runs there is not known ({move.said}); {why}: if it "
        f"does, it runs twice until {move.host} takes this commit"
    )


def answered(answer: Listing | str, name: str, host: str, here: str) -> tuple[MoveWord, str]:
    """What a host's answer about an agent means, with its message: the agent `runs` there or may do so again, it is
    `gone`, or the host is `silent`. Pure."""
    if isinstance(answer, str):
        return "silent", answer
    row = next((one for one in answer.rows if one.name == name and one.kind in ("agent", "removed", "orphan")), None)
    there = OldHost(name=answer.host, asked=host, here=here, row=row, rejected=answer.rejected)
    word, say = first_match(ANSWERS, there).then
    return word, say(there)


def _say(text: str) -> Callable[[OldHost], str]:
    return lambda _: text


def _another_host(there: OldHost) -> str:
    return f'the host that answers there is "{there.name}"'


def _not_taken(there: OldHost) -> str:
    taken = f"{there.asked} does not take the newest commit: {there.rejected}" if there.rejected else ""
    return taken or f"{there.asked} has not taken the commit yet"


def _runs_and_is_to(there: OldHost) -> str:
    return f"it still runs there, and {_not_taken(there)}"


def _is_to_run(there: OldHost) -> str:
    return f"it is not running there, but {_not_taken(there)}"


def _runs(there: OldHost) -> str:
    why = there.row.may_stop_why if there.row is not None else ""
    return "it still runs there" + (f" ({why})" if why else "")


# Why an agent that comes from another host does not start here yet; "" if it may.
ARRIVALS: tuple[DecisionRow[Arriving, str], ...] = (
    DecisionRow("let go", lambda one: one.move.released, "",
        "an operator has said so"),
    DecisionRow("gone there", lambda one: one.move.word == "gone", "",
        "it does not run twice"),
    DecisionRow("runs there", lambda one: one.move.word == "runs", "moving from {host}: {said}",
        "it would run twice"),
    DecisionRow("silent, and no way there", lambda one: one.move.word == "silent" and one.move.ssh is None, "",
        "nobody could ever ask, so nobody waits"),
    DecisionRow("silent, and nobody waits", lambda one: one.move.word == "silent" and one.policy == "start", "",
        "the fleet's policy is not to wait"),
    DecisionRow("silent", lambda one: one.move.word == "silent",
        "moving from {host}, and whether it still runs there is not known: {said}",
        "it may run twice"),
    DecisionRow("not asked", otherwise, "moving from {host}, which has not been asked yet",
        "it may run twice"),
)  # fmt: skip

# What the answer of the old host means.
ANSWERS: tuple[DecisionRow[OldHost, tuple[MoveWord, Callable[[OldHost], str]]], ...] = (
    DecisionRow("this host", lambda there: same_host(there.name, there.here), ("gone", _say("that is this very host")),
        "it has only another name"),
    DecisionRow("another host", lambda there: not same_host(there.name, there.asked), ("silent", _another_host),
        "what runs there says nothing about the host that was meant"),
    DecisionRow("not there", lambda there: there.row is None, ("gone", _say("it is not there")),
        "that host knows nothing of it"),
    DecisionRow("runs, and is to", lambda there: there.to_run and there.there, ("runs", _runs_and_is_to),
        "that host has not read that it is to go"),
    DecisionRow("is to run", lambda there: there.to_run, ("runs", _is_to_run),
        "that host would start it again"),
    DecisionRow("runs", lambda there: there.there, ("runs", _runs),
        "it is to go, and has not gone yet"),
    DecisionRow("comes back at a boot", lambda there: there.row is not None and there.row.enabled is not False,
        ("runs", _say("it has ended there, and would come back at a boot")),
        "it would run twice then"),
    DecisionRow("ended", otherwise, ("gone", _say("it has ended there")),
        "nothing of it runs, or will"),
)  # fmt: skip
