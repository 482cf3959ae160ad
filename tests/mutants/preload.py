"""What every try of a module imports and no mutant of it changes: imported once, before the forks."""

from __future__ import annotations

import ast
import gc
import importlib
import os
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("reconciler", "providers", "specs", "tests")


def preload(target: str, tests: Iterable[str]) -> None:
    """`tests` are files below the checkout. What imports the target, directly or not, stays out: it has to be imported
    anew for each mutant."""
    names = [name_of(ROOT / one.partition("::")[0]) for one in tests]
    for name in _needed(["tests.conftest", *names]) - _reaching(target) - set(names):
        importlib.import_module(name)
    import hypothesis
    import pytest

    del hypothesis, pytest
    gc.freeze()  # or each fork would copy what the collector looks at
    if target in sys.modules:
        raise RuntimeError(f"{target} was imported before its mutants")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _needed(names: Iterable[str]) -> set[str]:
    """Our modules that come along with these: found out in a process of its own."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            for name in names:
                importlib.import_module(name)
            with os.fdopen(writer, "w") as pipe:
                pipe.write("\n".join(name for name in sys.modules if name in imports_of()))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        found = set(pipe.read().split())
    os.waitpid(pid, 0)
    return found


def _reaching(target: str) -> set[str]:
    """The target, and every module that imports it, directly or through others, at any place."""
    found, fresh = set[str](), {target}
    while fresh:
        found |= fresh
        fresh = {name for name, imports in imports_of().items() if imports & fresh} - found
    return found


@cache
def imports_of() -> Mapping[str, frozenset[str]]:
    """Every module of ours with what it imports; a package counts as imported with each of its modules."""
    files = {name_of(path): path for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    return {name: frozenset(_imports(path)) for name, path in files.items()}


def _imports(path: Path) -> Iterable[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)
