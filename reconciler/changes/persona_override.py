"""The edits of `mosaic fleet persona customise` and `accept`: an operator's override of a shipped contract, and its
base. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.changes.proposal import Edited, EditVerb
from reconciler.errors import InvalidConfig, NotFound, Refused, Usage
from specs.dataclass import replace
from specs.loading.load import LoadResult
from specs.personas.files import base_path, overlay, rebased, role_path, shipped_file
from specs.personas.persona import ALIASES, class_name, shipped_names, shipped_one

if TYPE_CHECKING:
    from specs.personas.persona import Persona
    from specs.types.repository_extras import RepositoryExtras

ContractFiles = Mapping[str, bytes]


def paths(written: str) -> tuple[str, ...]:
    """Every file that these verbs may look at or write, where `written` is a class that ships."""
    name = class_name(written)
    return (role_path(name), base_path(name)) if name in shipped_names() else ()


def customise(written: str, sections: Sequence[str]) -> EditVerb:
    """Begin an own contract over the shipped one of a class: with these sections as they ship, so that it changes
    nothing yet. What ships now is kept beside it. Nothing that is there is edited."""

    def verb(files: ContractFiles, _loaded: LoadResult) -> Edited:
        from specs.types.repository_extras import read_own

        own = read_own(files)
        name = find_class(written, own)
        path, shipped = role_path(name), shipped_one(name)
        if path in files:
            raise Refused(f"{path} is there already, and stays as it is", help="edit it, and commit that")
        if shipped is None:
            raise NotFound(f'no contract of class "{name}" ships')
        headings = _headings(sections, shipped)
        # The hidden one first: what is taken back again leaves no empty folder behind.
        made = {
            base_path(name): shipped_file(name).encode(),
            path: overlay(shipped, headings).encode(),
        }
        notes = [*_alias(written, name), f"{path} changes nothing until you write into it"]
        return Edited(files=made, message=f"Begin an own contract of {name}", notes=tuple(notes))

    return verb


def accept(written: str) -> EditVerb:
    """Note that the operator has seen what ships now: it becomes the base of the own contract, whose text stays."""

    def verb(files: ContractFiles, _loaded: LoadResult) -> Edited:
        from specs.types.repository_extras import read_own

        own = read_own(files)
        name = find_class(written, own)
        path = role_path(name)
        _valid(own, path)
        over, shipped = own.personas.get(name), shipped_one(name)
        if over is None:
            way = f"mosaic fleet persona customise {name}"
            raise NotFound(f"there is no {path}: the contract of {name} is as it ships", help=way)
        if shipped is None:
            raise Refused(f"{path} is over no shipped contract: {name} is a class of your own")
        raw = files[path] if over.base == shipped.digest else _rebased(path, files[path], over, shipped)
        made = {base_path(name): shipped_file(name).encode(), path: raw}
        return Edited(files=made, message=f"Accept what ships for {name} as the base of its contract")

    return verb


def find_class(written: str, own: RepositoryExtras) -> str:
    """The class that has the contract, by any name that a roster may have for it. Raises NotFound with near misses."""
    from reconciler.changes.provision import not_there

    name = own.class_of(written)
    if name in shipped_names() or role_path(name) in own.problems or name in own.personas:
        return name
    known = dict.fromkeys([*shipped_names(), *own.personas, *ALIASES])
    raise not_there(written, "class", known, own="; a class of your own is a file in roles/ of the fleet's repository")


def _valid(own: RepositoryExtras, path: str) -> None:
    """Raises InvalidConfig with everything that is wrong with a file."""
    from specs.values.problems import render_all

    wrong = own.problems.get(path, ())
    if wrong:
        raise InvalidConfig(f"{path} is not valid\n\n{render_all(wrong)}\n", help="correct it first")


def contract_of(name: str, own: RepositoryExtras) -> Persona:
    """The contract that agents of a class get. Raises InvalidConfig if the operator's file is wrong, NotFound if there
    is none."""
    _valid(own, role_path(name))
    found = own.resolve(name)
    if found is None:
        raise NotFound(f'there is no contract of class "{name}"')
    return found


def base_of(own: Persona, shipped: Persona, raw: bytes | None) -> Persona | None:
    """The shipped contract that an operator's `own` was written over; `raw` is what was kept of it, if anything. None
    if nobody knows it any more."""
    from specs.personas.persona import read_persona
    from specs.values.problems import Problem

    problems: list[Problem] = []
    kept = read_persona(base_path(own.name), raw, problems, whole=True) if raw is not None else None
    if kept is not None and kept.digest == own.base:
        return kept
    return shipped if own.base == shipped.digest else None


def _alias(written: str, name: str) -> list[str]:
    return [f"{written} is an older name of {name}"] if written != name else []


def _headings(wanted: Sequence[str], shipped: Persona) -> list[str]:
    """The headings as the shipped contract has them. Raises Usage for one that it does not have."""
    known = {section.heading.casefold(): section.heading for section in shipped.sections}
    for one in wanted:
        if one.casefold() not in known:
            have = ", ".join(known.values())
            raise Usage(f'the contract of {shipped.name} has no section "{one}"', help=f"it has: {have}")
    return [known[one.casefold()] for one in wanted]


def _rebased(path: str, raw: bytes, own: Persona, shipped: Persona) -> bytes:
    from specs.personas.overrides import read_role
    from specs.values.problems import Problem

    way = f'write base: "{shipped.digest}" into the front matter of {path}, and commit that'
    problems: list[Problem] = []
    try:
        made = rebased(raw, own, shipped.digest)
    except ValueError as error:
        raise Refused(f"{path} cannot be edited: {error}", help=way) from error
    if read_role(path, made, problems) != replace(own, base=shipped.digest):
        raise Refused(f"{path} cannot be edited without a risk", help=way)
    return made
