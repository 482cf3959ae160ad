"""Edits of a fleet's files that change nothing but what they are about: comments, order and formatting stay.

An edit patches the text where a value is written. What comes out is read again and compared with what went in: if there
is any other difference than the one that was asked for, the edit is refused and the text has to be changed by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from specs import edit_block, edit_flow
from specs.edit_block import Patch
from specs.load import FLEET, ROSTER
from specs.places import Lines, Place, read_places
from specs.problems import Problem, SourceFile, Span
from specs.written import Style, Value
from specs.yaml_tree import Node

_BOM = b"\xef\xbb\xbf"
_HEAD = ("name", "alias", "runtime", "class", "state", "generation")  # new keys of an agent come below these


class EditError(Exception):
    """The file cannot be edited without risk; `problem` says where, and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def add_agent(raw: bytes, entry: Mapping[str, Value]) -> bytes:
    """The roster with one more agent at its end; `entry` begins with `name`. Raises EditError."""
    opened = _open(ROSTER, raw)
    sequence = opened.own(opened.root.get("agents"), "the list of agents")
    style = opened.style(sequence)
    return opened.close(opened.added(sequence, entry, style), opened.append("agents", opened.spelt(entry, style)))


def remove_agent(raw: bytes, name: str) -> bytes:
    """The roster without an agent. Raises EditError, also for the only agent that there is."""
    opened = _open(ROSTER, raw)
    index, entry = opened.agent(name)
    sequence = opened.own(opened.root.get("agents"), "the list of agents")
    opened.unused_elsewhere(entry, f'agent "{name}"')
    if len(sequence.sequence) == 1:
        raise opened.error(entry.start, f'"{name}" is the only agent of the roster', "use `state: absent`")
    way = edit_flow if sequence.flow else edit_block
    return opened.close(way.remove_item(opened.lines, sequence, index), opened.drop("agents", index))


def set_agents(raw: bytes, changes: Mapping[str, Mapping[str, Value]]) -> bytes:
    """The roster with other values for some keys of some agents; what is so already stays as it is written.

    Raises EditError.
    """
    rounds = max((len(wanted) for wanted in changes.values()), default=0)
    for number in range(rounds):  # one key of each agent at a time: patches must not meet
        opened, patches = _open(ROSTER, raw), []
        data = opened.data()
        for name, wanted in changes.items():
            index, entry = opened.agent(name)
            for key, value in list(wanted.items())[number : number + 1]:
                if entry.kind != "mapping":
                    raise opened.error(entry.start, f'agent "{name}" is an alias of what is written elsewhere')
                spelt = opened.spelling(entry, key)
                if _frozen(data["agents"][index].get(spelt)) != _frozen(_data(value)):
                    data["agents"][index] = {**data["agents"][index], spelt: _data(value)}
                    patches += opened.set(entry, key, value, _HEAD, f'agent "{name}"')
        raw = opened.close(patches, data) if patches else raw
    return raw


def set_value(file: str, raw: bytes, path: Sequence[str], value: Value) -> bytes:
    """A file with another value at one or two keys, such as `("tmux", "socket_name")`. Raises EditError."""
    opened = _open(file, raw)
    data = opened.data()
    mapping, inside = opened.root, data
    for key in path[:-1]:
        spelt = opened.spelling(mapping, key)
        if spelt not in inside:
            style = opened.style(mapping)
            row = f"{style.key(key)}: {style.flow({path[-1]: value})}"
            inside[style.key(key).strip('"')] = {style.key(path[-1]).strip('"'): _data(value)}
            return opened.close(opened.insert(mapping, row, ("version", "transport", "name")), data)
        inside = inside[spelt]
        found = opened.own(mapping.get(spelt), f'"{key}"')
        if found.kind != "mapping":
            raise opened.error(found.start, f'"{key}" is not a mapping')
        mapping = found
    spelt = opened.spelling(mapping, path[-1])
    if inside.get(spelt) == value:
        return raw
    inside[spelt] = _data(value)
    return opened.close(opened.set(mapping, path[-1], value, ("version", "name"), f'"{".".join(path)}"'), data)


