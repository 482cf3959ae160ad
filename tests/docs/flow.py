"""`docs/flow.md`, made from what rooms and modules say of themselves: `python -m tests.docs.flow > docs/flow.md`."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "specs": "What an operator may write: reading it, checking it, editing it.",
    "providers": "The kinds of things on a host, and the host itself.",
    "reconciler": "The loop, and everything that people do around it.",
}
HEAD = """\
# Flow

The code, room by room, in the order of imports: a room uses those before it, never one after it. Each file is here with
the first sentence of its docstring, so this page is made, not written: `python -m tests.docs.flow > docs/flow.md`.

[Architecture](architecture.md) comes first: the two ways through the code, and the laws. The main one is

    source -> desired -> observe -> diff -> plan -> apply -> status
    I/O       pure       I/O        pure    pure    I/O      pure, then stored

and `reconciler/loop/converge.py` is where to begin.
"""
TAIL = """
## tests

`tests/laws/` states what must always hold, over the simulated host of `tests/world.py`. `tests/scenarios/`,
`tests/launch/` and `tests/truth/` try the same on real hosts, which `tests/hosts/` makes; `tests/booted/` boots whole
machines, also of other systems. Our own commands on a host are forks of one process that has the project imported
(`tests/hosts/fork_server.py`); with `env` before it, a command gets an interpreter of its own. `tests/schedule.py` has
the slowest files begin first. `tests/real_agents/` runs the real programs against a model API on loopback. The other
folders have the names of the rooms. `tests/golden/` holds what people read of each command, `tests/docs/` these pages,
and `tests/test_layers.py` the order of the rooms.
"""


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def first_sentence(text: str) -> str:
    """Of the first paragraph: up to a full stop that a space or the end follows."""
    paragraph = re.sub(r"\s+", " ", text.partition("\n\n")[0]).strip()
    found = re.match(r".*?[a-z)`\"'\]A-Z0-9]\.(?=\s+[A-Z`]|$)", paragraph)
    return found[0] if found else paragraph


def rooms() -> Iterator[tuple[str, list[Path]]]:
    """Each folder of code in the order of `tests/rooms.toml`, with its modules; a folder within a room after it."""
    order: list[str] = tomllib.loads((CHECKOUT / "tests/rooms.toml").read_text(encoding="utf-8"))["order"]
    names = [name.replace(".", "/") for name in order if (CHECKOUT / name.replace(".", "/")).is_dir()]
    for package in PACKAGES:
        yield package, modules(CHECKOUT / package)
        for name in (one for one in names if one.startswith(f"{package}/")):
            below = (path.parent for path in (CHECKOUT / name).rglob("__init__.py"))
            for folder in sorted(below):
                where = str(folder.relative_to(CHECKOUT))
                if where == name or where not in names:
                    yield where, modules(folder)


def modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")


def page() -> str:
    parts = [HEAD]
    for name, paths in rooms():
        if name in PACKAGES:
            parts.append(f"\n## {name}\n\n{PACKAGES[name]}\n")
        else:
            about = docstring(CHECKOUT / name / "__init__.py").split("\n\n")
            first = re.search(r"Read `\w+\.py`.*", " ".join(" ".join(about).split()))
            parts.append(f"\n### {name}\n\n{' '.join(about[0].split())}{f' {first[0]}' if first else ''}\n")
        if paths:
            parts.append("\n")
        parts += [f"- `{path.relative_to(CHECKOUT)}`: {first_sentence(docstring(path))}\n" for path in paths]
    return "".join([*parts, TAIL])


if __name__ == "__main__":
    print(page(), end="")
