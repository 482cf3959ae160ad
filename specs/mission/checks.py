"""Checks of a mission as a whole: unique ids, known references, circles, and what belongs nowhere."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from specs.models.north_star import NorthStar
from specs.values.graph import circle_text, cycles
from specs.values.problems import Problem, SourceFile, Span
from specs.values.suggest import Suggester
from specs.yaml_text.tree import Node

# UTF-8 bytes of all texts with aliases expanded, so that what is made of them fits into a file that we would read.
MAX_BYTES = 1024 * 1024


def check_north_star(north_star: NorthStar, tree: Node, source: SourceFile, near: Suggester) -> list[Problem]:
    """Errors, and warnings about what may have been forgotten; the latter only where the file says such things at all,
    because older files say nothing of them."""
    check = _Check(north_star, tree, source, near)
    return [*check.size(), *check.ids(), *check.references(), *check.circles(), *check.left_over()]


class _Check:
    """One file. A goal's node is found by its place: an id may be there twice."""

    def __init__(self, north_star: NorthStar, tree: Node, source: SourceFile, near: Suggester) -> None:
        self.north_star, self.tree, self.source, self.near = north_star, tree, source, near

    def size(self) -> Iterator[Problem]:
        whole = sum(len(node.text.encode("utf-8", "surrogatepass")) for _, node in self.tree.walk())
        if whole > MAX_BYTES:
            help_ = "use fewer aliases"
            yield self.source.problem(self.tree.span, f"expands to more than {MAX_BYTES:,} bytes", help=help_)

    def ids(self) -> Iterator[Problem]:
        """One namespace for all: whoever says "G-1" means one thing."""
        first: dict[str, int] = {}
        sections: Mapping[str, Sequence[object]] = {
            "standing_objectives": self.north_star.standing_objectives,
            "success_criteria": self.north_star.success_criteria,
            "workstreams": self.north_star.workstreams,
            "goals": self.north_star.goals,
            "assumptions": self.north_star.assumptions,
        }
        for section, items in sections.items():
            for index in range(len(items)):
                node = self.tree.items[section].sequence[index].items["id"]
                if node.text in first:
                    hint = f"first used on line {first[node.text]}"
                    yield self.source.problem(node.span, f'duplicate id "{node.text}"', suggestion=hint)
                first.setdefault(node.text, node.span.line)

    def references(self) -> Iterator[Problem]:
        goals = {goal.id: goal for goal in self.north_star.goals}
        criteria = {one.id for one in self.north_star.success_criteria}
        streams = {one.id for one in self.north_star.workstreams}
        for at, goal in enumerate(self.north_star.goals):
            for index, other in enumerate(goal.depends_on):
                span = self._span(at, "depends_on", index)
                if other not in goals:
                    yield self._unknown(
                        span,
                        f'goal "{goal.id}" depends on "{other}", which is not a goal',
                        other,
                        goals.keys() - {goal.id},
                    )
                elif goal.state == "done" and goals[other].state != "done":
                    message = f'goal "{goal.id}" is done, and "{other}", which comes first, is not'
                    yield self.source.problem(span, message, severity="warning")
            if goal.workstream is not None and goal.workstream not in streams:
                message = f'goal "{goal.id}" belongs to "{goal.workstream}", which is not a workstream'
                yield self._unknown(self._span(at, "workstream"), message, goal.workstream, streams)
            for index, other in enumerate(goal.serves):
                if other not in criteria:
                    message = f'goal "{goal.id}" serves "{other}", which is not a success criterion'
                    yield self._unknown(self._span(at, "serves", index), message, other, criteria)

    def circles(self) -> Iterator[Problem]:
        edges = {goal.id: goal.depends_on for goal in self.north_star.goals}
        place = {goal.id: at for at, goal in enumerate(self.north_star.goals)}
        for circle in cycles(edges):
            span = self._span(place[circle[-1]], "depends_on", edges[circle[-1]].index(circle[0]))
            yield self.source.problem(span, f"goals depend on each other in a circle: {circle_text(circle)}")

    def left_over(self) -> Iterator[Problem]:
        streams = self.north_star.workstream_of()
        served = {criterion for goal in self.north_star.goals for criterion in goal.serves}
        if streams:
            for at, goal in enumerate(self.north_star.goals):
                if goal.id not in streams:
                    message = f'goal "{goal.id}" belongs to no workstream'
                    help_ = "add `workstream:` with the id of one"
                    yield self.source.problem(self._span(at, "id"), message, severity="warning", help=help_)
        if served:
            for at, one in enumerate(self.north_star.success_criteria):
                if one.id not in served:
                    node = self.tree.items["success_criteria"].sequence[at].items["id"]
                    message = f'no goal serves the success criterion "{one.id}"'
                    help_ = f"name it under `serves:` of the goals that work towards it: `serves: [{one.id}]`"
                    yield self.source.problem(node.span, message, severity="warning", help=help_)

    def _unknown(self, span: Span, message: str, name: str, known: Collection[str]) -> Problem:
        return self.source.problem(span, message, suggestion=self.near.phrase(name, known))

    def _span(self, goal: int, key: str, index: int | None = None) -> Span:
        node = self.tree.items["goals"].sequence[goal].items[key]
        return node.span if index is None else node.sequence[index].span
