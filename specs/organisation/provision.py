"""The files that a system type implies: new ones, or existing ones with the empty seats filled."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import count

from specs import library
from specs.dataclass import dataclass, field, replace
from specs.editing.edit import add_agent, entries, set_value
from specs.fleet_files import FLEET, NORTH_STAR, ROSTER
from specs.scaffold.presets import Preset, Slot
from specs.scaffold.starter import Choices, entry_of, head, new_files
from specs.types.repository_extras import RepositoryExtras
from specs.types.system_type import FLOOR, Seat, SystemType
from specs.values.names import LONGEST, session_name
from specs.yaml_text.quoting import Style

NAMES = "seat-names.yaml"  # below `specs.library`
_PLAIN = Style()
_SCHEMA = re.compile(rb"# yaml-language-server: \$schema=([^\r\n]*)roster\.schema\.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was chosen beside the type. `runtimes` are by class; `name` and `mission` None: as the type has it."""

    runtimes: Mapping[str, str] = field(default_factory=dict)
    default_runtime: str = "claude"
    name: str | None = None
    mission: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Implied:
    """`files` are the new contents by name, also of what does not differ. `added` are names of agents. `surplus` are
    classes of which the fleet has more than the type (they stay), with how many there are."""

    files: Mapping[str, bytes]
    added: tuple[str, ...]
    surplus: Mapping[str, int]


@cache
def seat_names() -> Mapping[str, str]:
    """What agents are called for their class, where the class itself is not a name for somebody."""
    from specs.values.problems import Problem
    from specs.yaml_text.read import read

    problems: list[Problem] = []
    _, tree = read(NAMES, library.text(NAMES).encode(), problems)
    if tree is None or problems:
        raise ValueError(f"the shipped {NAMES} is damaged: {problems[0].message if problems else 'empty'}")
    return {key: node.text for key, node in tree.items.items()}


def filled(roster: Mapping[str, Mapping[str, object]], own: RepositoryExtras) -> Mapping[str, tuple[str, ...]]:
    """The agents of a roster by the class whose seats they fill, in its order. One that is declared absent fills its
    seat, too: whoever removed it in that way wants the seat to stay empty."""
    found: dict[str, list[str]] = {}
    for name, entry in roster.items():
        found.setdefault(own.class_of(str(entry.get("class", "worker"))), []).append(name)
    return {one: tuple(names) for one, names in found.items()}


def slots(
    wanted_type: SystemType,
    own: RepositoryExtras,
    wanted: Wanted,
    roster: Mapping[str, Mapping[str, object]],
    holder: str,
) -> tuple[Slot, ...]:
    """The seats of the type that nobody in the roster fills, each with the name that its agent gets. Raises KeyError
    for a class without a contract, which a type that was read cannot have."""
    taken = {session_name(one) for one in (*roster, holder)}
    there = filled(roster, own)
    made: list[Slot] = []
    for _, seat in wanted_type.walk():
        for _ in range(seat.multiplicity - len(there.get(seat.agent_class, ()))):
            made.append(_slot(seat, own, wanted, taken))
            taken.add(session_name(made[-1].name))
    first = _first(wanted_type, filled({name: one for name, one in roster.items() if not _absent(one)}, own), made)
    return tuple(
        one if one.agent_class in FLOOR or one.name == first or not first else replace(one, after=(first,))
        for one in made
    )


def provision(files: Mapping[str, bytes], wanted_type: SystemType, own: RepositoryExtras, wanted: Wanted) -> Implied:
    """The fleet's files with every seat of the type filled, and all that is there as it was written. Raises EditError
    if the roster or fleet.yaml cannot be edited."""
    roster = files.get(ROSTER)
    known = entries(roster) if roster is not None else {}
    missing = slots(wanted_type, own, wanted, known, _holder(files))
    if roster is None:
        choices = Choices(name=wanted.name)
        preset = Preset(name=wanted_type.id, about=wanted_type.title, slots=missing, mission=wanted_type.mission)
        roster = new_files(choices, preset)[ROSTER]
    else:
        for slot in missing:
            roster = add_agent(roster, entry_of(slot, Choices()))
    made = {ROSTER: roster, FLEET: _rules(files, wanted_type, wanted)}
    if NORTH_STAR not in files:
        made[NORTH_STAR] = _mission_text(files, wanted_type, wanted)
    there = Counter({one: len(names) for one, names in filled(known, own).items()})
    more = {one.agent_class: there[one.agent_class] for one in wanted_type.roster}
    return Implied(
        files=made,
        added=tuple(one.name for one in missing),
        surplus={one.agent_class: more[one.agent_class] for one in wanted_type.roster
                 if more[one.agent_class] > one.multiplicity},
    )  # fmt: skip


