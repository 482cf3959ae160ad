"""Which changes are made: those of cosmic-ray that say something here, and two of our own for decision tables.

Not among them are changes that no test can notice: `is` instead of `==`, and operators that want to be told names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol

import parso
from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes

Position = tuple[tuple[int, int], tuple[int, int]]
Node = Any  # of parso's trees, which are not typed

# The two are the same for members of an enumeration, for None and for what the modules compare else.
_ALIKE = re.compile(r"ReplaceComparisonOperator_(Is_Eq|Eq_Is|IsNot_NotEq|NotEq_IsNot)$")


class Operator(Protocol):
    """As cosmic-ray has it: where in a node it changes something, and the node with the change of that number."""

    def mutation_positions(self, node: Node) -> Iterator[Position]: ...

    def mutate(self, node: Node, index: int) -> Node: ...


class DeleteRow:
    """Leaves a call out of a tuple, list or set of several: a row out of a table."""

    def mutation_positions(self, node: Node) -> Iterator[Position]:
        for row in self._rows(node):
            yield row.start_pos, row.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        row = self._rows(node)[index]
        at = node.children.index(row)
        del node.children[at : at + 2]  # with the comma after it
        return node

    @staticmethod
    def _rows(node: Node) -> list[Node]:
        """All that is followed by a comma and called; the last one of a tuple has one where there are several lines."""
        if node.type != "testlist_comp":
            return []
        pairs = zip(node.children, node.children[1:], strict=False)
        rows = [one for one, comma in pairs if comma.type == "operator" and comma.value == "," and _called(one)]
        return rows if len(rows) > 1 else []


class ReplaceMember:
    """Says another member of an enumeration: `Verb.START` becomes the next one that the module names of `Verb`."""

    def mutation_positions(self, node: Node) -> Iterator[Position]:
        if _member(node) and len(_members_of(node)) > 1:
            yield node.children[1].start_pos, node.children[1].end_pos

    def mutate(self, node: Node, index: int) -> Node:
        del index
        members = _members_of(node)
        name = node.children[1].children[1]
        name.value = members[(members.index(name.value) + 1) % len(members)]
        return node


def _called(node: Node) -> bool:
    return bool(node.type == "atom_expr" and node.children[-1].type == "trailer" and node.get_last_leaf().value == ")")


def _member(node: Node) -> bool:
    """Whether it begins with `Name.MEMBER`."""
    if node.type != "atom_expr" or node.children[0].type != "name" or node.children[1].type != "trailer":
        return False
    dot, *name = node.children[1].children
    return bool(
        dot.value == "."
        and re.fullmatch(r"_?[A-Z]\w*[a-z]\w*", node.children[0].value)
        and re.fullmatch(r"[A-Z][A-Z0-9_]*", name[0].value)
    )


def _members_of(node: Node) -> list[str]:
    """The members of its enumeration that the module names, in the order of the alphabet."""
    return list(_named(node.get_root_node().get_code()).get(node.children[0].value, ()))


@cache
def _named(code: str) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for node in ast_nodes(parso.parse(code)):
        if _member(node):
            found.setdefault(node.children[0].value, set()).add(node.children[1].children[1].value)
    return {name: tuple(sorted(members)) for name, members in found.items()}


def operators() -> dict[str, Operator]:
    """All of them, by name."""
    found: dict[str, Operator] = {"DeleteRow": DeleteRow(), "ReplaceMember": ReplaceMember()}
    for name in plugins.operator_names():
        made = plugins.get_operator(name)
        if not made.arguments() and not _ALIKE.search(name):
            found[name.partition("/")[2]] = made()
    return found
