"""`mosaic`: everything around the loop. A command's module is imported when that command is called, and not before."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import NoReturn

import click

# name: (module below reconciler.commands, its command, one line of help, so that listing imports nothing)
FLEET: Mapping[str, tuple[str, str, str]] = {
    "init": ("init", "init", "Make a fleet: its files, its repository, the first commit."),
    "validate": ("validate", "command", "Check the files of a fleet."),
    "schema": ("schema", "command", "Print a JSON Schema."),
    "north-star": ("mosaic", "north_star", "The mission: what the fleet is for, and which goals come next."),
    "add": ("add", "add", "Declare one more agent, by a commit."),
    "remove": ("remove", "remove", "Take agents out of the fleet, by a commit."),
    "start": ("lifecycle", "start", "Start agents that were stopped, by a commit."),
    "stop": ("lifecycle", "stop", "Stop agents, by a commit."),
    "restart": ("lifecycle", "restart", "Restart agents once, by a commit."),
    "provision": ("provision", "provision", "Fill the seats of a system type, by a commit."),
    "org": ("org", "command", "Draw who reports to whom."),
    "persona": ("mosaic", "persona", "The contracts of the classes: read them, and lay your own over them."),
    "install": ("install", "install", "Reconcile this host by itself from now on."),
    "uninstall": ("uninstall", "uninstall", "Stop reconciling by itself; agents go on. With --purge, take all away."),
    "ps": ("ps", "command", "Every agent, as it is right now."),
    "verify": ("verify", "command", "Check every thing that the fleet stands on, by its name."),
    "status": ("status", "command", "What is known of the fleet on this host."),
    "sync": ("sync", "command", "Look now."),
    "pause": ("pause", "pause", "Pull the kill switch: no action is taken."),
    "resume": ("pause", "resume", "Let go of the kill switch, or lift an agent's suspension."),
    "suspend": ("suspend", "suspend", "Leave an agent alone for a while."),
    "unsuspend": ("suspend", "unsuspend", "Lift a suspension."),
    "release": ("release", "command", "Let something go that is held back."),
    "comms-block": ("comms_block", "command", "What an agent is told of its peers."),
}
NORTH_STAR: Mapping[str, tuple[str, str, str]] = {
    "validate": ("north_star", "validate", "Check the mission."),
    "render": ("north_star", "render", "Write the mission to be read by people, or check that it is."),
    "next": ("north_star", "next_", "Which goals are ready."),
    "graph": ("north_star", "graph", "Draw which goals come before which."),
    "diff": ("north_star", "diff", "What has changed in the mission."),
}
PERSONA: Mapping[str, tuple[str, str, str]] = {
    "list": ("persona", "list_", "Every class that there is a contract for."),
    "show": ("persona", "show", "The contract of a class."),
    "customise": ("persona", "customise", "Begin a contract of your own over a shipped one, by a commit."),
    "diff": ("persona", "diff", "What has changed in the shipped one, and what yours says."),
    "accept": ("persona", "accept", "Say that you have seen what ships now, by a commit."),
}
AGENT: Mapping[str, tuple[str, str, str]] = {
    "status": ("agent_status", "command", "All that is known of one agent, and what comes next."),
    "send": ("agent_send", "command", "Put a message into an agent's composer."),
    "outbox": ("agent_outbox", "command", "Messages that wait until their agent is available."),
    "roster": ("agent_roster", "command", "Who is declared, here and on other hosts."),
    "watch": ("agent_watch", "command", "Look at an agent's pane as it goes on."),
    "tail": ("agent_tail", "command", "The last lines of an agent's pane."),
    "attach": ("agent_attach", "command", "Sit down at an agent's terminal."),
    "reset": ("agent_reset", "command", "Give an agent a new conversation."),
}
TOP: Mapping[str, tuple[str, str, str]] = {
    "fleet": ("mosaic", "fleet", "The fleet on this host."),
    "agent": ("mosaic", "agent", "One agent of the fleet."),
    "update": ("update", "command", "Bring this host to the installed version, or back."),
    "doctor": ("doctor", "command", "Check every prerequisite, and show what mends it."),
    "compose-contract": ("compose_contract", "command", "Print the one text that an agent starts with."),
    "completion": ("completion", "command", "Print the completion script for a shell."),
    "man": ("man", "command", "Print a manual page, or write them all."),
}
CONTEXT = {"help_option_names": ["-h", "--help"]}


class Lazy(click.Group):
    """A group that knows the names of its commands and where they are."""

    def __init__(self, *, table: Mapping[str, tuple[str, str, str]], name: str, help: str, epilog: str) -> None:
        super().__init__(name=name, help=help, epilog=epilog, context_settings=CONTEXT)
        self._table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the table: the day of a fleet, not the alphabet."""
        return [*self._table, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """None for a name that is not there."""
        if cmd_name not in self._table:
            return super().get_command(ctx, cmd_name)
        module, attribute, _ = self._table[cmd_name]
        found: click.Command = getattr(import_module(f"reconciler.commands.{module}"), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, without importing any of them."""
        rows = [(name, line) for name, (_, _, line) in self._table.items()]
        for name in super().list_commands(ctx):
            known = super().get_command(ctx, name)
            rows.append((name, known.get_short_help_str() if known else ""))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises click.UsageError with near misses."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], known, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known)}"
            ctx.fail(f'no such command "{args[0]}"; {hint}')
        return super().resolve_command(ctx, args)


fleet = Lazy(
    name="fleet",
    table=FLEET,
    help="The fleet on this host.",
    epilog="\b\nExample:\n  mosaic fleet status\n",
)
north_star = Lazy(
    name="north-star",
    table=NORTH_STAR,
    help="The mission: NORTH_STAR.yaml, what the fleet is for, and which goals come next.",
    epilog="\b\nExample:\n  mosaic fleet north-star next ~/fleet\n",
)
persona = Lazy(
    name="persona",
    table=PERSONA,
    help="The contracts of the classes: those that ship, and your own over them.",
    epilog="\b\nExample:\n  mosaic fleet persona show code\n",
)
agent = Lazy(
    name="agent",
    table=AGENT,
    help="One agent of the fleet.",
    epilog="\b\nExample:\n  mosaic agent roster\n",
)
command = Lazy(
    name="mosaic",
    table=TOP,
    help="A fleet of agents, as a git repository declares it. `reconcile` is the loop; this is what is around it.",
    epilog="\b\nExample:\n  mosaic fleet validate ~/fleet && reconcile --dry-run ~/fleet\n",
)


def main() -> NoReturn:
    """The console script."""
    from reconciler.cli import main as run_command

    run_command(command)
