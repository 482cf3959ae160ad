"""System types: which classes an organisation has, who reports to whom, and which classes must always exist. Pure.

A type is a YAML file and no code. An operator's own `profiles/<id>.yaml` is laid over the shipped one of that name key
by key (a list is one value: it is replaced as a whole), or is a type by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, ValidationError

from specs import library
from specs.dataclass import dataclass, replace
from specs.fleet_files import LARGEST
from specs.personas.persona import contract_name, shipped_names
from specs.values.fields import Line, Name, Spec, Text
from specs.values.graph import cycles
from specs.values.problems import Problem, SourceFile, Span
from specs.values.suggest import Suggester

if TYPE_CHECKING:
    from specs.yaml_text.tree import Node

FOLDER = "types"  # of the shipped ones, below `specs.library`
FLOOR = ("orchestrator", "enhancer")  # what `floor: two-agent` of a fleet asks for
MOST_SEATS = 64  # of one class


class SeatSpec(Spec):
    """How many seats of a class there are, and the class that they report to; only the lead reports to nobody."""

    seat_class: Name = Field(alias="class")
    reports_to: Name | None = None
    multiplicity: int = Field(default=1, ge=1, le=MOST_SEATS)


class TypeSpec(Spec):
    """profiles/ID.yaml. `id` is the name of the file. What is not said is as in the shipped type of that name; a type
    that is not shipped says all but `notes`."""

    id: Name
    title: Line | None = None
    description: Text | None = None
    lead: Name | None = None
    floor: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    roster: Annotated[tuple[SeatSpec, ...], Field(min_length=1, max_length=200)] | None = None
    notes: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """`reports_to` is "" for the lead."""

    agent_class: str
    reports_to: str = ""
    multiplicity: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemType:
    """A whole type; classes by the names that they have in the library. `roster` is in the order of its file."""

    id: str
    title: str
    description: str
    lead: str
    floor: tuple[str, ...]
    roster: tuple[Seat, ...]
    notes: str = ""
    source: Literal["shipped", "changed", "own"] = "shipped"

    @property
    def mission(self) -> str:
        """The first sentence of the description."""
        first, dot, _ = self.description.replace("\n", " ").partition(". ")
        return first + "." if dot else first.strip()

    @property
    def fleet_floor(self) -> Literal["two-agent", "none"]:
        """The floor that a fleet of this type has."""
        return "two-agent" if set(FLOOR) <= set(self.floor) else "none"

    def seat(self, agent_class: str) -> Seat | None:
        return next((one for one in self.roster if one.agent_class == agent_class), None)

    def below(self, agent_class: str) -> tuple[Seat, ...]:
        """Who reports to that class."""
        return tuple(one for one in self.roster if one.reports_to == agent_class)

    def walk(self) -> Iterator[tuple[int, Seat]]:
        """Every seat with its depth, each before those who report to it."""
        pending = [(0, one) for one in self.roster if not one.reports_to]
        while pending:
            depth, seat = pending.pop()
            yield depth, seat
            pending.extend((depth + 1, one) for one in reversed(self.below(seat.agent_class)))


@cache
def shipped() -> Mapping[str, SystemType]:
    """Every shipped type, by id. Raises ValueError if one is not as it should be: the installation is damaged."""
    found: dict[str, SystemType] = {}
    for name in library.names(FOLDER, ".yaml"):
        problems: list[Problem] = []
        read = _read(name, library.text(name).encode(), problems, None, shipped_names())
        if read is None:
            raise ValueError(f"the shipped {name} is damaged: {problems[0].message}")
        found[read.id] = replace(read, source="shipped")
    return found


def read_type(name: str, raw: bytes, problems: list[Problem], *, own: Collection[str] = ()) -> SystemType | None:
    """A type from the bytes of an operator's file `name`, with what it does not say as shipped. What is wrong goes to
    `problems`, each with its place, and then there is None. `own`: the classes that the operator has contracts for."""
    if len(raw) > LARGEST:
        help_ = "a type is a page at most"
        problems.append(
            SourceFile(name).problem(Span(), f"the file has {len(raw):,} bytes; the limit is 64 KiB", help=help_)
        )
        return None
    stem = name.rsplit("/", 1)[-1].removesuffix(".yaml")
    return _read(name, raw, problems, shipped().get(stem), {*shipped_names(), *own})


def _read(
    name: str, raw: bytes, problems: list[Problem], base: SystemType | None, classes: Collection[str]
) -> SystemType | None:
    from specs.models.explain import Explainer
    from specs.yaml_text.read import read
    from specs.yaml_text.secret_scan import scan

    before = len(problems)
    source, tree = read(name, raw, problems)
    if tree is None:
        return None
    problems += scan(tree, source)
    near = Suggester()
    try:
        spec = TypeSpec.model_validate(tree.data())
    except ValidationError as error:
        problems += Explainer(source, near).explain(error, tree, TypeSpec)
        return None
    if any(problem.severity == "error" for problem in problems[before:]):  # such as a key that is written twice
        return None
    checking = _Checking(source, tree, classes, near)
    found = checking.merged(spec, base, name.rsplit("/", 1)[-1].removesuffix(".yaml"))
    problems += checking.problems
    return None if checking.problems else found


class _Checking:
    """One file's type, held against itself and against the library."""

    def __init__(self, source: SourceFile, tree: Node, classes: Collection[str], near: Suggester) -> None:
        self.source, self.tree, self.classes, self.near = source, tree, classes, near
        self.problems: list[Problem] = []

    def merged(self, spec: TypeSpec, base: SystemType | None, stem: str) -> SystemType | None:
        if spec.id != stem:
            self._note(("id",), f'id is "{spec.id}" in a file called {stem}.yaml')
        keys = ("title", "description", "lead", "floor", "roster")
        wanting = [key for key in keys if getattr(spec, key) is None] if base is None else []
        if wanting:
            known = ", ".join(one.rpartition("/")[2].removesuffix(".yaml") for one in library.names(FOLDER, ".yaml"))
            help_ = f"only what is laid over a shipped type may leave something out; shipped are: {known}"
            self._note((), f"a whole type also has: {', '.join(wanting)}", help=help_)
        if self.problems:
            return None
        seats = tuple(
            Seat(
                agent_class=contract_name(one.seat_class, self.classes),
                reports_to=contract_name(one.reports_to or "", self.classes),
                multiplicity=one.multiplicity,
            )
            for one in spec.roster or ()
        )
        floor = tuple(contract_name(one, self.classes) for one in spec.floor or ())
        found = SystemType(
            id=spec.id,
            title=spec.title or (base.title if base else ""),
            description=(spec.description or (base.description if base else "")).strip(),
            lead=contract_name(spec.lead, self.classes) if spec.lead else base.lead if base else "",
            floor=floor or (base.floor if base else ()),
            roster=seats or (base.roster if base else ()),
            notes=(spec.notes or (base.notes if base else "")).strip(),
            source="changed" if base is not None else "own",
        )
        self._roster(found)
        self._head(found)
        return found

    def _roster(self, found: SystemType) -> None:
        seen: dict[str, int] = {}
        for index, seat in enumerate(found.roster):
            name = seat.agent_class
            if name not in self.classes:
                self._note(
                    ("roster", index, "class"),
                    f'class "{name}" is neither shipped nor in roles/',
                    suggestion=self.near.phrase(name, self.classes),
                    help=f"write its contract: roles/{name}.md",
                )
            if name in seen:
                first = f"the first is on line {self._span(('roster', seen[name], 'class')).line}"
                help_ = "several seats of a class are one entry with `multiplicity`"
                self._note(("roster", index, "class"), f'class "{name}" is there twice', suggestion=first, help=help_)
            seen.setdefault(name, index)
        for index, seat in enumerate(found.roster):
            name, above = seat.agent_class, seat.reports_to
            if name == found.lead and above:
                self._note(("roster", index, "reports_to"), f'"{name}" is the lead, and reports to nobody')
            elif name == found.lead and seat.multiplicity > 1:
                self._note(("roster", index, "multiplicity"), f'"{name}" is the lead, and there is one')
            elif name != found.lead and not above:
                help_ = f"the lead is {found.lead}; every other class says whom it reports to"
                self._note(("roster", index), f'class "{name}" reports to nobody', help=help_)
            elif above and above not in seen:
                what = f'"{name}" reports to "{above}", which is not in the roster'
                self._note(("roster", index, "reports_to"), what, suggestion=self.near.phrase(above, seen))
        for circle in cycles({one.agent_class: (one.reports_to,) for one in found.roster}):
            what = f"these report to each other in a circle: {' -> '.join((*circle, circle[0]))}"
            self._note(("roster", seen[circle[-1]], "reports_to"), what)

    def _head(self, found: SystemType) -> None:
        known = {one.agent_class for one in found.roster}
        if found.lead not in known:
            what = f'the lead "{found.lead}" is not in the roster'
            self._note(("lead",), what, suggestion=self.near.phrase(found.lead, known))
        for index, name in enumerate(found.floor):
            if name not in known:
                what = f'"{name}" of the floor is not in the roster'
                self._note(("floor", index), what, suggestion=self.near.phrase(name, known))
            elif name in found.floor[:index]:
                self._note(("floor", index), f'"{name}" is in the floor twice')
        lead = found.seat(FLOOR[0])
        if found.fleet_floor == "two-agent" and lead is not None and lead.multiplicity > 1:
            index = found.roster.index(lead)
            self._note(("roster", index, "multiplicity"), f"with this floor there is exactly one {FLOOR[0]}")

    def _note(
        self, where: tuple[str | int, ...], message: str, suggestion: str | None = None, help: str | None = None
    ) -> None:
        problem = self.source.problem(self._span(where), message, suggestion=suggestion, help=help)
        self.problems.append(problem)

    def _span(self, where: tuple[str | int, ...]) -> Span:
        """Where that is written; what the file leaves as shipped is wrong because of another key of it."""
        from specs.models.explain import locate

        if where and where[0] not in self.tree.items:
            where = next(((key,) for key in ("roster", "lead", "floor") if key in self.tree.items), ())
        return locate(self.tree, where)[0].span if where else Span()
