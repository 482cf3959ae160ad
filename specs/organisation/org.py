"""Who reports to whom: a system type with the agents of a roster in its seats. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from specs.dataclass import dataclass
from specs.organisation.provision import filled
from specs.types.system_type import SystemType
from specs.values.names import name_fault

if TYPE_CHECKING:
    from specs.types.repository_extras import RepositoryExtras


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An agent as the roster declares it. `state`: running, stopped or absent (the seat is left empty on purpose)."""

    name: str
    runtime: str
    agent_class: str  # as the roster writes it
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A class with everybody in its seats. `open` seats are filled by nobody; `below` reports to it."""

    agent_class: str
    purpose: str
    seats: int
    members: tuple[Member, ...]
    open: int
    below: tuple[Post, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Org:
    """`fleet` is "" for a type by itself, whose seats are all open. `beside` are agents whose class has no seat."""

    fleet: str
    type_id: str
    title: str
    head: Post
    beside: tuple[Member, ...]

    @property
    def posts(self) -> tuple[tuple[int, Post], ...]:
        """Every post with its depth, each before those below it."""
        found: list[tuple[int, Post]] = []
        pending = [(0, self.head)]
        while pending:
            depth, post = pending.pop()
            found.append((depth, post))
            pending.extend((depth + 1, one) for one in reversed(post.below))
        return tuple(found)

    @property
    def open(self) -> int:
        return sum(post.open for _, post in self.posts)

    @property
    def members(self) -> int:
        """Agents in seats, without those that are declared absent."""
        return sum(one.state != "absent" for _, post in self.posts for one in post.members)


def organise(
    wanted_type: SystemType, own: RepositoryExtras, roster: Mapping[str, Mapping[str, object]], *, fleet: str = ""
) -> Org:
    """The type with the entries of a roster (as `specs.editing.edit.entries` gives them) in its seats."""
    people = {name: _member(name, entry) for name, entry in roster.items() if name_fault(name) is None}
    by_class = filled({name: roster[name] for name in people}, own)

    def post(agent_class: str) -> Post:
        seat = wanted_type.seat(agent_class)
        seats = seat.multiplicity if seat else 0
        members = tuple(people[name] for name in by_class.get(agent_class, ()))
        contract = own.resolve(agent_class)
        return Post(
            agent_class=agent_class,
            purpose=" ".join(contract.purpose.split()) if contract else "",
            seats=seats,
            members=members,
            open=max(0, seats - len(members)),
            below=tuple(post(one.agent_class) for one in wanted_type.below(agent_class)),
        )

    seated = {name for one in wanted_type.roster for name in by_class.get(one.agent_class, ())}
    return Org(
        fleet=fleet,
        type_id=wanted_type.id,
        title=" ".join(wanted_type.title.split()),
        head=post(wanted_type.lead),
        beside=tuple(one for name, one in people.items() if name not in seated and one.state != "absent"),
    )


def _member(name: str, entry: Mapping[str, object]) -> Member:
    return Member(
        name=name,
        runtime=str(entry.get("runtime", "")),
        agent_class=str(entry.get("class", "worker")),
        state=str(entry.get("state", "running")),
    )
