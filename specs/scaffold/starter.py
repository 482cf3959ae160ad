"""The files of a new fleet, from a preset and an operator's choices; also over existing files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from specs.dataclass import dataclass, field
from specs.editing.edit import add_agent, entries, set_agents, set_value
from specs.fleet_files import FLEET, NORTH_STAR, ROSTER
from specs.scaffold.presets import Preset, Slot
from specs.scaffold.schema import Which, schema_text
from specs.yaml_text.quoting import Style, YamlValue

SCHEMAS: Mapping[str, Which] = {ROSTER: "roster", FLEET: "fleet", NORTH_STAR: "north-star"}
_PLAIN = Style()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What was chosen. `names` and `runtimes` are by the preset's own names of its agents; what is not in them is as
    the preset has it. `preset` None: only what is said here changes."""

    preset: Preset | None = None
    name: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    runtimes: Mapping[str, str] = field(default_factory=dict)
    socket: str | None = None
    working_directory: str | None = None
    mission: str | None = None


def schema_path(file: str) -> str:
    """Where the schema of a file is, beside it in the repository."""
    return f"schemas/{SCHEMAS[file]}.schema.json"


def schema_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The schemas that these files name, by their paths in the repository."""
    named = {file: which for file, which in SCHEMAS.items() if schema_path(file).encode() in files.get(file, b"")}
    return {schema_path(file): schema_text(which).encode() for file, which in named.items()}


def new_files(choices: Choices, preset: Preset) -> dict[str, bytes]:
    """roster.yaml, fleet.yaml and NORTH_STAR.yaml of a fleet that begins."""
    return {
        ROSTER: _roster(choices, preset).encode(),
        FLEET: _rules(choices.name or preset.name, preset).encode(),
        NORTH_STAR: _mission_text(choices.mission or preset.mission).encode(),
    }


def head(file: str) -> str:
    """The first line of a new file: where its schema is, for editors."""
    return f"# yaml-language-server: $schema={schema_path(file)}\n"


def _roster(choices: Choices, preset: Preset) -> str:
    socket, folder = choices.socket or "mosaic-fleet", choices.working_directory or "~"
    rows = [
        "# Who is in the fleet. Edit it and commit, or let `mosaic fleet add` and `remove` do both.",
        "version: 1",
        "transport: tmux",
        "tmux:",
        f"  {_PLAIN.pair('socket_name', socket)}  # a tmux server of its own",
        "defaults:",
        f"  {_PLAIN.pair('working_directory', folder)}",
        "agents:",
    ]
    for number, slot in enumerate(preset.slots):
        entry = [_PLAIN.pair(key, value) for key, value in entry_of(slot, choices).items()]
        rows += [""] * bool(number) + [f"  # {slot.about}", f"  - {entry[0]}", *(f"    {row}" for row in entry[1:])]
    return head(ROSTER) + "\n".join(rows) + "\n"


def entry_of(slot: Slot, choices: Choices) -> dict[str, YamlValue]:
    """An agent as roster.yaml has it, key by key."""
    runtime = choices.runtimes.get(slot.name, slot.runtime)
    entry: dict[str, YamlValue] = {
        "name": choices.names.get(slot.name, slot.name),
        "runtime": runtime,
        "class": slot.agent_class,
    }
    if slot.model and runtime == slot.runtime:  # the name of a model means nothing to another program
        entry["model_hint"] = slot.model
    if not slot.yolo:
        entry["yolo"] = False
    if slot.persistent:
        entry["persistent_persona"] = slot.persistent
    if slot.reset:
        entry["reset_between_tasks"] = True
    if slot.after:
        entry["depends_on"] = tuple(choices.names.get(name, name) for name in slot.after)
    return entry


def _rules(name: str, preset: Preset) -> str:
    floor = {
        "two-agent": "floor: two-agent  # never without an orchestrator and an enhancer\n",
        "none": "floor: none  # one agent is below the usual floor\n",
    }[preset.floor]
    return (
        f"{head(FLEET)}# The rules of the fleet. What is not said here has its default.\n"
        f"version: 1\n{_PLAIN.pair('name', name)}  # stays as it is once a host has seen it\n{floor}"
        "reconcile:\n  rollout:\n    on_change: when-idle  # a restart waits until the agent is idle\n"
    )


def _mission_text(mission: str) -> str:
    return f"{head(NORTH_STAR)}# What the fleet is for.\nversion: 1\n{_PLAIN.pair('mission', mission)}\n"


def changed_files(files: Mapping[str, bytes], choices: Choices) -> dict[str, bytes]:
    """The files of a fleet that is there, with what was chosen, and all else as the operator wrote it.

    A preset adds what it has more of than the fleet, and takes nobody away. Raises EditError.
    """
    roster = files[ROSTER]
    if choices.socket is not None:
        roster = set_value(ROSTER, roster, ("tmux", "socket_name"), choices.socket)
    if choices.working_directory is not None:
        roster = set_value(ROSTER, roster, ("defaults", "working_directory"), choices.working_directory)
    known = entries(roster)
    runtimes = {name: {"runtime": runtime} for name, runtime in choices.runtimes.items() if name in known}
    roster = set_agents(roster, runtimes)
    for slot in missing(choices.preset, known) if choices.preset else ():
        roster = add_agent(roster, _fitting(entry_of(slot, choices), roster))
    made = {ROSTER: roster}
    rules, north_star = files.get(FLEET), files.get(NORTH_STAR)
    if choices.name is not None:
        # Without the file no floor holds; with it, one would, unless it says otherwise.
        rules = rules if rules is not None else f"{head(FLEET)}version: 1\nfloor: none\n".encode()
        made[FLEET] = set_value(FLEET, rules, ("name",), choices.name)
    if choices.mission is not None:
        made[NORTH_STAR] = _mission(north_star, choices.mission)
    return made


def _mission(north_star: bytes | None, mission: str) -> bytes:
    return (
        _mission_text(mission).encode()
        if north_star is None
        else set_value(NORTH_STAR, north_star, ("mission",), mission)
    )


def missing(preset: Preset, known: Mapping[str, Mapping[str, object]]) -> tuple[Slot, ...]:
    """The slots that nobody fills: not by name, and not by class."""
    there = [entry for entry in known.values() if entry.get("state") != "absent"]
    have = Counter(str(entry.get("class", "worker")) for entry in there)
    found = []
    for slot in preset.slots:
        if have[slot.agent_class]:
            have[slot.agent_class] -= 1
        elif slot.name not in known:
            found.append(slot)
    return tuple(found)


def _fitting(entry: dict[str, YamlValue], roster: bytes) -> dict[str, YamlValue]:
    """`depends_on` names the orchestrator that there is, whatever its name."""
    known = entries(roster)
    leads = [name for name, one in known.items() if one.get("class") == "orchestrator"]
    after = entry.get("depends_on")
    if isinstance(after, tuple):
        entry["depends_on"] = tuple(name if name in known else leads[0] for name in after if name in known or leads)
        if not entry["depends_on"]:
            del entry["depends_on"]
    return entry
