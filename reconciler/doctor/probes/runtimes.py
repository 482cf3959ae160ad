"""Find the program of each runtime as an agent's pane does; this and agent-pane must agree."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from providers.host import HostFacts
from providers.processes.process import Child, SpawnError
from providers.processes.program_check import program_fault
from providers.processes.program_path import found, search_path
from reconciler.context.settings import Settings, settings_path
from reconciler.doctor.check import Unseen
from reconciler.doctor.probes.host import whereabouts
from reconciler.doctor.runtimes import RuntimeProgram, Runtimes
from reconciler.helpers.redact import one_line
from specs.compiled import Agent, Fleet
from specs.dataclass import dataclass
from specs.models.runtimes import KNOWN

TIMEOUT_S = 20.0  # a program of 200 MB starts slowly on a machine that is busy
_LINE_MAX = 80


@dataclass(frozen=True, slots=True)
class _Use:
    runtime: str
    program: str
    search: str


def look(
    facts: HostFacts,
    environ: Mapping[str, str],
    settings: Settings,
    fleet: Fleet | None,
    panes: Mapping[str, Mapping[str, str]],
    manager: Mapping[str, str] | Unseen,
) -> Runtimes:
    """`panes`: what each tmux server hands to its panes, by socket; where none runs it is what `manager` has. Without a
    fleet: every program that is known here."""
    base = environ if isinstance(manager, Unseen) else {**manager, "HOME": environ.get("HOME", facts.home)}
    uses: dict[_Use, list[str]] = {}
    if fleet is None:
        search = search_path(base, settings.path, facts.bin_dir)
        uses = {_Use(name, name, search): [] for name in KNOWN if name != "stub"}
    else:
        for agent in fleet.agents:
            if agent.state == "running" and agent.held is None and agent.argv:
                # A new pane has the PATH of the client that asks for it, which is the agent's unit.
                given = {**(panes.get(agent.socket) or base), "PATH": base.get("PATH", "")}
                around = _environment(agent, given)
                search = search_path(around, agent.path, facts.bin_dir)
                uses.setdefault(_Use(agent.runtime, agent.argv[0], search), []).append(agent.name)
    file = str(settings_path(facts.config_home))
    return Runtimes(
        programs=_programs(uses, environ, facts),
        settings_file=file,
        path_is_set=bool(settings.path),
        npm=bool(whereabouts("npm", environ)),
    )


def _environment(agent: Agent, around: Mapping[str, str]) -> dict[str, str]:
    own = {name: value.literal for name, value in agent.env if value.literal is not None}
    return {**around, **own}


def _programs(
    uses: Mapping[_Use, Sequence[str]], environ: Mapping[str, str], facts: HostFacts
) -> tuple[RuntimeProgram, ...]:
    paths = {use: found(use.program, use.search) for use in uses}
    asked = {use: _begin(path, use, environ) for use, path in paths.items() if path}
    programs = []
    for use, agents in uses.items():
        path = paths[use]
        version = _finish(asked[use], use.program) if path else Unseen(why="not found")
        elsewhere = "" if path or "/" in use.program else _elsewhere(use.program, environ, facts)
        programs.append(
            RuntimeProgram(
                runtime=use.runtime,
                program=use.program,
                agents=tuple(agents),
                path=path,
                version=version,
                elsewhere=elsewhere,
                search=use.search,
                fault=program_fault(use.runtime, use.program, use.search),
            )
        )
    return tuple(programs)


def _elsewhere(program: str, environ: Mapping[str, str], facts: HostFacts) -> str:
    """Where a person has it and an agent does not: on this shell's PATH, or where version managers put it."""
    if found := whereabouts(program, environ):
        return found
    for manager in (".nvm/versions/node", ".local/share/fnm/node-versions", ".volta", ".bun", ".asdf", ".opencode"):
        top = f"{facts.home}/{manager}"
        for folder in (
            f"{top}/bin",
            *(f"{top}/{name}{sub}/bin" for name in _names(top) for sub in ("", "/installation")),
        ):
            path = f"{folder}/{program}"
            if os.access(path, os.X_OK) and os.path.isfile(path):
                return path
    return ""


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder), reverse=True)
    except OSError:
        return []


def _begin(path: str, use: _Use, environ: Mapping[str, str]) -> Child | Unseen | str:
    if use.runtime == "stub":
        return "stub"  # the stub is ours, and asking Python for its version says nothing about it
    try:
        return Child([path, "--version"], {**environ, "PATH": use.search}, timeout_s=TIMEOUT_S, limit=1 << 16)
    except SpawnError as error:
        return Unseen(why=str(error))


def ask_version(path: str, environ: Mapping[str, str]) -> str | Unseen:
    """The first line of what a program says of its version."""
    try:
        child = Child([path, "--version"], environ, timeout_s=TIMEOUT_S, limit=1 << 16)
    except SpawnError as error:
        return Unseen(why=str(error))
    return _finish(child, os.path.basename(path))


def _finish(child: Child | Unseen | str, program: str) -> str | Unseen:
    if not isinstance(child, Child):
        return child
    try:
        done = child.finish()
    except SpawnError as error:
        return Unseen(why=str(error))
    said = (done.out or done.err).decode("utf-8", "replace").strip()
    if done.status != 0:
        return Unseen(why=one_line(said, _LINE_MAX) or f"{program} ended with status {done.status}")
    return one_line(said.splitlines()[0] if said else "", _LINE_MAX) or Unseen(why="it prints nothing")