def _absent(entry: Mapping[str, object]) -> bool:
    return entry.get("state") == "absent"


def _slot(seat: Seat, own: RepositoryExtras, wanted: Wanted, taken: Collection[str]) -> Slot:
    contract = own.resolve(seat.agent_class)
    if contract is None:
        raise KeyError(seat.agent_class)
    lasting = contract.persistent or False
    runtime = wanted.runtimes.get(seat.agent_class, wanted.default_runtime)
    one_of_a_kind = bool(lasting) and seat.multiplicity == 1
    return Slot(
        name=next(name for name in _names(seat.agent_class, bare=one_of_a_kind) if session_name(name) not in taken),
        runtime=runtime,
        agent_class=seat.agent_class,
        about=" ".join("".join(c if c.isprintable() else " " for c in contract.purpose).split()),  # on one line
        persistent=lasting,
        reset=not lasting,  # one that remembers nothing begins each task again
    )


def _names(agent_class: str, *, bare: bool) -> Iterator[str]:
    """`orchestrator`, then `orchestrator1`; or `coder0`, `coder1` and so on."""
    role = seat_names().get(agent_class, agent_class)[: LONGEST - 4]
    if bare:
        yield role
    for number in count(1 if bare else 0):
        yield f"{role}{number}"


def _first(wanted_type: SystemType, there: Mapping[str, tuple[str, ...]], made: Collection[Slot]) -> str:
    """The agent that the others are started after: the orchestrator, else the lead; "" if there is neither."""
    for agent_class in (FLOOR[0], wanted_type.lead):
        names = [*there.get(agent_class, ()), *(one.name for one in made if one.agent_class == agent_class)]
        if names:
            return names[0]
    return ""


def _holder(files: Mapping[str, bytes]) -> str:
    from specs.loading.load import load

    loaded = load(files)
    return loaded.roster.tmux.holder_session if loaded.roster is not None else "_holder"


def _head(files: Mapping[str, bytes], file: str) -> str:
    """A new file names its schema where the roster does, and as it does; beside a new roster, all do."""
    if ROSTER not in files:
        return head(file)
    found = _SCHEMA.match(files[ROSTER].removeprefix(b"\xef\xbb\xbf"))
    if found is None:
        return ""
    folder = found[1].decode("utf-8", "replace")
    return f"# yaml-language-server: $schema={folder}{head(file).rstrip().rpartition('/')[2]}\n"


def _rules(files: Mapping[str, bytes], wanted_type: SystemType, wanted: Wanted) -> bytes:
    rules = files.get(FLEET)
    if rules is not None:
        from specs.loading.load import load

        says = load(
            {FLEET: rules}
        ).fleet.floor  # without one it is two-agent: that is only written down, never loosened
        if says is None and wanted_type.fleet_floor == "two-agent":
            rules = set_value(FLEET, rules, ("floor",), "two-agent")
        return set_value(FLEET, rules, ("type",), wanted_type.id)
    why = {
        "two-agent": "never without an orchestrator and an enhancer",
        "none": "the type's own floor has not both an orchestrator and an enhancer",
    }[wanted_type.fleet_floor]
    return (
        f"{_head(files, FLEET)}# The rules of the fleet. What is not said here has its default.\n"
        f"version: 1\n{_PLAIN.pair('name', wanted.name or wanted_type.id)}"
        "  # stays as it is once a host has seen it\n"
        f"{_PLAIN.pair('type', wanted_type.id)}  # whose seats the fleet fills: mosaic fleet org\n"
        f"floor: {wanted_type.fleet_floor}  # {why}\n"
        "reconcile:\n  rollout:\n    on_change: when-idle  # a restart waits until the agent is idle\n"
    ).encode()


def _mission_text(files: Mapping[str, bytes], wanted_type: SystemType, wanted: Wanted) -> bytes:
    """A skeleton: the mission, and the shape of what else may be said."""
    return (
        f"{_head(files, NORTH_STAR)}# What the fleet is for. Put the mission in your own words; then say what follows "
        "from it, in this form:\n#\n"
        "# standing_objectives:\n#   - id: O-1\n#     text: What is always pursued.\n"
        "# success_criteria:\n#   - id: SC-1\n#     text: What can be checked once it is reached.\n"
        "# workstreams:\n#   - id: W-1\n#     title: A line of work\n"
        "# goals:\n#   - id: G-1\n#     title: Something to reach\n#     phase: 1\n#     priority: must-have\n"
        "# assumptions:\n#   - id: A-1\n#     text: What is taken for granted until somebody says otherwise.\n"
        f"version: 1\n{_PLAIN.pair('mission', wanted.mission or wanted_type.mission)}\n"
    ).encode()
