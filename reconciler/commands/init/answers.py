"""The answers of `mosaic fleet init`: from flags, from a person, or by default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.changes.new_repository import InitTarget
    from reconciler.cli.output import Output
    from reconciler.commands.init.ask import Asker
    from reconciler.context.settings import Settings
    from specs.scaffold.starter import Choices


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the flags say of the files; None: not said."""

    preset: str | None
    name: str | None
    agents: str | None
    runtimes: tuple[str, ...]
    socket: str | None
    working_directory: str | None
    mission: str | None


def begin(
    output: Output, asker: Asker, given: Given, target: InitTarget, facts: HostFacts, settings: Settings
) -> Choices:
    """The answers for a fleet that begins."""
    from reconciler.commands.init.ask import ask_names, ask_preset, best_preset, choose_runtimes
    from specs.loading.load import load
    from specs.scaffold.presets import PRESETS
    from specs.scaffold.starter import Choices
    from specs.values.names import name_fault

    found = _programs(output, facts, settings)
    preset = PRESETS[given.preset or ask_preset(asker, best_preset(found), keep=False)]
    usual = load(target.files).fleet.name if "fleet.yaml" in target.files else preset.name
    name = given.name or asker.text("Its name? It stays, once a host has seen it.", usual, name_fault)
    names = ask_names(asker, preset, given.agents)
    runtimes = choose_runtimes(asker, preset, names, given.runtimes, found)
    strange = sorted({runtime for runtime in runtimes.values() if runtime not in found and runtime != "stub"})
    if strange:
        output.warning(f"not found on this machine, and needed before their agents run: {', '.join(strange)}")
    socket = given.socket or _socket(asker, facts)
    folder = given.working_directory or asker.text("Where do agents begin?", "~", _folder_fault)
    _must_be_there(output, folder, facts)
    mission = given.mission or asker.text("What is it for?", preset.mission)
    return Choices(
        preset=preset,
        name=name,
        names=names,
        runtimes=runtimes,
        socket=socket,
        working_directory=folder,
        mission=mission,
    )


def change(
    output: Output, asker: Asker, given: Given, target: InitTarget, facts: HostFacts, settings: Settings
) -> Choices:
    """The answers for a fleet that is there: what is said, and what is answered otherwise than it is."""
    from reconciler.changes.proposal import cannot_edit
    from reconciler.commands.init.ask import KEEP, ask_preset, by_agent, choose_runtimes
    from reconciler.errors import unknown_agent
    from specs.editing.edit import EditError, entries
    from specs.loading.load import load
    from specs.scaffold.presets import PRESETS
    from specs.scaffold.starter import Choices, missing

    if given.agents is not None:
        raise click.UsageError("an agent's name is what it is known by: --agents is for a fleet that begins")
    try:
        known = entries(target.files["roster.yaml"])
    except EditError as error:
        raise cannot_edit(error) from error
    loaded = load(target.files)
    everybody, single = by_agent(given.runtimes)
    word = given.preset or ask_preset(asker, KEEP, keep=True)
    preset = PRESETS.get(word)
    more = missing(preset, known) if preset else ()
    added = {slot.name: slot.name for slot in more}
    for name in single:
        if name not in known and name not in added:
            raise unknown_agent(name, [*known, *added])
    runtimes = dict.fromkeys(known, everybody) if everybody else {}
    if preset and more:
        about = [one for one in given.runtimes if "=" not in one or one.partition("=")[0] in added]
        found = _programs(output, facts, settings)
        runtimes |= choose_runtimes(asker, replace(preset, slots=more), added, about, found)
    head = loaded.roster
    now = {
        "socket": head.tmux.socket_name if head else "",
        "folder": head.defaults.working_directory if head else "~",
        "mission": loaded.north_star.mission if loaded.north_star else "",
    }
    socket = given.socket or asker.text("Name of its tmux server?", now["socket"], _socket_fault)
    folder = given.working_directory or asker.text("Where do agents begin?", now["folder"], _folder_fault)
    mission = given.mission or asker.text("What is it for?", now["mission"])
    name = given.name or _again_named(asker, target, loaded.fleet.name, facts)
    return Choices(
        preset=preset,
        name=None if name == loaded.fleet.name else name,
        runtimes=runtimes | single,
        socket=None if socket == now["socket"] else socket,
        working_directory=None if folder == now["folder"] else folder,
        mission=None if mission == now["mission"] else mission,
    )


def _socket(asker: Asker, facts: HostFacts) -> str:
    """Asked only where another fleet runs, whose tmux server this one would share."""
    from reconciler.context.which_fleet import known_fleets
    from specs.values.names import name_fault

    usual = "mosaic-fleet"
    return asker.text("Name of its tmux server?", usual, name_fault) if known_fleets(facts) else usual


def _again_named(asker: Asker, target: InitTarget, name: str, facts: HostFacts) -> str:
    """A fleet that has run here keeps its name: nothing is asked then."""
    from reconciler.context.bindings import read_bindings
    from reconciler.git.location import parse_place
    from specs.values.names import name_fault

    known = read_bindings(facts).names.get(parse_place(str(target.path)).key)
    return asker.text("Its name?", name, name_fault) if known is None else name


def _folder_fault(answer: str) -> str | None:
    if answer == "~" or answer.startswith(("/", "~/")):
        return None
    return "is not an absolute folder, and does not begin with ~/"


def _socket_fault(answer: str) -> str | None:
    from specs.values.names import name_fault

    return name_fault(answer) if answer else None


def _must_be_there(output: Output, folder: str, facts: HostFacts) -> None:
    path = Path(facts.home + folder[1:] if folder.startswith("~") else folder)
    if not path.is_dir():
        output.warning(f"{path} is not there yet, and no agent is started in it before it is: mkdir -p {path}")


def _programs(output: Output, facts: HostFacts, settings: Settings) -> Mapping[str, str]:
    """The runtimes that an agent would find on this machine, each with its version."""
    from reconciler.doctor.check import Unseen
    from reconciler.doctor.probes.runtimes import look

    seen = look(facts, os.environ, settings, None, {}, Unseen(why="an agent's PATH is made of this shell's"))
    found = {}
    for one in seen.programs:
        if one.path:
            found[one.runtime] = one.version if isinstance(one.version, str) else "a version that it does not tell"
            output.progress(f"found {one.runtime}: {found[one.runtime]} ({one.path})")
    missing = [one.runtime for one in seen.programs if not one.path]
    if missing:
        output.progress(f"not on this machine: {', '.join(missing)}")
    return found
