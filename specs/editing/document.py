"""A file during an edit: its values, where they are, and what it may say afterwards.

An edit patches the text where a value is written. What comes out is read again and compared with what went in: if there
is any other difference than the one that was asked for, the edit is refused and the text has to be changed by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from specs.dataclass import dataclass
from specs.editing import block, flow
from specs.editing.block import Patch
from specs.fleet_files import ROSTER
from specs.values.problems import Problem, SourceFile, Span
from specs.yaml_text.lines import LineIndex
from specs.yaml_text.quoting import Style, YamlValue
from specs.yaml_text.tree import Node

_BOM = b"\xef\xbb\xbf"


class EditError(Exception):
    """The file cannot be edited without risk; `problem` says where, and why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def plain(value: YamlValue) -> Any:  # noqa: ANN401 - what a YAML file may hold has no closer type
    """A value as it is when it has been read."""
    return value if isinstance(value, (str, int)) else tuple(value)


@lru_cache(maxsize=4)  # who looks at an entry edits it next, and reading a large roster takes a while
def opened_file(name: str, raw: bytes) -> EditableFile:
    """Raises EditError if nothing of the file can be read."""
    from specs.yaml_text.read import read

    problems: list[Problem] = []
    source, tree = read(name, raw, problems)
    if tree is None:
        raise EditError(problems[0])
    text = raw.removeprefix(_BOM).decode()
    mark = raw[: len(raw) - len(raw.removeprefix(_BOM))]
    return EditableFile(name, mark, source, tree, LineIndex.of(text))


@dataclass(frozen=True, slots=True)
class EditableFile:
    """A file that is being edited. `root`: what it says, and where it says it."""

    name: str
    mark: bytes
    source: SourceFile
    root: Node
    lines: LineIndex

    # --- what it says ---

    def data(self) -> dict[str, Any]:
        """All values, to be changed into what is expected of the edit."""
        data: dict[str, Any] = self.root.data()
        for key, value in data.items():
            if isinstance(value, tuple):
                data[key] = list(value)
        return data

    def append(self, key: str, entry: Mapping[str, YamlValue]) -> dict[str, Any]:
        data = self.data()
        data[key] = [*(data.get(key) or []), {name: plain(value) for name, value in entry.items()}]
        return data

    def drop(self, key: str, index: int) -> dict[str, Any]:
        data = self.data()
        del data[key][index]
        return data

    # --- where it says it ---

    def agent(self, name: str) -> tuple[int, Node]:
        agents, listed = self.root.items.get("agents"), self.own(self.root.get("agents"), "the list of agents")
        nodes = agents.sequence if agents is not None else []
        for index, node in enumerate(nodes):
            if "name" in node.items and node.items["name"].value == name:
                return index, listed.written[index]
        raise self.error(listed.start, f'the roster has no agent "{name}"')

    def own(self, place: Node | None, what: str) -> Node:
        """Raises EditError for what is missing, or is only an alias of what is written elsewhere."""
        if place is None:
            raise self.error(self.root.start, f"{what} is not in the file")
        if place.kind == "alias":
            raise self.error(place.start, f"{what} is an alias of what is written elsewhere")
        return place

    def unused_elsewhere(self, place: Node, what: str) -> None:
        """Raises EditError if an alias elsewhere refers to `place`, or to something in it."""
        self._unreferred(list(place.places()), what)

    def _unreferred(self, places: Sequence[Node], what: str) -> None:
        anchors = {one.anchor for one in places if one.anchor}
        for other in self.root.places():
            if other.kind == "alias" and other.text in anchors and other not in places:
                line = self.lines.number(other.start)
                raise self.error(places[0].start, f"{what} has the anchor &{other.text}, which line {line} refers to")

    def style(self, place: Node) -> Style:
        """How keys below `place` are written."""
        from specs.models.roster import AgentSpec, Defaults, Tmux
        from specs.values.fields import camel

        fields = {name for model in (AgentSpec, Defaults, Tmux) for name in model.model_fields if "_" in name}
        keys = {key.text for one in self.root.places() for key, _ in one.pairs}
        older = self.name == ROSTER and not keys & fields and bool(keys & {camel(name) for name in fields})
        below = [key for one in place.places() for key, _ in one.pairs]
        return Style(json=bool(below) and below[-1].style == '"', camel=older)

    def spelt(self, entry: Mapping[str, YamlValue], style: Style) -> dict[str, YamlValue]:
        return {style.key(name).strip('"'): value for name, value in entry.items()}

    def spelling(self, mapping: Node, key: str) -> str:
        """How a mapping spells this key, or would."""
        from specs.values.fields import camel

        known = mapping.pair(key, camel(key))
        return known[0].text if known else self.style(mapping).key(key).strip('"')

    # --- patches ---

    def added(self, sequence: Node, entry: Mapping[str, YamlValue], style: Style) -> list[Patch]:
        add: Callable[..., list[Patch]] = flow.add_item if sequence.flow else block.add_item
        return add(self.lines, sequence, entry, style)

    def insert(self, mapping: Node, row: str, after: Sequence[str]) -> list[Patch]:
        if not mapping.pairs:
            return [(mapping.start, mapping.end, f"{{{row}}}")]
        way: Callable[..., list[Patch]] = flow.insert_pair if mapping.flow else block.insert_pair
        return way(self.lines, mapping, row, after)

    def set(self, mapping: Node, key: str, value: YamlValue, after: Sequence[str], what: str) -> list[Patch]:
        """Replace a value, or insert the key; what is merged into the mapping from elsewhere is left as it is."""
        self._unreferred([mapping], what)  # a change of what is used elsewhere would be one there, too
        style = self.style(mapping)
        pair = mapping.pair(self.spelling(mapping, key))
        if pair is None:
            return self.insert(mapping, style.pair(key, value), after)
        self.unused_elsewhere(pair[1], what)
        quote = pair[1].style if pair[1].style in ("'", '"') else ""
        return block.replace_value(self.lines, *pair, style.value(value, quote))

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
    from specs.yaml_text.read import read

    problems: list[Problem] = []
    _, tree = read(name, raw, problems)
    return None if tree is None else _frozen(tree.data())


def same(one: object, other: object) -> bool:
    """Whether two values are the same to YAML: 1 and true differ, lists and tuples do not."""
    return bool(_frozen(one) == _frozen(other))


def _frozen(value: Any) -> Any:  # noqa: ANN401 - as above
    """Comparable by `==`."""
    if isinstance(value, Mapping):
        return {key: _frozen(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_frozen(one) for one in value]
    return type(value).__name__, repr(value)