def add_suspension(raw: bytes, entry: Mapping[str, Value]) -> bytes:
    """fleet.yaml with one more item of `suspend`; `entry` begins with `agent`. Raises EditError."""
    opened = _open(FLEET, raw)
    style = opened.style(opened.root)
    pair = opened.root.pair("suspend")
    expected = opened.append("suspend", dict(entry))
    if pair is None:
        if opened.root.flow:
            patches = opened.insert(opened.root, f"{style.key('suspend')}: [{style.flow(entry)}]", ())
        else:
            rows = [style.pair(name, value) for name, value in entry.items()]
            block = ("suspend:", f"  - {rows[0]}", *(f"    {row}" for row in rows[1:]))
            patches = opened.insert(opened.root, "\n".join(block), ())
        return opened.close(patches, expected)
    sequence = opened.own(pair[1], "the list of suspensions")
    if sequence.sequence:
        return opened.close(opened.added(sequence, entry, style), expected)
    return opened.close(edit_block.replace_value(opened.lines, *pair, f"[{style.flow(entry)}]"), expected)


def remove_suspension(raw: bytes, agent: str) -> bytes:
    """fleet.yaml without the suspension of an agent; unchanged if there is none. Raises EditError."""
    opened = _open(FLEET, raw)
    listed = opened.data().get("suspend") or []
    index = next((at for at, one in enumerate(listed) if one.get("agent") == agent), None)
    pair = opened.root.pair("suspend")
    if index is None or pair is None:
        return raw
    sequence = opened.own(pair[1], "the list of suspensions")
    opened.unused_elsewhere(sequence.sequence[index], f'the suspension of "{agent}"')
    expected = opened.drop("suspend", index)
    if len(listed) > 1:
        way = edit_flow if sequence.flow else edit_block
        return opened.close(way.remove_item(opened.lines, sequence, index), expected)
    if opened.root.flow:
        return opened.close([(sequence.start, sequence.end, "[]")], expected)
    expected.pop("suspend")
    return opened.close(edit_block.remove_pair(opened.lines, opened.root, *pair), expected)


def _data(value: Value) -> Any:  # noqa: ANN401 - what a YAML file may hold has no closer type
    return value if isinstance(value, (str, int)) else tuple(value)


