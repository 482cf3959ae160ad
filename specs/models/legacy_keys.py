"""Older spellings in rosters: camelCase keys, and a bare `~` for the home folder."""

from __future__ import annotations

from collections.abc import Iterator

from specs.models.roster import (
    AgentSpec,
    ChannelTarget,
    ChatTarget,
    Connector,
    Defaults,
    EnvSpec,
    MatrixTarget,
    Resources,
    RosterHead,
    RuntimeSpec,
    Tmux,
)
from specs.values.fields import Spec, camel
from specs.values.problems import Problem, SourceFile
from specs.yaml_text.tree import Node


def modernise(roster: Node, source: SourceFile, problems: list[Problem]) -> None:
    """Renames camelCase keys in place; the same key in both spellings is a duplicate. A bare `~` becomes text."""
    done: set[int] = set()  # an aliased mapping is met more than once
    for node, model in _mappings(roster):
        if id(node) in done:
            continue
        done.add(id(node))
        for old, new in _OLDER[model]:
            if old not in node.items:
                continue
            if new in node.items:
                line = node.keys[new].span.line
                hint = f'"{new}" is written on line {line}'
                message = f'duplicate key "{old}": another spelling of "{new}"'
                problems.append(source.problem(node.keys[old].span, message, suggestion=hint))
                node.repeated.add(new)
                del node.items[old], node.keys[old]
            else:
                node.items[new], node.keys[new] = node.items.pop(old), node.keys.pop(old)
        folder = node.items.get("working_directory")
        if folder is not None and folder.plain and folder.text == "~":
            folder.value = "~"  # YAML reads a bare ~ as nothing; whoever writes it here means the home folder


def _mappings(roster: Node) -> Iterator[tuple[Node, type[Spec]]]:
    yield roster, RosterHead
    for key, model in _SECTIONS:
        if key in roster.items:
            yield roster.items[key], model
    if "defaults" in roster.items:
        yield from _inherited(roster.items["defaults"])
    connector = roster.items.get("connector")
    for key, model in _TARGETS if connector else ():
        if connector and key in connector.items:
            yield connector.items[key], model
    if "runtimes" in roster.items:
        for runtime in roster.items["runtimes"].items.values():
            yield runtime, RuntimeSpec
    if "agents" in roster.items:
        for agent in roster.items["agents"].sequence:
            yield agent, AgentSpec
            yield from _inherited(agent)


def _inherited(entry: Node) -> Iterator[tuple[Node, type[Spec]]]:
    """What an agent's entry and `defaults` both have below them."""
    if "resources" in entry.items:
        yield entry.items["resources"], Resources
    for value in entry.items["env"].items.values() if "env" in entry.items else ():
        yield value, EnvSpec


_SECTIONS: tuple[tuple[str, type[Spec]], ...] = (("tmux", Tmux), ("defaults", Defaults), ("connector", Connector))
_TARGETS: tuple[tuple[str, type[Spec]], ...] = (
    ("matrix", MatrixTarget),
    ("discord", ChannelTarget),
    ("slack", ChannelTarget),
    ("telegram", ChatTarget),
)
_MODELS: tuple[type[Spec], ...] = (
    RosterHead,
    Tmux,
    Defaults,
    Connector,
    MatrixTarget,
    ChannelTarget,
    ChatTarget,
    RuntimeSpec,
    AgentSpec,
    Resources,
    EnvSpec,
)
_OLDER = {
    model: tuple((camel(name), name) for name, info in model.model_fields.items() if "_" in name and not info.alias)
    for model in _MODELS
}
