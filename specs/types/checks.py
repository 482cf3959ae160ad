"""What is wrong with the system types of a repository. It keeps nobody from running: only commands read types."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from specs import library
from specs.dataclass import replace
from specs.fleet_files import FOLDERS, PROFILES, spec_path
from specs.models.fleet import FleetSpec
from specs.values.problems import Problem, SourceFile
from specs.values.suggest import Suggester
from specs.yaml_text.tree import Node


def profiles_of(files: Collection[str]) -> tuple[str, ...]:
    """The files of own types, sorted."""
    return tuple(sorted(one for one in files if one.startswith(f"{PROFILES}/") and spec_path(one)))


def check_profiles(files: Mapping[str, bytes], classes: Collection[str]) -> list[Problem]:
    """All that is wrong in `profiles/`, as warnings; `classes` are those that the repository has contracts for."""
    problems: list[Problem] = []
    for name in profiles_of(files):
        from specs.types.system_type import read_type

        read_type(name, files[name], problems, own=classes)
    return [replace(one, severity="warning") for one in problems]


def check_type(
    fleet: FleetSpec, tree: Node, source: SourceFile, files: Collection[str], near: Suggester
) -> list[Problem]:
    """A warning for a `type` that is neither shipped nor in `profiles/`."""
    from specs.types.system_type import FOLDER

    suffix = FOLDERS[PROFILES]
    names = (*library.names(FOLDER, suffix), *profiles_of(files))
    known = {one.rpartition("/")[2].removesuffix(suffix) for one in names}
    if fleet.type is None or fleet.type in known:
        return []
    return [
        source.problem(
            tree.items["type"].span,
            f'there is no system type "{fleet.type}"',
            severity="warning",
            suggestion=near.phrase(fleet.type, known),
            help=f"known here: {', '.join(sorted(known))}; one of your own is profiles/{fleet.type}{suffix}",
        )
    ]
