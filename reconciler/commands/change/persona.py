"""`mosaic fleet persona`: the contracts of the classes, and the operator's overrides."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from reconciler.commands.change.common import change_options
from reconciler.commands.options import files_argument, output_option, repository_option

if TYPE_CHECKING:
    from providers.base import Json
    from reconciler.cli.output import Format, Output
    from reconciler.commands.change.common import ChangeFlags
    from specs.loading.load import LoadResult
    from specs.types.repository_extras import RepositoryExtras

_class = click.argument("written", metavar="CLASS")


@click.command(name="list", epilog="\b\nExample:\n  mosaic fleet persona list --domain research\n")
@click.option("--domain", metavar="NAME", help="Only the classes of one domain.")
@files_argument
@output_option
@click.pass_obj
def list_(output: Output, *, domain: str | None, fleet: str | None, form: Format) -> int:
    """List every class that has a contract, where that comes from, and which agents have it.

    FROM says `shipped`, `overlaid` (roles/CLASS.md of the fleet's repository overrides the shipped one; `outdated` if
    that has changed since), `own` (a class of the repository's own) or `invalid` (its file cannot be read). Without a
    fleet, it lists the shipped ones.
    """
    from reconciler.changes.provision import not_there
    from reconciler.render.fleet_files.persona_text import class_document, list_text
    from specs.organisation.classes import known_classes, without_contract

    own, loaded, _ = _read(fleet, None)
    found, without = known_classes(own, loaded), without_contract(own, loaded)
    if domain is not None:
        domains = dict.fromkeys(one.persona.domain for one in found if one.persona is not None)
        if domain not in domains:
            raise not_there(domain, "domain", domains)
        found, without = tuple(one for one in found if one.persona and one.persona.domain == domain), {}
    for path, problems in own.problems.items():
        if path.startswith("roles/"):
            for problem in problems:
                output.progress(problem.render() + "\n")
    if form == "text":
        output.result(list_text(found, without, paint=output.paint))
        return 0
    document: dict[str, Json] = {
        **_head("Personas"),
        "classes": [class_document(one) for one in found],
        "without_contract": [{"class": name, "agents": list(agents)} for name, agents in without.items()],
    }
    output.document(document, form)
    return 0


@click.command(epilog="\b\nExample:\n  mosaic fleet persona show code --shipped\n")
@_class
@click.option("--shipped", is_flag=True, help="As it ships, without the fleet's own overrides.")
@repository_option
@output_option
@click.pass_obj
def show(output: Output, *, written: str, shipped: bool, fleet: str | None, form: Format) -> int:
    """Print the contract of CLASS as agents get it: the shipped one, overridden section by section by roles/CLASS.md of
    the fleet's repository. Older names of a class (implementer, worker, reviewer, ...) lead to it."""
    from reconciler.changes.persona_override import contract_of, find_class
    from reconciler.errors import NotFound
    from reconciler.helpers.redact import plain
    from reconciler.render.fleet_files.persona_text import class_document
    from specs.organisation.classes import known_classes
    from specs.personas.files import whole
    from specs.personas.persona import shipped_one

    own, loaded, _ = _read(fleet, None)
    name = find_class(written, own)
    persona = shipped_one(name) if shipped else contract_of(name, own)
    if persona is None:
        raise NotFound(f'no contract of class "{name}" ships', help="it is a class of the fleet's own")
    if form == "text":
        if written != name:
            output.progress(f"{written} is an older name of {name}")
        output.result(plain(whole(persona)).rstrip("\n"))
        return 0
    known = next(one for one in known_classes(own, loaded) if one.name == name)
    document: dict[str, Json] = {
        **_head("Persona"),
        **class_document(known),
        **({"source": "shipped"} if shipped else {}),
        "domain": persona.domain,
        "persistent": persona.persistent or False,
        "purpose": persona.purpose,
        "digest": persona.digest,
        "base": persona.base or None,
        "text": persona.text,
    }
    output.document(document, form)
    return 0


@click.command(epilog="\b\nExample:\n  mosaic fleet persona customise code --section Boundaries\n")
@_class
@click.option("--section", "sections", multiple=True, metavar="NAME", help="Begin with this section, as it ships.")
@change_options
def customise(output: Output, *, written: str, sections: tuple[str, ...], asked: ChangeFlags) -> int:
    """Begin to override the shipped contract of CLASS: commit roles/CLASS.md.

    It changes nothing yet: what it leaves out stays as shipped, and the sections that you ask for are copied as they
    ship. roles/.base/CLASS.md keeps what ships now, so that `mosaic fleet persona diff` can show later what has changed
    on which side. An existing file is not edited.
    """
    from reconciler.changes.persona_override import customise as verb
    from reconciler.changes.persona_override import paths
    from reconciler.commands.change.common import change

    return change(output, verb(written, sections), asked, also=paths(written))


@click.command(epilog="\b\nExample:\n  mosaic fleet persona accept code\n")
@_class
@change_options
def accept(output: Output, *, written: str, asked: ChangeFlags) -> int:
    """Confirm by a commit that you have seen what ships now for CLASS: the warning about roles/CLASS.md ends.

    `base` in that file and the copy in roles/.base become those of the shipped contract. The rest of the file stays as
    it is; copy by hand what you want to adopt.
    """
    from reconciler.changes.persona_override import accept as verb
    from reconciler.changes.persona_override import paths
    from reconciler.commands.change.common import change

    return change(output, verb(written), asked, also=paths(written))


@click.command(epilog="\b\nExample:\n  mosaic fleet persona diff code\n")
@_class
@repository_option
@output_option
@click.pass_obj
def diff(output: Output, *, written: str, fleet: str | None, form: Format) -> int:
    """Show what has changed in the shipped contract of CLASS since roles/CLASS.md was based on it, what that file says
    instead, and where the two conflict. Yours is in force either way; nothing is written."""
    from reconciler.changes.persona_override import base_of, contract_of, find_class
    from reconciler.errors import NotFound
    from reconciler.render.fleet_files.persona_text import diff_of, part_document
    from specs.personas.diff import compare
    from specs.personas.persona import outdated, shipped_one

    own, _, kept = _read(fleet, written)
    name = find_class(written, own)
    contract_of(name, own)
    mine, shipped = own.personas.get(name), shipped_one(name)
    if mine is None:
        way = f"mosaic fleet persona customise {name} begins a contract of your own"
        raise NotFound(f"there is no roles/{name}.md: the contract of {name} is as it ships", help=way)
    if shipped is None:
        raise NotFound(f'no contract of class "{name}" ships, so there is nothing to compare with')
    base = base_of(mine, shipped, kept)
    parts = compare(shipped, mine, base)
    if form == "text":
        output.result(diff_of(name, parts, mine, shipped, known=base is not None, paint=output.paint))
        if outdated(mine):
            output.progress(f"when you have seen it: mosaic fleet persona accept {name}")
        return 0
    document: dict[str, Json] = {
        **_head("PersonaDiff"),
        "class": name,
        "outdated": outdated(mine),
        "base": {"digest": mine.base or None, "known": base is not None},
        "shipped": {"digest": shipped.digest},
        "conflicts": [one.name for one in parts if one.state == "conflict"],
        "parts": [part_document(one) for one in parts],
    }
    output.document(document, form)
    return 0


def _read(fleet: str | None, written: str | None) -> tuple[RepositoryExtras, LoadResult, bytes | None]:
    """What the fleet's repository has, as it stands in its folder, nothing without a fleet; and what is kept there of
    the shipped contract of a class. Raises MosaicError."""
    from reconciler.changes.persona_override import paths
    from reconciler.changes.working_copy import fleet_folder, read_file, read_folder
    from specs.loading.load import load
    from specs.types.repository_extras import read_own

    with fleet_folder(fleet, os.environ) as folder:
        files = read_folder(folder) if folder is not None else {}
        also = paths(written) if written is not None else ()
        kept = read_file(folder / also[1]) if folder is not None and also else None
    return read_own(files), load(files), kept


def _head(kind: str) -> dict[str, Json]:
    return {"apiVersion": "mosaic.fleet/v1", "kind": kind}
