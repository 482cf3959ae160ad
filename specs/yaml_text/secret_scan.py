"""Find secrets in a file: by their look anywhere, by their name in `env`, connectors and commands."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from specs.values import secrets
from specs.values.problems import Problem, SourceFile, Span
from specs.yaml_text.tree import Node

HELP = "secrets stay out of git: write {from_env: NAME} or {from_file: PATH}, or give it to the program's own login"


def scan(tree: Node, source: SourceFile) -> list[Problem]:
    """One problem for each line that shows a secret, comments included."""
    found: dict[int, Problem] = {}
    for number, line in enumerate(source.lines, 1):
        for start, end, kind in secrets.tokens(line):
            if number not in found:
                found[number] = source.problem(
                    Span(number, start + 1, end - start), f"{kind} in plain sight", help=HELP
                )
    for name, node in _exposed(tree):
        text = node.text if isinstance(node.value, str) else ""
        generated = secrets.secretive(name) and secrets.random_looking(text)
        if node.span.line in found or not (generated or secrets.in_command(text)):
            continue
        subject = f'"{name}"' if generated else "a command"
        if not generated:
            for row in range(node.span.line, node.until[0] + 1):
                source.hidden.append((row, node.span.column if row == node.span.line else 1, 10**9))
        message = f"{subject} holds what looks like a generated secret"
        found[node.span.line] = source.problem(node.span, message, help=HELP)
    return [found[number] for number in sorted(found)]


def _exposed(tree: Node) -> Iterator[tuple[str, Node]]:
    """The scalars below `env`, connectors and commands, with their names."""
    for key in ("connector", "runtimes", "notify"):
        if key in tree.items:
            yield from tree.items[key].walk()
    agents, defaults = tree.items.get("agents"), tree.items.get("defaults")
    for agent in (*((defaults,) if defaults else ()), *(agents.sequence if agents else ())):
        for key in ("env", "command", "args", "channels", "kickstart_template"):
            if key in agent.items:
                yield from ((name or key, node) for name, node in agent.items[key].walk())
                words = agent.items[key].sequence
                yield from ((flag.text.lstrip("-"), value) for flag, value in pairwise(words) if flag.text[:1] == "-")
