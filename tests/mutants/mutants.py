"""All mutants of a module: its text with one small change each."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

from tests.mutants.operators import Position, operators


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """`line` is where the change is; `before` and `after` are the lines that differ, without their indentation."""

    operator: str
    line: int
    before: str
    after: str
    code: str


def mutants(code: str) -> Iterator[Mutant]:
    """Every one that differs from the module and can be compiled, in the order of its operators and lines."""
    hidden = _unseen(code)
    tree = get_ast(code)
    for name, operator in operators().items():
        places = [place for node in ast_nodes(tree) for place in operator.mutation_positions(node)]
        for number, place in enumerate(places):
            if any(first <= place[0] and place[1] <= last for first, last in hidden):
                continue
            changed = mutate_code(code, operator, number)
            if changed is None or changed == code or not _compiles(changed):
                continue
            before, after = _difference(code, changed)
            yield Mutant(operator=name, line=place[0][0], before=before, after=after, code=changed)


def _unseen(code: str) -> list[Position]:
    """Where no change can be noticed: annotations, which nobody evaluates, and what decorators are called with."""
    nodes: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.arg | ast.AnnAssign):
            nodes.append(node.annotation)
        elif isinstance(node, ast.FunctionDef):
            nodes.append(node.returns)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes.append(node.test)  # what is imported there is for the type checker alone
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            nodes += [word.value for one in node.decorator_list if isinstance(one, ast.Call) for word in one.keywords]
    return [
        ((one.lineno, one.col_offset), (one.end_lineno, one.end_col_offset))
        for one in nodes
        if one is not None and one.end_lineno is not None and one.end_col_offset is not None
    ]


def _compiles(code: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # `is` with a text: a change like others
        try:
            compile(code, "<mutant>", "exec")
        except SyntaxError:
            return False
    return True


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines in the middle of both, without what they begin and end with alike."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    return " ".join(line.strip() for line in old), " ".join(line.strip() for line in new)