def _open(name: str, raw: bytes) -> _Opened:
    from specs.read import read

    problems: list[Problem] = []
    source, tree = read(name, raw, problems)
    if tree is None:
        raise EditError(problems[0])
    text = raw.removeprefix(_BOM).decode()
    return _Opened(name, raw[: len(raw) - len(raw.removeprefix(_BOM))], source, tree, read_places(text), Lines.of(text))


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file that is being edited: what it says (`tree`) and where it says it (`root`)."""

    name: str
    mark: bytes
    source: SourceFile
    tree: Node
    root: Place
    lines: Lines

    # --- what it says ---

    def data(self) -> dict[str, Any]:
        """All values, to be changed into what is expected of the edit."""
        data: dict[str, Any] = self.tree.data()
        for key, value in data.items():
            if isinstance(value, tuple):
                data[key] = list(value)
        return data

    def append(self, key: str, entry: Mapping[str, Value]) -> dict[str, Any]:
        data = self.data()
        data[key] = [*(data.get(key) or []), {name: _data(value) for name, value in entry.items()}]
        return data

    def drop(self, key: str, index: int) -> dict[str, Any]:
        data = self.data()
        del data[key][index]
        return data

    # --- where it says it ---

    def agent(self, name: str) -> tuple[int, Place]:
        agents, listed = self.tree.items.get("agents"), self.own(self.root.get("agents"), "the list of agents")
        nodes = agents.sequence if agents is not None else []
        for index, node in enumerate(nodes):
            if "name" in node.items and node.items["name"].value == name:
                return index, listed.sequence[index]
        raise self.error(listed.start, f'the roster has no agent "{name}"')

    def own(self, place: Place | None, what: str) -> Place:
        """Raises EditError for what is missing, or is only an alias of what is written elsewhere."""
        if place is None:
            raise self.error(self.root.start, f"{what} is not in the file")
        if place.kind == "alias":
            raise self.error(place.start, f"{what} is an alias of what is written elsewhere")
        return place

    def unused_elsewhere(self, place: Place, what: str) -> None:
        """Raises EditError if an alias elsewhere refers to `place`, or to something in it."""
        self._unreferred(list(place.walk()), what)

    def _unreferred(self, places: Sequence[Place], what: str) -> None:
        anchors = {one.anchor for one in places if one.anchor}
        for other in self.root.walk():
            if other.kind == "alias" and other.text in anchors and other not in places:
                line = self.lines.number(other.start)
                raise self.error(places[0].start, f"{what} has the anchor &{other.text}, which line {line} refers to")

    def style(self, place: Place) -> Style:
        """How keys below `place` are written."""
        from specs.fields import camel
        from specs.roster import AgentSpec, Defaults, Tmux

        fields = {name for model in (AgentSpec, Defaults, Tmux) for name in model.model_fields if "_" in name}
        keys = {key.text for one in self.root.walk() for key, _ in one.pairs}
        older = self.name == ROSTER and not keys & fields and bool(keys & {camel(name) for name in fields})
        below = [key for one in place.walk() for key, _ in one.pairs]
        return Style(json=bool(below) and below[-1].style == '"', camel=older)

    def spelt(self, entry: Mapping[str, Value], style: Style) -> dict[str, Value]:
        return {style.key(name).strip('"'): value for name, value in entry.items()}

    def spelling(self, mapping: Place, key: str) -> str:
        """How a mapping spells this key, or would."""
        from specs.fields import camel

        known = mapping.pair(key, camel(key))
        return known[0].text if known else self.style(mapping).key(key).strip('"')

    # --- patches ---

    def added(self, sequence: Place, entry: Mapping[str, Value], style: Style) -> list[Patch]:
        add: Callable[..., list[Patch]] = edit_flow.add_item if sequence.flow else edit_block.add_item
        return add(self.lines, sequence, entry, style)

    def insert(self, mapping: Place, row: str, after: Sequence[str]) -> list[Patch]:
        if not mapping.pairs:
            return [(mapping.start, mapping.end, f"{{{row}}}")]
        way: Callable[..., list[Patch]] = edit_flow.insert_pair if mapping.flow else edit_block.insert_pair
        return way(self.lines, mapping, row, after)

    def set(self, mapping: Place, key: str, value: Value, after: Sequence[str], what: str) -> list[Patch]:
        """Replace a value, or insert the key; what is merged into the mapping from elsewhere is left as it is."""
        self._unreferred([mapping], what)  # a change of what is used elsewhere would be one there, too
        style = self.style(mapping)
        pair = mapping.pair(self.spelling(mapping, key))
        if pair is None:
            return self.insert(mapping, style.pair(key, value), after)
        self.unused_elsewhere(pair[1], what)
        quote = pair[1].style if pair[1].style in ("'", '"') else ""
        return edit_block.replace_value(self.lines, *pair, style.value(value, quote))

    def close(self, patches: Sequence[Patch], expected: Mapping[str, Any]) -> bytes:
        """The text with the patches; raises EditError if it does not say exactly what is expected."""
        text = self.lines.text
        for start, end, new in sorted(patches, key=lambda patch: patch[:2], reverse=True):
            text = text[:start] + new + text[end:]
        raw = self.mark + text.encode()
        if _says(self.name, raw) != _frozen(expected):
            at = min(start for start, _, _ in patches)
            raise self.error(at, "an edit here would change more than was asked for")
        return raw

    def error(self, at: int, message: str, help: str = "edit it by hand, and commit") -> EditError:
        line = self.lines.number(at)
        span = Span(line, at - self.lines.start(at) + 1)
        return EditError(self.source.problem(span, message, help=help))


def _says(name: str, raw: bytes) -> Any:  # noqa: ANN401 - as above
    from specs.read import read

    problems: list[Problem] = []
    _, tree = read(name, raw, problems)
    return None if tree is None else _frozen(tree.data())


def _frozen(value: Any) -> Any:  # noqa: ANN401 - as above
    """Comparable: 1 and true differ, lists and tuples do not."""
    if isinstance(value, Mapping):
        return {key: _frozen(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_frozen(one) for one in value]
    return type(value).__name__, repr(value)
