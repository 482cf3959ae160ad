"""From the text of a YAML file to its tree.

Reads events, not documents: the tree is bounded in depth and in expanded size while it is built, so an alias bomb or a
thousand brackets end at the limit and not in memory or in a stack overflow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from specs.yaml_text.builder import Builder, Stop
from specs.yaml_text.simple_parser import parse_simple
from specs.yaml_text.syntax import syntax_problem

if TYPE_CHECKING:
    from specs.values.problems import Problem, SourceFile
    from specs.yaml_text.builder import YamlEvent
    from specs.yaml_text.tree import Node


def parse(text: str, source: SourceFile, problems: list[Problem]) -> Node | None:
    """The only document of `text`, or None when it cannot be read. Never raises; what is wrong goes to `problems`."""
    fast = Builder(text, source, [])
    if parse_simple(text, fast):
        source.simple = True
        return fast.root
    return parse_any(text, source, problems)


def parse_any(text: str, source: SourceFile, problems: list[Problem]) -> Node | None:
    """The same by the complete parser alone."""
    from ruamel.yaml.error import MarkedYAMLError

    from specs.yaml_text.events import events

    builder = Builder(text, source, problems)
    try:
        for event in events(text):
            builder.take(cast("YamlEvent", event))
    except Stop:
        return None
    except MarkedYAMLError as error:
        problems.append(syntax_problem(error, source))
        return None
    except Exception as error:  # foreign input in a third-party scanner, which raises whatever it meets
        place = builder.last
        problems.append(source.problem(place, f"not readable as YAML from here on ({type(error).__name__})"))
        return None
    return builder.root
