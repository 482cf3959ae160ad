"""Which names a definition of the tests stands on: its own, and those of the helpers and values that it uses. Read from
the text of the files; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Module:
    """`definitions`: what stands at the top of the file, by name, with the names that it uses. `imports`: local name to
    what it stands for, as `a.b` or `a`; those inside of functions as well. `everything` is imported for any reason."""

    definitions: Mapping[str, frozenset[str]]
    imports: Mapping[str, str]
    everything: frozenset[str]


def name_of(path: Path) -> str:
    """The dotted name of a file below the checkout."""
    parts = path.resolve().relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def reaches(module: str, name: str, targets: tuple[str, ...]) -> bool:
    """Whether the definition uses one of these (such as `subprocess`), directly or through others of the tests."""
    seen: set[tuple[str, str]] = set()
    waiting = [(module, name)]
    while waiting:
        here = waiting.pop()
        if here in seen:
            continue
        seen.add(here)
        for used in _used_by(*here):
            if any(used == target or used.startswith(f"{target}.") for target in targets):
                return True
            owner, _, inner = used.rpartition(".")
            if owner.startswith("tests"):
                waiting.append((owner, inner))
    return False


def _used_by(module: str, name: str) -> Iterator[str]:
    """The full names of what a definition uses."""
    read = _read(module)
    if read is None:
        return
    for word in read.definitions.get(name, ()):
        first, _, rest = word.partition(".")  # of `a.b.c`, `a.b` is among the words, too
        if first in read.definitions:
            yield f"{module}.{first}"
        elif first in read.imports:
            yield f"{read.imports[first]}.{rest}" if rest else read.imports[first]


@cache
def imported_by(module: str) -> frozenset[str]:
    """Everything that it imports, and what the modules of the tests do that it imports."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        read = None if name in seen else _read(name)
        seen.add(name)
        if read is not None:
            found |= read.everything
            waiting += [one for one in read.everything if one.startswith("tests.")]
    return frozenset(found)


def words_of(module: str) -> frozenset[str]:
    """Every name that its definitions use, and `a.b` and `a.b.c` as they stand there."""
    read = _read(module)
    return frozenset().union(*read.definitions.values()) if read is not None else frozenset()


@cache
def _read(module: str) -> Module | None:
    """None for what is not a file of the tests."""
    base = ROOT.joinpath(*module.split("."))
    path = next((one for one in (base.with_suffix(".py"), base / "__init__.py") if one.is_file()), None)
    if path is None or not module.startswith("tests"):
        return None
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports, everything = {}, set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                imports[one.asname or one.name.partition(".")[0]] = one.name
                everything.add(one.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            everything.add(node.module)
            for one in node.names:
                imports[one.asname or one.name] = f"{node.module}.{one.name}"
                everything.add(f"{node.module}.{one.name}")
    definitions: dict[str, frozenset[str]] = {}
    for part in tree.body:
        for name in _names(part):
            definitions[name] = definitions.get(name, frozenset()) | frozenset(_words(part))
    return Module(definitions, imports, frozenset(everything))


def _names(part: ast.stmt) -> Iterator[str]:
    """What a statement at the top of a file defines."""
    if isinstance(part, ast.FunctionDef | ast.ClassDef):
        yield part.name
    elif isinstance(part, ast.Assign):
        yield from (node.id for target in part.targets for node in ast.walk(target) if isinstance(node, ast.Name))
    elif isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
        yield part.target.id


def _words(part: ast.stmt) -> Iterator[str]:
    """Names, and `a.b` where something is taken from a name."""
    for node in ast.walk(part):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)
        elif isinstance(node, ast.Name):
            yield node.id
