"""`mosaic fleet north-star`: the mission, its projection, its goals and their graph, and what has changed in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import click

from reconciler.commands.options import files_argument, output_of, output_option

if TYPE_CHECKING:
    from providers.base import Json
    from reconciler.cli.output import Format, Output
    from specs.mission.goals import Standing


@click.command(epilog="\b\nExample:\n  mosaic fleet north-star validate ~/fleet\n")
@files_argument
@output_option
@click.pass_obj
def validate(output: Output, *, fleet: str | None, form: Format) -> int:
    """Check NORTH_STAR.yaml as it is now, committed or not.

    Ids must be unique in the whole file, every reference must name an id that exists, and no goal may depend on itself.
    It warns of goals without a workstream and of success criteria that no goal serves, if the file uses these at
    all.

    Exit code 78 if there is an error.
    """
    from reconciler.changes.north_star import folder_of, mission_in
    from reconciler.commands.view.validate import problem_document
    from reconciler.errors import ExitCode
    from reconciler.helpers.words import count

    with folder_of(fleet, os.environ) as folder:
        mission = mission_in(folder)
    north_star = mission.north_star
    code = ExitCode.OK if north_star is not None else ExitCode.INVALID_CONFIG
    if form != "text":
        document: dict[str, Json] = {
            **_head("NorthStarValidation"),
            "valid": north_star is not None,
            "goals": len(north_star.goals) if north_star is not None else 0,
            "success_criteria": len(north_star.success_criteria) if north_star is not None else 0,
            "workstreams": len(north_star.workstreams) if north_star is not None else 0,
            "problems": [problem_document(problem) for problem in mission.problems],
        }
        output.document(document, form)
        return int(code)
    for problem in mission.problems:
        output.progress(problem.render() + "\n")
    errors = sum(problem.severity == "error" for problem in mission.problems)
    counts = f"{count(errors, 'error')}, {count(len(mission.problems) - errors, 'warning')}"
    output.result(
        f"invalid: {counts}" if north_star is None else f"valid: {count(len(north_star.goals), 'goal')}; {counts}"
    )
    return int(code)


@click.command(epilog="\b\nExample:\n  mosaic fleet north-star render --check ~/fleet\n")
@files_argument
@click.option("--check", is_flag=True, help="Write nothing; exit code 3, with a diff, if it is not up to date.")
@click.option("--overwrite", is_flag=True, help="Also overwrite a NORTH_STAR.md that was not generated.")
@output_option
@click.pass_obj
def render(output: Output, *, fleet: str | None, check: bool, overwrite: bool, form: Format) -> int:
    """Write NORTH_STAR.md beside NORTH_STAR.yaml in FLEET: the same mission, for people to read.

    The same file gives the same text, whatever the order of its keys. A file of that name that was not generated is
    left alone. It commits nothing.
    """
    from reconciler.changes.north_star import difference, folder_of, mission_in, projection_in, valid, write_projection
    from reconciler.errors import ExitCode, Refused
    from specs.mission import projection

    with folder_of(fleet, os.environ, tree=not check) as folder:
        wanted = projection.render(valid(mission_in(folder), "NORTH_STAR.yaml"))
        there = projection_in(folder, wanted)
        written = not check and there.state != "current"
        if written and there.state == "not-generated" and not overwrite:
            raise Refused(f"{there.path} was not generated: {there.why}", help="move it away, or give --overwrite")
        if written:
            write_projection(folder, there, wanted)
    diff = difference(there, wanted)
    if form != "text":
        state: dict[str, Json] = {"path": str(there.path), "state": there.state, "written": written, "diff": diff}
        output.document({**_head("NorthStarProjection"), **state}, form)
    elif check:
        _print_check(output, there.state, str(there.path), diff)
    else:
        if written and there.state == "edited":
            output.warning(f"{there.path} had been edited by hand, and that is gone: change NORTH_STAR.yaml instead")
        output.result(f"wrote {there.path}" if written else f"{there.path} is up to date")
    return int(ExitCode.UNHEALTHY if check and there.state != "current" else ExitCode.OK)


def _print_check(output: Output, state: str, path: str, diff: str) -> None:
    from reconciler.render.fleet_files.diff_text import diff_text

    if state == "current":
        output.result(f"{path} is up to date")
        return
    if diff:
        output.result(diff_text(diff, paint=output.paint))
    said = {
        "missing": "is not there",
        "edited": "was edited by hand",
        "outdated": "is not that of NORTH_STAR.yaml as it is now",
        "not-generated": "was not generated",
    }
    output.progress(f"{path} {said[state]}; mosaic fleet north-star render writes it")


@click.command(name="next", epilog="\b\nExample:\n  mosaic fleet north-star next ~/fleet\n")
@files_argument
@output_option
@click.pass_obj
def next_(output: Output, *, fleet: str | None, form: Format) -> int:
    """List the goals that are ready: open, with every goal that they depend on done. The most urgent come first: by
    phase, then by priority (must-have, should-have, could-have, wont-have, then any other word), then by their order in
    the file.

    A goal is done when NORTH_STAR.yaml says `state: done`; nothing else decides that.
    """
    from reconciler.render.fleet_files.goals_text import goal_document, next_text
    from specs.mission.goals import ready

    goals = _goals(fleet)
    if form == "text":
        output.result(next_text(goals, paint=output.paint))
        return 0
    document: dict[str, Json] = {
        **_head("NorthStarNext"),
        "ready": [goal_document(one) for one in ready(goals)],
        "waiting": [goal_document(one) for one in goals if one.state == "waiting"],
        "done": [goal_document(one) for one in goals if one.state == "done"],
    }
    output.document(document, form)
    return 0


@click.command(epilog="\b\nExample:\n  mosaic fleet north-star graph ~/fleet -o svg > goals.svg\n")
@files_argument
@output_of("text", "svg", "json", "yaml")
@click.pass_obj
def graph(output: Output, *, fleet: str | None, form: Literal["text", "svg", "json", "yaml"]) -> int:
    """Draw the order of the goals: as a list in an order in which all of them can be reached, or as an SVG."""
    from reconciler.errors import Refused
    from reconciler.render.charts.graph_svg import drawable, graph_svg
    from reconciler.render.fleet_files.goals_text import goal_document, graph_text

    goals = _goals(fleet)
    if form == "text":
        output.result(graph_text(goals, paint=output.paint))
    elif form == "svg":
        if not drawable(goals):
            raise Refused(f"{len(goals)} goals are too many for a drawing", help="the text has them all: -o text")
        output.result(graph_svg(goals))
    else:
        edges: list[Json] = [
            {"from": other, "to": one.goal.id} for one in goals for other in dict.fromkeys(one.goal.depends_on)
        ]
        output.document(
            {**_head("NorthStarGraph"), "goals": [goal_document(one) for one in goals], "edges": edges}, form
        )
    return 0


@click.command(epilog="\b\nExample:\n  mosaic fleet north-star diff HEAD~3 ~/fleet\n")
@click.argument("revision", metavar="REV")
@files_argument
@click.option("--to", metavar="REV", help="Compare with this revision. Default: the file as it is now.")
@output_option
@click.pass_obj
def diff(output: Output, *, revision: str, fleet: str | None, to: str | None, form: Format) -> int:
    """Describe what has changed in the mission since REV (a commit, a branch, a tag). Each thing is identified by its
    id, wherever in the file it is. `--to HEAD` ignores what is not committed."""
    from reconciler.changes.north_star import folder_of, mission_at, mission_in, valid
    from reconciler.errors import NotFound
    from reconciler.render.fleet_files.mission_diff_text import difference_document, mission_diff_text
    from specs.fleet_files import NORTH_STAR
    from specs.mission.diff import differences

    with folder_of(fleet, os.environ) as folder:
        old, before = mission_at(folder, revision)
        new = None
        if to is not None:
            new, after = mission_at(folder, to)
        else:
            there = (folder / NORTH_STAR).exists()
            after = valid(mission_in(folder), NORTH_STAR) if there else None
        if before is None and after is None:
            raise NotFound(f"{folder} has no {NORTH_STAR}, neither then nor now")
    found = differences(before, after)
    if form == "text":
        output.result(mission_diff_text(found, paint=output.paint))
        return 0
    document: dict[str, Json] = {
        **_head("NorthStarDiff"),
        "from": {"revision": old, "there": before is not None},
        "to": {"revision": new, "there": after is not None},
        "changes": [difference_document(one) for one in found],
    }
    output.document(document, form)
    return 0


def _goals(fleet: str | None) -> tuple[Standing, ...]:
    from reconciler.changes.north_star import folder_of, mission_in, valid
    from specs.mission.goals import standings

    with folder_of(fleet, os.environ) as folder:
        return standings(valid(mission_in(folder), "NORTH_STAR.yaml"))


def _head(kind: str) -> dict[str, Json]:
    return {"apiVersion": "mosaic.fleet/v1", "kind": kind}
