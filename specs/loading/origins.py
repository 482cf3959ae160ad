"""Where the values of one agent come from: its entry, `defaults`, its runtime, or what ships."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from specs.dataclass import dataclass
from specs.fleet_files import ROSTER
from specs.models.legacy_keys import modernise
from specs.models.roster import Defaults
from specs.models.runtimes import KNOWN
from specs.values.problems import Problem, Span
from specs.values.secrets import mask_line
from specs.yaml_text.read import read
from specs.yaml_text.tree import Node

OriginWord = Literal["agent", "defaults", "runtime", "shipped"]
# Keys whose parts are inherited one by one, and the ones that only add to those before.
_MERGED = ("env", "resources")
_ADDED = "args"
_NOTHING = Node(kind="mapping", span=Span(), until=(1, 1), start=0, end=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueOrigin:
    """A value as it is written, with what looks like a secret masked, and the place of its key. `source` "shipped": no
    file says it, and `line` is 0. `lost`: it has no effect, since the agent has a `command`."""

    key: str
    value: str
    source: OriginWord
    line: int = 0
    column: int = 0
    lost: bool = False


def origins(roster: bytes, agent: str) -> tuple[ValueOrigin, ...]:
    """Every value that counts for the agent, by key; `args` in the order in which they are added. Empty if the roster
    cannot be read, or has no such agent."""
    problems: list[Problem] = []
    source, tree = read(ROSTER, roster, problems)
    if tree is None or tree.kind != "mapping":
        return ()
    modernise(tree, source, problems)
    entries = tree.items["agents"].sequence if "agents" in tree.items else []
    entry = next((one for one in entries if "name" in one.items and one.items["name"].text == agent), None)
    if entry is None:
        return ()
    return tuple(sorted(_origins(tree, entry), key=lambda one: one.key))


def _origins(tree: Node, entry: Node) -> Iterator[ValueOrigin]:
    defaults = tree.items.get("defaults", _NOTHING)
    named = entry.items["runtime"].text if "runtime" in entry.items else ""
    runtime = tree.items.get("runtimes", _NOTHING).items.get(named, _NOTHING)
    own = "command" in entry.items
    for key in entry.items:
        if key not in (*_MERGED, _ADDED):
            yield _origin(key, entry, key, "agent", lost=own and key in ("model_hint", "yolo"))
    for key in Defaults.model_fields:
        if key in (*_MERGED, _ADDED) or key in entry.items:
            continue
        if key in defaults.items:
            yield _origin(key, defaults, key, "defaults", lost=own and key == "yolo")
            continue
        value = Defaults.model_fields[key].default
        if value is not None and not (own and key == "yolo"):
            yield ValueOrigin(key=key, value=str(value).lower(), source="shipped")
    for key in _MERGED:
        mine, given = entry.items.get(key, _NOTHING), defaults.items.get(key, _NOTHING)
        for name in given.items:
            if name not in mine.items:
                yield _origin(f"{key}.{name}", given, name, "defaults")
        for name in mine.items:
            yield _origin(f"{key}.{name}", mine, name, "agent")
    if not own and "command" in runtime.items:
        yield _origin("command", runtime, "command", "runtime")
    elif not own and named in KNOWN:
        yield ValueOrigin(key="command", value=" ".join(KNOWN[named].command), source="shipped")
    added: tuple[tuple[Node, OriginWord], ...] = ((runtime, "runtime"), (defaults, "defaults"), (entry, "agent"))
    for node, word in added:
        if _ADDED in node.items:
            yield _origin(_ADDED, node, _ADDED, word, lost=own and word != "agent")


def _origin(key: str, parent: Node, name: str, source: OriginWord, *, lost: bool = False) -> ValueOrigin:
    value, span = parent.items[name], parent.keys[name].span
    shown = mask_line(f"{name}: {_text(value)}").partition(": ")[2]
    return ValueOrigin(key=key, value=shown, source=source, line=span.line, column=span.column, lost=lost)


def _text(node: Node) -> str:
    if node.kind == "mapping":
        return "{" + ", ".join(f"{key}: {_text(value)}" for key, value in node.items.items()) + "}"
    return " ".join(_text(one) for one in node.sequence) if node.kind == "sequence" else node.text
