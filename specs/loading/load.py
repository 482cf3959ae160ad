"""Read all files of a fleet, and collect every problem: three at its root, contracts and profiles in folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, TypeVar

from specs.dataclass import dataclass, field
from specs.fleet_files import (
    FILES,
    FLEET,
    FOLDERS,
    NORTH_STAR,
    PROFILES,
    ROLES,
    ROSTER,
    spec_path,
)

if TYPE_CHECKING:
    from specs.loading.known_entries import KnownEntries, ShortRoster
    from specs.models.entries import AgentEntry
    from specs.models.explain import Explainer
    from specs.models.fleet import FleetSpec
    from specs.models.north_star import NorthStar
    from specs.models.roster import AgentSpec, Roster, RosterHead
    from specs.personas.persona import Persona
    from specs.values.fields import Spec
    from specs.values.problems import Problem, SourceFile
    from specs.values.suggest import Suggester
    from specs.yaml_text.tree import Node

Model = TypeVar("Model", bound="Spec")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """What could be read, and all that is wrong with it.

    `problems` is everything, in the order of the files. `errors_fatal` concern a file as a whole, or every agent: with
    any of them there is no fleet. `held` are agents whose own entry is wrong; `held_specs` is what could be read of
    each.
    """

    problems: tuple[Problem, ...]
    errors_fatal: tuple[Problem, ...]
    held: Mapping[str, tuple[Problem, ...]]
    held_specs: Mapping[str, AgentSpec]
    roster: Roster | None  # the good agents; None exactly when there are fatal errors
    fleet: FleetSpec
    north_star: NorthStar | None
    floor: Literal["two-agent", "none"]
    roles: Mapping[str, Persona] = field(default_factory=dict)  # the operator's own contracts, by class

    @property
    def ok(self) -> bool:
        """True when nothing is wrong but, at most, warnings."""
        return not self.errors_fatal and not self.held

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "warning")


def load(files: Mapping[str, bytes], known: KnownEntries | None = None) -> LoadResult:
    """Reads `roster.yaml`, `fleet.yaml`, `NORTH_STAR.yaml`, `roles/*.md` and `profiles/*.yaml` by name; only the first
    is required. `known`: agents that were read before, by default all that this process has read; the result does not
    depend on it. Never raises."""
    from specs.loading.known_entries import KNOWN_ENTRIES, NotShort
    from specs.values.collector import paused_collector
    from specs.values.suggest import Suggester

    with paused_collector():
        known = known or KNOWN_ENTRIES
        short = known.shorten(files.get(ROSTER, b""))
        if short is not None:
            with suppress(NotShort):
                return _Loading(files, Suggester(), known, short).result()
        return _Loading(files, Suggester(), known).result()


class _Loading:
    """One load. The order matters only for what a check needs to know from another file. `short`: read this in the
    place of the roster; NotShort is raised where that is not enough."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        suggester: Suggester,
        known: KnownEntries,
        short: ShortRoster | None = None,
    ) -> None:
        self.files = files
        self.known, self.short = known, short
        self.near = suggester
        self.fatal: list[Problem] = []
        self.warnings: list[Problem] = []
        self.roles: dict[str, Persona] = {}
        self.bad_roles: dict[str, list[Problem]] = {}

    def result(self) -> LoadResult:
        from specs.models.fleet import FleetSpec
        from specs.models.north_star import NorthStar
        from specs.models.roster import Roster

        fleet_source, fleet_tree, fleet_read = self._file(FLEET, FleetSpec)
        north_star_source, north_star_tree, north_star = self._file(NORTH_STAR, NorthStar)
        fleet = fleet_read or FleetSpec()
        floor = fleet.floor or ("two-agent" if fleet_read is not None else "none")
        self._roles()
        self._types(fleet, fleet_tree, fleet_source)
        head, entries = self._roster(fleet, floor)
        names = {entry.name for entry in entries if entry.name}
        if fleet_read is not None and fleet_tree is not None and entries:
            from specs.loading.checks import check_fleet

            classes = {entry.spec.agent_class for entry in entries if entry.spec is not None}
            self.fatal += check_fleet(fleet, fleet_tree, fleet_source, names, classes, self.near)
        if north_star is not None and north_star_tree is not None:
            from specs.mission.checks import check_north_star

            self.fatal += check_north_star(north_star, north_star_tree, north_star_source, self.near)
        errors = _unique(p for p in self.fatal if p.severity == "error")
        self.warnings += [p for p in self.fatal if p.severity == "warning"]
        wrong = {entry.name: entry for entry in entries if entry.name and entry.problems}
        good = tuple(entry.spec for entry in entries if entry.spec is not None and not entry.problems)
        if wrong and all(spec.state == "absent" for spec in good):
            errors = _unique([*errors, *(problem for entry in wrong.values() for problem in entry.problems)])
        roster = None if errors or head is None else Roster.model_construct(**dict(head), agents=good)
        held = {name: _unique(sorted(entry.problems, key=_position)) for name, entry in wrong.items()}
        everything = [*errors, *self.warnings, *(problem for one in held.values() for problem in one)]
        return LoadResult(
            problems=_unique(sorted(everything, key=_position)),
            errors_fatal=errors,
            held=held,
            held_specs={name: entry.spec for name, entry in wrong.items() if entry.spec is not None},
            roster=roster,
            fleet=fleet,
            north_star=north_star,
            floor=floor,
            roles=self.roles,
        )

    def _roles(self) -> None:
        names = sorted(name for name in self.files if name.startswith(f"{ROLES}/") and spec_path(name))
        if not names:
            return
        from specs.personas.overrides import read_role

        for name in names:
            found: list[Problem] = []
            persona = read_role(name, self.files[name], found)
            self.warnings += [problem for problem in found if problem.severity == "warning"]
            wrong = [problem for problem in found if problem.severity == "error"]
            stem = name.partition("/")[2].removesuffix(FOLDERS[ROLES])
            if wrong:
                self.bad_roles[stem] = wrong
            elif persona is not None:
                self.roles[stem] = persona

    def _types(self, fleet: FleetSpec, tree: Node | None, source: SourceFile) -> None:
        if any(name.startswith(f"{PROFILES}/") for name in self.files):
            from specs.types.checks import check_profiles

            self.warnings += check_profiles(self.files, self.roles.keys() | self.bad_roles.keys())
        if fleet.type is not None and tree is not None:
            from specs.types.checks import check_type

            self.warnings += check_type(fleet, tree, source, self.files.keys(), self.near)

    def _file(self, name: str, model: type[Model]) -> tuple[SourceFile, Node | None, Model | None]:
        """Reads and validates one whole file; what is wrong with it is fatal."""
        from pydantic import ValidationError

        from specs.values.problems import SourceFile
        from specs.yaml_text.read import read
        from specs.yaml_text.secret_scan import scan

        if name not in self.files:
            return SourceFile(name), None, None
        source, tree = read(name, self.files[name], self.fatal)
        if tree is None:
            return source, None, None
        self.fatal += scan(tree, source)
        try:
            return source, tree, model.model_validate(tree.data())
        except ValidationError as error:
            self.fatal += self._explainer(source).explain(error, tree, model)
            return source, tree, None

    def _roster(
        self, fleet: FleetSpec, floor: Literal["two-agent", "none"]
    ) -> tuple[RosterHead | None, list[AgentEntry]]:
        from specs.loading.known_entries import NotShort
        from specs.models.entries import place, read_entries
        from specs.models.legacy_keys import modernise
        from specs.values.problems import SourceFile, Span
        from specs.yaml_text.read import read
        from specs.yaml_text.secret_scan import scan

        if ROSTER not in self.files:
            missing = SourceFile(ROSTER).problem(Span(), "there is no roster.yaml", help="a fleet is at least a roster")
            self.fatal.append(missing)
            return None, []
        found: list[Problem] = []
        source, tree = read(ROSTER, self.files[ROSTER] if self.short is None else self.short.raw, found)
        if self.short is not None and not source.simple:
            raise NotShort
        if tree is None:
            self.fatal += found
            return None, []
        modernise(tree, source, found)
        explainer = self._explainer(source)
        head = self._head(tree, explainer)
        agents = self._agents(tree, source)
        if agents is None:
            if self.short is not None:
                raise NotShort
            self.fatal += found + scan(tree, source)
            return head, []
        fresh = read_entries(agents, explainer, self.fatal)
        found += scan(tree, source)
        self.fatal += place(found, fresh)
        entries = fresh if self.short is None else self.short.whole(fresh, tree.size)
        if head is not None:
            self._check(head, entries, fleet, tree, source)
            from specs.loading.checks import check_floor

            self.fatal += check_floor(entries, floor, tree.keys["agents"], source)
        self._learn(fresh, entries, source)
        return head, entries

    def _learn(self, fresh: list[AgentEntry], entries: list[AgentEntry], source: SourceFile) -> None:
        from specs.loading.known_entries import NotShort

        said = any(problem.file == ROSTER for problem in (*self.fatal, *self.warnings))
        clean = not said and not any(entry.problems for entry in entries)
        if self.short is not None:
            if not clean:
                raise NotShort
            self.known.learn(self.short.texts, fresh)
        elif clean and source.simple:
            self.known.learn_all(self.files[ROSTER], fresh)

    def _head(self, tree: Node, explainer: Explainer) -> RosterHead | None:
        from pydantic import ValidationError

        from specs.models.roster import Roster, RosterHead

        data = {key: node.data() for key, node in tree.items.items() if key != "agents"}
        try:
            return RosterHead.model_validate(data)
        except ValidationError as error:
            self.fatal += explainer.explain(error, tree, Roster)
            return None

    def _agents(self, tree: Node, source: SourceFile) -> Node | None:
        help_ = "an empty roster never means that all agents are to be removed; use `state: absent` for each"
        agents = tree.items.get("agents")
        if agents is None:
            self.fatal.append(source.problem(tree.span, 'missing key "agents"', help=help_))
        elif agents.kind != "sequence":
            message = f'"agents" must be a list, not {agents.describe()}'
            self.fatal.append(source.problem(agents.span, message, help=help_))
        elif not agents.sequence:
            self.fatal.append(source.problem(agents.span, "the roster has no agents", help=help_))
        else:
            return agents
        return None

    def _check(
        self, head: RosterHead, entries: list[AgentEntry], fleet: FleetSpec, tree: Node, source: SourceFile
    ) -> None:
        from specs.loading import checks
        from specs.models.runtimes import KNOWN

        runtimes = KNOWN.keys() | head.runtimes.keys()
        names = {entry.name for entry in entries if entry.name}
        self.fatal += checks.check_runtimes(head, tree, source, self.near)
        for entry in entries:
            checks.check_entry(entry, runtimes, fleet.hosts, names, source, self.near)
            self.warnings += checks.check_command(entry, source)
        self.warnings += checks.check_classes(entries, self.roles.keys() | self.bad_roles.keys(), source, self.near)
        self.warnings += checks.hold_by_role(entries, self.bad_roles)
        self.fatal += checks.check_sessions(entries, head, source)
        self.fatal += checks.check_agent_cycles(entries, source)

    def _explainer(self, source: SourceFile) -> Explainer:
        from specs.models.explain import Explainer

        return Explainer(source, self.near)


def _position(problem: Problem) -> tuple[int, str, int, int]:
    """The files of the root first, in their order."""
    root = FILES.index(problem.file) if problem.file in FILES else len(FILES)
    return root, problem.file, problem.line, problem.column


def _unique(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Without repetitions: an aliased value is validated wherever it is used, but is wrong in one place."""
    return tuple(dict.fromkeys(problems))
