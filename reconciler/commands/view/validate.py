"""`mosaic fleet validate`: every problem of a fleet's files, before they are committed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from reconciler.commands.options import files_argument, output_option
from specs.dataclass import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.base import Json
    from reconciler.cli.output import Format, Output
    from specs.loading.origins import ValueOrigin
    from specs.values.problems import Problem

KINDS = ("error", "warning")


@click.command(epilog="\b\nExample:\n  mosaic fleet validate ~/fleet --host build-1\n")
@files_argument
@click.option("--host", metavar="NAME", help="Also say which agents this host would run.")
@click.option("--explain", metavar="AGENT", help="Also say where each value of this agent comes from.")
@output_option
@click.pass_obj
def command(output: Output, *, fleet: str | None, host: str | None, explain: str | None, form: Format) -> int:
    """Check roster.yaml, fleet.yaml, NORTH_STAR.yaml, roles/*.md and profiles/*.yaml of FLEET as they are now,
    committed or not.

    Reports every problem of all files at once. Exit code 78 if one of them keeps an agent from running.
    """
    from reconciler.changes.working_copy import fleet_folder, read_folder
    from reconciler.context.which_fleet import NOBODY
    from reconciler.errors import ExitCode, Usage
    from specs.loading.load import load

    with fleet_folder(fleet, os.environ) as folder:
        if folder is None:
            raise Usage("there is no roster.yaml here, and no fleet was named", help=NOBODY)
        files = read_folder(folder)
    loaded = load(files)
    agents = [agent.name for agent in loaded.roster.agents] if loaded.roster is not None else []
    mine = _on_host(files, host) if host is not None and loaded.roster is not None else None
    if loaded.roster is not None:
        loaded = replace(loaded, problems=(*loaded.problems, *_of_this_host(files, host)))
    code = ExitCode.OK if loaded.ok else ExitCode.INVALID_CONFIG
    explained = _explained(files, explain, [*agents, *loaded.held])
    if form != "text":
        document: dict[str, Json] = {
            "apiVersion": "mosaic.fleet/v1",
            "kind": "Validation",
            "valid": loaded.ok,
            "fleet": loaded.fleet.name if loaded.roster is not None else None,
            "agents": agents,
            "host": host,
            "host_agents": mine,
            "held": sorted(loaded.held),
            "origins": None
            if explained is None
            else [
                {
                    "key": one.key,
                    "value": one.value,
                    "source": one.source,
                    "line": one.line or None,
                    "column": one.column or None,
                    "lost": one.lost,
                }
                for one in explained
            ],
            "problems": [problem_document(problem) for problem in loaded.problems],
        }
        output.document(document, form)
        return int(code)
    from reconciler.helpers.words import count
    from specs.values.problems import render_each

    for text in render_each(loaded.problems):
        output.progress(text + "\n")
    if explained is not None:
        from reconciler.render.fleet_files.origins_text import origins_text

        output.result(origins_text(explained, paint=output.paint))
    errors, warnings = (len(render_each(p for p in loaded.problems if p.severity == kind)) for kind in KINDS)
    found = f"{count(errors, 'error')}, {count(warnings, 'warning')}"
    if loaded.roster is None:
        output.result(f"invalid: {found}; with this commit the last good revision would stay in force")
        return int(code)
    where = f", {len(mine)} of them on {host}: {', '.join(mine) or 'none'}" if mine is not None else ""
    state = "valid" if loaded.ok else f"invalid: {', '.join(sorted(loaded.held))} would be held"
    output.result(f"{state}: fleet {loaded.fleet.name}, {count(len({*agents, *loaded.held}), 'agent')}{where}; {found}")
    return int(code)


def _explained(files: Mapping[str, bytes], agent: str | None, known: list[str]) -> tuple[ValueOrigin, ...] | None:
    """Raises NotFound for a name that the roster does not have."""
    if agent is None:
        return None
    from reconciler.errors import unknown_agent
    from specs.fleet_files import ROSTER
    from specs.loading.origins import origins

    found = origins(files.get(ROSTER, b""), agent)
    if not found:
        raise unknown_agent(agent, known)
    return found


def _of_this_host(files: Mapping[str, bytes], host: str | None) -> tuple[Problem, ...]:
    """What this host shows: warnings, where it is one of the fleet's and its systemd answers."""
    from providers.machine.local_host import LocalHost
    from reconciler.changes.host_problems import host_problems
    from reconciler.changes.make_change import gather_here
    from reconciler.plan.desired import compile_files

    facts, settings = gather_here()
    own = settings.host or facts.hostname
    if host not in (None, own):
        return ()
    compiled = compile_files(files, revision="", host=own, facts=facts, path=settings.path)
    if compiled.fleet is None:
        return ()
    return host_problems(files, compiled.fleet, LocalHost(facts=facts).look(), facts)


def _on_host(files: Mapping[str, bytes], host: str) -> list[str]:
    from providers.machine.facts import gather
    from reconciler.plan.desired import compile_files

    compiled = compile_files(files, revision="", host=host, facts=gather(os.environ), path=())
    return [agent.name for agent in compiled.fleet.agents] if compiled.fleet is not None else []


def problem_document(problem: Problem) -> dict[str, Json]:
    """A problem as documents have it."""
    return {
        "severity": problem.severity,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "suggestion": problem.suggestion,
        "help": problem.help,
        "agent": problem.agent,
    }
