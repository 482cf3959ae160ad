"""Every class that has a contract, shipped, the operator's own or both, and which agents have it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from specs.dataclass import dataclass
from specs.loading.load import LoadResult
from specs.personas.files import role_path
from specs.personas.persona import ALIASES, DOMAINS, Persona, contract_name, outdated, shipped_names, shipped_one
from specs.types.repository_extras import RepositoryExtras

ContractSource = Literal["shipped", "own", "overlaid", "invalid"]
SOURCES: tuple[ContractSource, ...] = (
    "shipped",  # as it ships
    "own",  # of a class that does not ship
    "overlaid",  # the operator's, laid over the shipped one
    "invalid",  # the operator's file cannot be read, and holds whoever has the class
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClass:
    """One class. `persona` is the contract that agents get, or would get if the operator's were not `invalid`; None for
    a class that is only in a file that cannot be read. `outdated`: the shipped one has changed under the operator's."""

    name: str
    source: ContractSource
    persona: Persona | None
    outdated: bool
    aliases: tuple[str, ...]
    agents: tuple[str, ...]  # sorted; without those that are `absent`


def known_classes(own: RepositoryExtras, loaded: LoadResult) -> tuple[KnownClass, ...]:
    """By domain, and then by name; domains of the operator's own come last. Raises ValueError if a shipped contract is
    damaged."""
    having = agents_by_class(own, loaded)
    names = shipped_names() | own.personas.keys() | _invalid(own)
    found = [_known(name, own, having.get(name, ())) for name in names]
    return tuple(sorted(found, key=lambda one: (*_place(one.persona), one.name)))


def without_contract(own: RepositoryExtras, loaded: LoadResult) -> Mapping[str, tuple[str, ...]]:
    """Classes that agents have and that no contract is for, with those agents."""
    names = shipped_names() | own.personas.keys() | _invalid(own)
    return {name: agents for name, agents in agents_by_class(own, loaded).items() if name not in names}


def agents_by_class(own: RepositoryExtras, loaded: LoadResult) -> Mapping[str, tuple[str, ...]]:
    """The agents of the whole fleet by the class whose contract they get, sorted."""
    mine = own.personas.keys() | _invalid(own)
    found: dict[str, list[str]] = {}
    for spec in (*(loaded.roster.agents if loaded.roster is not None else ()), *loaded.held_specs.values()):
        if spec.state != "absent":
            found.setdefault(contract_name(spec.agent_class, mine), []).append(spec.name)
    return {name: tuple(sorted(agents)) for name, agents in sorted(found.items())}


def aliases_of(name: str, own: RepositoryExtras) -> tuple[str, ...]:
    """The older names of a class; one that the operator has a contract for is a class of its own."""
    mine = own.personas.keys() | _invalid(own)
    return tuple(sorted(alias for alias, meant in ALIASES.items() if meant == name and alias not in mine))


def _known(name: str, own: RepositoryExtras, agents: tuple[str, ...]) -> KnownClass:
    over = own.personas.get(name)
    source: ContractSource = "shipped"
    if role_path(name) in own.problems:
        source = "invalid"
    elif over is not None:
        source = "overlaid" if name in shipped_names() else "own"
    return KnownClass(
        name=name,
        source=source,
        persona=own.resolve(name) if over is not None else shipped_one(name),
        outdated=over is not None and outdated(over),
        aliases=aliases_of(name, own),
        agents=agents,
    )


def _invalid(own: RepositoryExtras) -> set[str]:
    """The classes whose file cannot be read."""
    names = (path.partition("/")[2].removesuffix(".md") for path in own.problems)
    return {name for name in names if role_path(name) in own.problems}


def _place(persona: Persona | None) -> tuple[int, str]:
    domain = persona.domain if persona is not None else ""
    return (DOMAINS.index(domain) if domain in DOMAINS else len(DOMAINS), domain)
