"""`mosaic fleet add`: one more agent, by a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reconciler.commands.change.common import change_options

if TYPE_CHECKING:
    from reconciler.cli.output import Output
    from reconciler.commands.change.common import ChangeFlags
    from specs.yaml_text.quoting import YamlValue


@click.command(epilog="\b\nExample:\n  mosaic fleet add coder2 --runtime codex --class implementer --depends-on lead\n")
@click.argument("name")
@click.option("--runtime", required=True, metavar="NAME", help="The program: claude, codex, opencode, pi, stub, ...")
@click.option("--class", "agent_class", metavar="NAME", help="Its role. Default: worker.")
@click.option("--working-directory", metavar="FOLDER", help="Where it begins. Default: that of the roster.")
@click.option("--model", metavar="NAME", help="The model for its program.")
@click.option("--args", metavar="TEXT", help="Arguments for its program, split as a shell would.")
@click.option("--host", metavar="NAME", help="The host that it runs on. Default: every host of this fleet.")
@click.option("--alias", metavar="TEXT", help="A name for people.")
@click.option("--state", type=click.Choice(["running", "stopped", "absent"]), help="Default: running.")
@click.option(
    "--depends-on", multiple=True, metavar="NAME", help="An agent to start before it; may be given several times."
)
@change_options
def add(
    output: Output,
    *,
    name: str,
    runtime: str,
    agent_class: str | None,
    working_directory: str | None,
    model: str | None,
    args: str | None,
    host: str | None,
    alias: str | None,
    state: str | None,
    depends_on: tuple[str, ...],
    asked: ChangeFlags,
) -> int:
    """Declare agent NAME at the end of roster.yaml, and commit that.

    If the agent was removed with --tombstone, its entry is declared again.
    """
    from reconciler.changes.edits import add as verb
    from reconciler.commands.change.common import change

    given: dict[str, YamlValue | None] = {
        "name": name,
        "alias": alias,
        "runtime": runtime,
        "class": agent_class,
        "state": state,
        "working_directory": working_directory,
        "model_hint": model,
        "args": args,
        "host": host,
        "depends_on": depends_on or None,
    }
    return change(output, verb({key: value for key, value in given.items() if value is not None}), asked)
