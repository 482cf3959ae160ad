"""Read the agents of a roster one by one, so that a problem in one entry affects only that agent."""

from __future__ import annotations

from bisect import bisect_right

from pydantic import ValidationError

from specs.dataclass import dataclass, field, replace
from specs.models.explain import Explainer
from specs.models.roster import AgentSpec
from specs.values.names import name_fault
from specs.values.problems import Problem
from specs.yaml_text.tree import Node


@dataclass(slots=True)
class AgentEntry:
    """One item of `agents`. `spec` is what could be read of it; `name` is None when even that could not be."""

    node: Node
    name: str | None
    spec: AgentSpec | None = None
    problems: list[Problem] = field(default_factory=list)

    def at(self, *keys: str | int) -> Node:
        """The node below, as far as it exists."""
        node = self.node
        for key in keys:
            if isinstance(key, str) and key in node.items:
                node = node.items[key]
            elif isinstance(key, int) and key < len(node.sequence):
                node = node.sequence[key]
        return node


def read_entries(agents: Node, explainer: Explainer, fatal: list[Problem]) -> list[AgentEntry]:
    """Every entry, in the order of the file. What hides an agent's name, or doubles it, is fatal."""
    entries: list[AgentEntry] = []
    first: dict[str, Node] = {}
    for index, node in enumerate(agents.sequence):
        if node.kind != "mapping":
            problem = explainer.source.problem(
                node.span, f'"agents[{index + 1}]" must be a mapping, not {node.describe()}'
            )
            fatal.append(problem)
            continue
        name = _name(node)
        entry = AgentEntry(node, name)
        entries.append(entry)
        if name is not None and name in first:
            line = first[name].span.line
            fatal.append(
                explainer.source.problem(
                    node.items["name"].span,
                    f'duplicate agent "{name}"',
                    suggestion=f"first declared on line {line}",
                    agent=name,
                )
            )
        elif name is not None:
            first[name] = node.items["name"]
        _validate(entry, explainer, fatal)
    return entries


def place(problems: list[Problem], entries: list[AgentEntry]) -> list[Problem]:
    """Gives problems found by position to the entry that they are in; returns those that are in none."""
    entries = sorted(entries, key=lambda entry: (entry.node.span.line, entry.node.span.column))
    starts = [(entry.node.span.line, entry.node.span.column) for entry in entries]
    rest: list[Problem] = []
    for problem in problems:
        where = (problem.line, problem.column)
        index = bisect_right(starts, where) - 1
        entry = entries[index] if index >= 0 else None
        if entry is None or entry.name is None or where >= entry.node.until or "name" in entry.node.repeated:
            rest.append(problem)
        else:
            entry.problems.append(replace(problem, agent=entry.name))
    return rest


def _name(node: Node) -> str | None:
    written = node.items.get("name")
    if written is None or not isinstance(written.value, str) or name_fault(written.value):
        return None
    return written.value


def _validate(entry: AgentEntry, explainer: Explainer, fatal: list[Problem]) -> None:
    data = entry.node.data()
    try:
        entry.spec = AgentSpec.model_validate(data)
    except ValidationError as error:
        found = explainer.explain(error, entry.node, AgentSpec, entry.name)
        if entry.name is None:
            fatal.extend(found)
            return
        entry.problems.extend(found)
        wrong = {str(one["loc"][0]) for one in error.errors(include_url=False) if one["loc"]}
        entry.spec = _readable({key: value for key, value in data.items() if key not in wrong}, entry.name)


def _readable(data: dict[str, object], name: str) -> AgentSpec:
    """What is left of a wrong entry without its wrong keys; `runtime` is "" when that was one of them."""
    lost = "runtime" not in data
    spec = AgentSpec.model_validate({**data, "name": name, **({"runtime": "unknown"} if lost else {})})
    return spec.model_copy(update={"runtime": ""}) if lost else spec
