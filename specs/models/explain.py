"""Validation errors in plain English, at their place in the file."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from specs.values import secrets
from specs.values.fields import Spec, describe
from specs.values.problems import Problem, SourceFile, Span
from specs.values.scalars import YAML_1_1_BOOLEANS
from specs.values.suggest import Suggester

if TYPE_CHECKING:
    from pydantic import ValidationError

    from specs.yaml_text.tree import Node

_YAML_1_2 = "these files are YAML 1.2, where only true and false are truth values; yes, no, on and off are text"
_BOUNDS = {"greater_than_equal": ("at least", "ge"), "less_than_equal": ("at most", "le")}


class Explainer:
    """Turns the errors of one file's models into problems."""

    def __init__(self, source: SourceFile, suggester: Suggester) -> None:
        self.source = source
        self.suggester = suggester

    def explain(self, error: ValidationError, node: Node, model: type[Spec], agent: str | None = None) -> list[Problem]:
        """One problem for each error; `node` is what `model` was asked to read."""
        found = error.errors(include_url=False)
        return [self._one(dict(entry), node, model, agent) for entry in found]

    def _one(self, error: dict[str, Any], node: Node, model: type[Spec], agent: str | None) -> Problem:
        location: tuple[int | str, ...] = error["loc"]
        kind: str = error["type"]
        where = f' in agent "{agent}"' if agent else _inside(location[:-1])
        if kind == "missing":
            parent, _ = locate(node, location[:-1])
            return self._problem(parent.span, f'missing key "{location[-1]}"{where}', agent=agent)
        value, key = locate(node, location)
        if kind == "extra_forbidden":
            return self._unknown(location, model, key, agent, where)
        target = value
        if (location and location[-1] == "[key]") or (value.plain and not value.text):
            target = key  # a value that is not there has no place of its own
        subject = _subject(location, agent)
        message, suggestion, help_ = self._predicate(kind, error, value)
        return self._problem(target.span, f"{subject} {message}", suggestion=suggestion, help=help_, agent=agent)

    def _unknown(
        self, location: tuple[int | str, ...], model: type[Spec], key: Node, agent: str | None, where: str
    ) -> Problem:
        name = str(location[-1])
        if any(isinstance(part, str) and secrets.secretive(part) for part in location[:-1]):
            return self._problem(key.span, f"unknown key{where}", agent=agent, help="its name is not shown on purpose")
        known = keys_at(model, location[:-1])
        suggestion = self.suggester.phrase(name, known)
        help_ = None if suggestion else f"keys known here: {', '.join(sorted(known))}"
        return self._problem(key.span, f'unknown key "{name}"{where}', suggestion=suggestion, help=help_, agent=agent)

    def _predicate(self, kind: str, error: dict[str, Any], target: Node) -> tuple[str, str | None, str | None]:
        value = error.get("input")
        context: Mapping[str, Any] = error.get("ctx", {})
        if target.kind == "scalar" and target.value is None and kind != "fault":
            return "has no value", "remove the key, or give it a value", None
        if kind == "bool_type" and target.plain and target.text in YAML_1_1_BOOLEANS:
            return "must be true or false, not text", f"write {YAML_1_1_BOOLEANS[target.text]}", _YAML_1_2
        if kind == "literal_error":
            allowed = re.findall(r"'([^']*)'", str(context.get("expected", "")))
            near = self.suggester.phrase(value, allowed) if isinstance(value, str) else None
            return f"must be {_either(allowed)}", near, None
        if kind in _BOUNDS:
            words, bound = _BOUNDS[kind]
            return f"must be {words} {context.get(bound)}", None, None
        expected = _EXPECTED.get(kind)
        if expected is None:
            return str(context.get("message") or error["msg"]), None, None
        quotes = "put it in quotes" if kind == "string_type" and target.kind == "scalar" else None
        return f"{expected}, not {describe(value)}", quotes, None

    def _problem(
        self,
        span: Span,
        message: str,
        *,
        suggestion: str | None = None,
        help: str | None = None,
        agent: str | None = None,
    ) -> Problem:
        return self.source.problem(span, message, suggestion=suggestion, help=help, agent=agent)


_EXPECTED = {
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "mapping_type": "must be a mapping",
    "model_type": "must be a mapping",
    "too_short": "must have at least one item",
}


def locate(node: Node, location: tuple[int | str, ...]) -> tuple[Node, Node]:
    """The node at `location` as far as it exists, and the key that led to it."""
    key = node
    for part in location:
        if isinstance(part, str) and part in node.items:
            node, key = node.items[part], node.keys[part]
        elif isinstance(part, int) and part < len(node.sequence):
            node = key = node.sequence[part]
    return node, key


def keys_at(model: type[Spec], location: tuple[int | str, ...]) -> frozenset[str]:
    """The keys that the model at `location` knows."""
    current: type[Spec] | None = model
    free = False  # the next part is a name that the operator chose
    for part in location:
        if isinstance(part, int) or free or current is None:
            free = False
            continue
        fields = {info.alias or name: info.annotation for name, info in current.model_fields.items()}
        annotation = fields.get(part)
        current, free = _nested(annotation)
    if current is None:
        return frozenset()
    names = {info.alias or name for name, info in current.model_fields.items()}
    return frozenset(names - {"literal"})


def _nested(annotation: object) -> tuple[type[Spec] | None, bool]:
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        return annotation, False
    free = typing.get_origin(annotation) is Mapping
    for argument in typing.get_args(annotation):
        found, _ = _nested(argument)
        if found is not None:
            return found, free
    return None, free


def _path(location: tuple[int | str, ...]) -> str:
    words = ""
    for part in location:
        if part == "[key]":
            continue
        words += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if words else str(part)
    return words


def _subject(location: tuple[int | str, ...], agent: str | None) -> str:
    path = _path(location)
    if not path:
        return f'the entry of agent "{agent}"' if agent else "this"
    return f'"{path}" of agent "{agent}"' if agent else f'"{path}"'


def _inside(location: tuple[int | str, ...]) -> str:
    path = _path(location)
    return f' in "{path}"' if path else ""


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1] if words else "something else"
