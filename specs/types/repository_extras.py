"""The further files of a fleet's repository: contracts in `roles/`, types in `profiles/`."""

from __future__ import annotations

from collections.abc import Mapping

from specs.dataclass import dataclass
from specs.fleet_files import FOLDERS, PROFILES, ROLES, spec_path
from specs.personas import persona as personas
from specs.personas.overrides import read_role
from specs.personas.persona import Persona
from specs.types import system_type
from specs.types.system_type import SystemType
from specs.values.problems import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryExtras:
    """`personas` are the operator's contracts by class, not yet laid over the shipped ones. `types` are all types by
    id, the shipped ones included, with the operator's laid over. `problems` by file: what has any is in neither."""

    personas: Mapping[str, Persona]
    types: Mapping[str, SystemType]
    problems: Mapping[str, tuple[Problem, ...]]

    def resolve(self, written: str) -> Persona | None:
        """The contract of a class by any of its names."""
        return personas.resolve(written, self.personas)

    def class_of(self, written: str) -> str:
        """The class by its own name."""
        return personas.contract_name(written, self.personas)


def read_own(files: Mapping[str, bytes]) -> RepositoryExtras:
    """Everything of `files` (by path) that is such a file; what else is there is not looked at. Never raises."""
    contracts: dict[str, Persona] = {}
    types: dict[str, SystemType] = dict(system_type.shipped())
    wrong: dict[str, tuple[Problem, ...]] = {}
    for path, stem in _named(files, ROLES):
        problems: list[Problem] = []
        contract = read_role(path, files[path], problems)
        if contract is not None:
            contracts[stem] = contract
        _note(wrong, path, problems)
    classes = {stem for _, stem in _named(files, ROLES)}  # a contract that cannot be read is told of where it is used
    for path, stem in _named(files, PROFILES):
        problems = []
        found = system_type.read_type(path, files[path], problems, own=classes)
        if found is not None:
            types[stem] = found
        else:
            types.pop(stem, None)  # a type that cannot be read is not the shipped one
        _note(wrong, path, problems)
    return RepositoryExtras(personas=contracts, types=types, problems=wrong)


def _named(files: Mapping[str, bytes], folder: str) -> list[tuple[str, str]]:
    """The files of one folder, by path, with what they are about."""
    paths = sorted(one for one in files if one.startswith(f"{folder}/") and spec_path(one))
    return [(one, one.rpartition("/")[2].removesuffix(FOLDERS[folder])) for one in paths]


def _note(wrong: dict[str, tuple[Problem, ...]], path: str, problems: list[Problem]) -> None:
    if any(problem.severity == "error" for problem in problems):
        wrong[path] = tuple(problems)
