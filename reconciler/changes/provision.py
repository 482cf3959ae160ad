"""The edits of `mosaic fleet provision`: every seat of the system type filled. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.changes.proposal import Edited, EditVerb, SpoilsFiles
from reconciler.errors import MosaicError, NotFound, Refused, Usage
from specs.dataclass import replace
from specs.fleet_files import FLEET, NORTH_STAR, ROSTER
from specs.loading.load import LoadResult

if TYPE_CHECKING:
    from specs.organisation.provision import Implied, Wanted
    from specs.types.repository_extras import RepositoryExtras
    from specs.types.system_type import SystemType


def verb(asked: str | None, wanted: Wanted) -> EditVerb:
    """Fill the seats of the type `asked`; None: of the one that fleet.yaml names. It may be run again: agents that are
    there keep every key of theirs, and nobody is taken away."""

    def fill(files: Mapping[str, bytes], loaded: LoadResult) -> Edited:
        from specs.editing.edit import entries
        from specs.organisation.provision import provision
        from specs.types.repository_extras import read_own

        own = read_own(files)
        found = choose(asked, loaded, own)
        if loaded.fleet.type not in (None, found.id):
            raise Refused(
                f"the fleet's type is {loaded.fleet.type}, not {found.id}",
                help=f"to change its type, write `type: {found.id}` in {FLEET} and commit that first",
            )
        chosen = replace(wanted, runtimes={own.class_of(one): name for one, name in wanted.runtimes.items()})
        _fitting(files, loaded, found, chosen)
        made = provision(files, found, own, chosen)
        changed = {name: data for name, data in made.files.items() if data != files.get(name)}
        roster = entries(files[ROSTER]) if ROSTER in files else {}
        return Edited(files=changed, message=_message(made, found), notes=_notes(made, found, own, chosen, roster))

    return fill


def choose(asked: str | None, loaded: LoadResult, own: RepositoryExtras) -> SystemType:
    """The type that is meant. Raises Usage if nobody says, NotFound for one that is not there, and SpoilsFiles, with
    the places, for one that cannot be read."""
    name = asked or loaded.fleet.type
    known = ", ".join(sorted(own.types))
    if name is None:
        raise Usage("no system type was named", help=f"--type NAME, or `type: NAME` in {FLEET}; known here: {known}")
    wrong = own.problems.get(f"profiles/{name}.yaml", ())
    if wrong:
        raise _damaged(wrong)
    if name not in own.types:
        raise not_there(name, "system type", own.types, own=f"; or write profiles/{name}.yaml, and commit it")
    found = own.types[name]
    for seat in found.roster:
        wrong = own.problems.get(f"roles/{seat.agent_class}.md", ())
        if wrong:
            raise _damaged(wrong)
    return found


def not_there(word: str, what: str, known: Mapping[str, object], *, own: str = "") -> NotFound:
    """The error for a type or a class that is not known, with near misses; `own` is what else may be done."""
    from difflib import get_close_matches

    near = get_close_matches(word, sorted(known), n=3, cutoff=0.5)
    way = f"did you mean {' or '.join(near)}?" if near else f"known here: {', '.join(sorted(known))}"
    return NotFound(f'there is no {what} "{word}"', help=way + own)


def _damaged(problems: tuple[object, ...]) -> MosaicError:
    from specs.values.problems import Problem

    refusal = SpoilsFiles("it was not used, and nothing was written")
    refusal.problems = tuple(one for one in problems if isinstance(one, Problem))
    return refusal


def _fitting(files: Mapping[str, bytes], loaded: LoadResult, found: SystemType, wanted: Wanted) -> None:
    """Raises for what was asked for and cannot be had."""
    classes = {one.agent_class: one for one in found.roster}
    for name in wanted.runtimes:
        if name not in classes:
            raise not_there(name, f"seat in {found.id} for the class", classes)
    if wanted.name is not None and FLEET in files and wanted.name != loaded.fleet.name:
        raise Refused(f"the fleet has a name: {loaded.fleet.name}", help=f"to change it, edit {FLEET} and commit")
    if wanted.mission is not None and NORTH_STAR in files:
        raise Refused(f"{NORTH_STAR} is there already, and stays as it is", help="to change it, edit it and commit")


def _message(made: Implied, found: SystemType) -> str:
    if not made.added:
        return f"Declare the fleet's type: {found.id}"
    many = f"{len(made.added)} agents" if len(made.added) > 1 else made.added[0]
    return f"Provision {found.id}: {many}"


def _notes(
    made: Implied, found: SystemType, own: RepositoryExtras, wanted: Wanted, roster: Mapping[str, Mapping[str, object]]
) -> tuple[str, ...]:
    notes = []
    for one, many in made.surplus.items():
        seat = found.seat(one)
        notes.append(f"of class {one} there are {many}, and {seat.multiplicity if seat else 0} in the type: all stay")
    for one, runtime in wanted.runtimes.items():
        keeping = [
            name
            for name, entry in roster.items()
            if own.class_of(str(entry.get("class", "worker"))) == one and entry.get("runtime") != runtime
        ]
        if keeping:
            notes.append(f"there already, with another runtime than {runtime}, and left so: {', '.join(keeping)}")
    empty = [name for name, entry in roster.items() if entry.get("state") == "absent"]
    kept = [name for name in empty if found.seat(own.class_of(str(roster[name].get("class", "worker"))))]
    if kept:
        notes.append(f"removed with a note of it (`state: absent`), so these seats stay empty: {', '.join(kept)}")
    return tuple(notes)
