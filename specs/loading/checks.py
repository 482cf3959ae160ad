"""Checks that need more than one value: names that must exist, names that must differ, the floor."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

from specs.dataclass import replace
from specs.models.entries import AgentEntry
from specs.models.fleet import FleetSpec
from specs.models.roster import WELL_KNOWN_CLASSES, RosterHead
from specs.models.runtimes import KNOWN
from specs.personas.persona import ALIASES, contract_name, shipped_names
from specs.values.graph import circle_text, cycles
from specs.values.names import session_name
from specs.values.problems import Problem, SourceFile
from specs.values.suggest import Suggester
from specs.yaml_text.tree import Node

FloorPolicy = Literal["two-agent", "none"]
WHOLE_FLEET = EVERY_CLASS = "*"
FLOOR_HELP = "a fleet has exactly one orchestrator and at least one enhancer; `floor: none` in fleet.yaml lifts that"


def check_runtimes(roster: RosterHead, tree: Node, source: SourceFile, suggester: Suggester) -> list[Problem]:
    """A runtime that is not shipped needs a command."""
    problems = []
    for name, spec in roster.runtimes.items():
        if name not in KNOWN and spec.command is None:
            problems.append(
                source.problem(
                    tree.items["runtimes"].keys[name].span,
                    f'runtime "{name}" is not shipped and is declared without a command',
                    suggestion=suggester.phrase(name, KNOWN),
                    help="add `command:` with the program to start",
                )
            )
    return problems


def check_entry(
    entry: AgentEntry,
    runtimes: Iterable[str],
    hosts: Sequence[str] | None,
    names: set[str],
    source: SourceFile,
    near: Suggester,
) -> None:
    """What one entry says about things that must exist elsewhere; problems go to the entry."""
    spec, name = entry.spec, entry.name
    if spec is None:
        return
    known = sorted(runtimes)
    if spec.runtime and spec.runtime not in known:
        entry.problems.append(
            source.problem(
                entry.at("runtime").span,
                f'unknown runtime "{spec.runtime}" for agent "{name}"',
                suggestion=near.phrase(spec.runtime, known),
                help=f"runtimes known here: {', '.join(known)}; declare others under `runtimes:`",
                agent=name,
            )
        )
    if spec.host and hosts is not None and spec.host not in hosts:
        entry.problems.append(
            source.problem(
                entry.at("host").span,
                f'unknown host "{spec.host}" for agent "{name}"',
                suggestion=near.phrase(spec.host, hosts),
                help=f"hosts in fleet.yaml: {', '.join(hosts)}",
                agent=name,
            )
        )
    for index, other in enumerate(spec.depends_on):
        if other not in names:
            entry.problems.append(
                source.problem(
                    entry.at("depends_on", index).span,
                    f'agent "{name}" depends on "{other}", which is not in the roster',
                    suggestion=near.phrase(other, names),
                    agent=name,
                )
            )


def check_command(entry: AgentEntry, source: SourceFile) -> list[Problem]:
    """A warning for each key whose effect a `command` of the agent takes away."""
    spec = entry.spec
    if spec is None or spec.command is None:
        return []
    problems = []
    for key, way in (("model_hint", "put the model into `command`"), ("yolo", "put its flags into `command`")):
        if key not in spec.model_fields_set:
            continue
        message = f'"{key}" of agent "{entry.name}" has no effect: its `command` replaces the whole command line'
        help_ = f"{way}, or write `args` in the place of `command`: they are added to the program's own command"
        key_node = entry.node.keys.get(key, entry.node)
        problems.append(source.problem(key_node.span, message, severity="warning", help=help_, agent=entry.name))
    return problems


def check_classes(
    entries: Sequence[AgentEntry], own: Collection[str], source: SourceFile, near: Suggester
) -> list[Problem]:
    """A warning for what looks like a misspelt class, one for each such class, at the first agent that has it. Any
    class is allowed: one that is like no other is somebody's own, and nothing is said about it. `own`: the classes that
    the fleet itself has contracts for."""
    known = shipped_names() | ALIASES.keys() | set(WELL_KNOWN_CLASSES) | set(own)
    problems = []
    for written, first in _first_of_each(entries).items():
        meant = None if written in known else near.near(written, known, cutoff=0.85)
        if meant is not None:
            message = f'class "{written}" of agent "{first.name}" is not a known one'
            hint, way = f'did you mean "{meant}"?', f"if it is meant: roles/{written}.md says what it is there for"
            span = first.at("class").span
            found = source.problem(span, message, severity="warning", suggestion=hint, help=way, agent=first.name)
            problems.append(found)
    return problems


def _first_of_each(entries: Sequence[AgentEntry]) -> dict[str, AgentEntry]:
    """The first entry of each class, in the order of the file."""
    found: dict[str, AgentEntry] = {}
    for entry in entries:
        if entry.spec is not None:
            found.setdefault(entry.spec.agent_class, entry)
    return found


def hold_by_role(entries: Sequence[AgentEntry], bad: Mapping[str, Sequence[Problem]]) -> list[Problem]:
    """Gives the problems of each bad contract to the agents of that class, which are held by them. Returns, as
    warnings, those of contracts that no agent has."""
    used: set[str] = set()
    for entry in entries if bad else ():
        name = contract_name(entry.spec.agent_class, bad) if entry.spec is not None else ""
        if name in bad:
            used.add(name)
            entry.problems.extend(bad[name])
    return [replace(one, severity="warning") for name in sorted(bad.keys() - used) for one in bad[name]]


def check_sessions(entries: Sequence[AgentEntry], roster: RosterHead, source: SourceFile) -> list[Problem]:
    """Two agents of one tmux server, or an agent and the holder, must not share a session."""
    problems = []
    taken: dict[tuple[str | None, str, str], AgentEntry] = {}
    holder = session_name(roster.tmux.holder_session)
    for entry in entries:
        spec, name = entry.spec, entry.name
        if spec is None or name is None or spec.state == "absent":
            continue
        session = session_name(name)
        span = entry.at("name").span
        if session == holder:
            problems.append(
                source.problem(
                    span,
                    f'agent "{name}" would have the tmux session of the holder, "{holder}"',
                    help="rename the agent, or set `tmux: {holder_session: ...}`",
                    agent=name,
                )
            )
        place = (spec.host, roster.tmux.socket_name if spec.socket is None else spec.socket, session)
        other = taken.setdefault(place, entry)
        if other is not entry and other.name != name:
            problems.append(
                source.problem(
                    span,
                    f'agents "{other.name}" and "{name}" would share the tmux session "{session}"',
                    suggestion=f'"{other.name}" is on line {other.at("name").span.line}',
                    help='tmux turns "." into "_"; rename one of them',
                    agent=name,
                )
            )
    return problems


def check_agent_cycles(entries: Sequence[AgentEntry], source: SourceFile) -> list[Problem]:
    """`depends_on` must have a beginning."""
    by_name = {entry.name: entry for entry in entries if entry.name and entry.spec}
    edges = {name: entry.spec.depends_on for name, entry in by_name.items() if entry.spec}
    problems = []
    for circle in cycles(edges):
        last = by_name[circle[-1]]
        index = edges[circle[-1]].index(circle[0])
        problems.append(
            source.problem(
                last.at("depends_on", index).span,
                f"agents depend on each other in a circle: {circle_text(circle)}",
                agent=circle[-1],
            )
        )
    return problems


def check_floor(entries: Sequence[AgentEntry], floor: FloorPolicy, agents: Node, source: SourceFile) -> list[Problem]:
    """`two-agent`: exactly one orchestrator and at least one enhancer."""
    if floor == "none":
        return []
    present = [entry for entry in entries if entry.spec is not None and entry.spec.state != "absent"]
    classes: defaultdict[str, list[AgentEntry]] = defaultdict(list)
    for entry in present:
        if entry.spec is not None:
            classes[entry.spec.agent_class].append(entry)
    problems = []
    for entry in classes["orchestrator"][1:]:
        first = classes["orchestrator"][0]
        problems.append(
            source.problem(
                entry.at("class").span,
                f'agent "{entry.name}" is a second orchestrator',
                suggestion=f'the first is "{first.name}" on line {first.node.span.line}',
                help=FLOOR_HELP,
                agent=entry.name,
            )
        )
    for missing in ("orchestrator", "enhancer"):
        if not classes[missing]:
            meant = _meant(missing, classes)
            problem = source.problem(agents.span, f"the fleet has no {missing}", suggestion=meant, help=FLOOR_HELP)
            problems.append(problem)
    return problems


def _meant(missing: str, classes: Mapping[str, Sequence[AgentEntry]]) -> str | None:
    """An agent that has an older name of a class: it reads the same contract, and the floor goes by the class."""
    for name, entries in classes.items():
        if ALIASES.get(name) == missing and entries:
            return f'agent "{entries[0].name}" has the class {name}, an older name: write `class: {missing}`'
    return None


def check_fleet(
    fleet: FleetSpec, tree: Node, source: SourceFile, names: set[str], classes: set[str], near: Suggester
) -> list[Problem]:
    """Suspensions name agents that exist, once each; thresholds are in order; classes that somebody has."""
    problems = []
    seen: Counter[str] = Counter()
    for index, entry in enumerate(fleet.suspend):
        node = tree.items["suspend"].sequence[index].items["agent"]
        seen[entry.agent] += 1
        if entry.agent != WHOLE_FLEET and entry.agent not in names:
            hint = near.phrase(entry.agent, names)
            help_ = f'agents of this fleet are in roster.yaml; "{WHOLE_FLEET}" is all of them'
            problems.append(
                source.problem(
                    node.span, f'suspended agent "{entry.agent}" is not in the roster', suggestion=hint, help=help_
                )
            )
        elif seen[entry.agent] == 2:
            problems.append(source.problem(node.span, f'agent "{entry.agent}" is suspended twice'))
    for section, named in ((tree.items.get("mission"), fleet.mission.classes), (tree, fleet.classes)):
        for name in named:
            if section is None or name in classes or (section is tree and name == EVERY_CLASS):
                continue
            span = section.items["classes"].keys[name].span
            hint = near.phrase(name, classes)
            message = f'no agent has the class "{name}", so this has no effect'
            problems.append(source.problem(span, message, severity="warning", suggestion=hint))
    backoff, heartbeat = fleet.reconcile.backoff, fleet.heartbeat
    if backoff.initial > backoff.maximum:
        node = tree.items["reconcile"].items["backoff"]
        span = node.items.get("initial", node.items.get("maximum", node)).span
        problems.append(source.problem(span, '"reconcile.backoff.initial" must not be longer than "maximum"'))
    if heartbeat.stale_after is not None and heartbeat.stale_after <= heartbeat.interval:
        span = tree.items["heartbeat"].items["stale_after"].span
        problems.append(source.problem(span, '"heartbeat.stale_after" must be longer than "heartbeat.interval"'))
    return problems
