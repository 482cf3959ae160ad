"""A group of commands that knows their names and modules; each is imported when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

import click

from reconciler.errors import Usage

# name: (module below reconciler.commands, its command, one line of help, so that listing imports nothing)
Table = Mapping[str, tuple[str, str, str]]
CONTEXT = {"help_option_names": ["-h", "--help"]}
# What people of other tools type, and what it is called here. A command of that name in the group comes first.
FAMILIAR: Mapping[str, str] = {
    "plan": "reconcile --dry-run shows what would be done, and why",
    "diff": "reconcile --dry-run shows how this host differs from git, field by field",
    "apply": "reconcile does what is due",
    "up": "reconcile starts what git declares",
    "down": "mosaic fleet stop NAME... ends agents, by a commit",
    "kill": "mosaic fleet stop NAME... ends agents, by a commit",
    "delete": "mosaic fleet remove NAME... takes agents out, by a commit",
    "rm": "mosaic fleet remove NAME... takes agents out, by a commit",
    "logs": "mosaic agent tail NAME shows an agent's last lines; the reconciler's own log: "
    "journalctl --user -u 'mosaic-reconcile*'",
    "list": "mosaic fleet ps lists every agent as it is now; mosaic agent roster lists who is declared",
    "ls": "mosaic fleet ps lists every agent as it is now; mosaic agent roster lists who is declared",
    "get": "mosaic fleet ps lists every agent; mosaic agent status NAME shows one",
    "describe": "mosaic agent status NAME shows all that is known of an agent",
    "events": "mosaic fleet status shows what the last run found; every event is a line of "
    "~/.local/state/mosaic/FLEET/events.ndjson",
    "top": "mosaic fleet ps --watch shows every agent, again and again",
    "version": "mosaic --version",
}


def familiar(word: str) -> Usage | None:
    """The error for a word of another tool, None if it is not one."""
    return Usage(f'no such command "{word}"', help=FAMILIAR[word]) if word in FAMILIAR else None


class Group(click.Group):
    """Commands in sections. `others`: the groups beside it, in which a command may be that is looked for here."""

    def __init__(
        self,
        *,
        sections: Mapping[str, Table],
        name: str,
        help: str,
        epilog: str,
        others: Mapping[str, Table] | None = None,
    ) -> None:
        super().__init__(name=name, help=help, epilog=epilog, context_settings=CONTEXT, no_args_is_help=False)
        self._sections = sections
        self._table = {name: row for table in sections.values() for name, row in table.items()}
        self._others = others or {}

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Without a command: the help, which is what was asked for, so it goes to stdout and is not an error."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of the sections: the day of a fleet, not the alphabet."""
        return [*self._table, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """None for a name that is not there."""
        if cmd_name not in self._table:
            return super().get_command(ctx, cmd_name)
        module, attribute, _ = self._table[cmd_name]
        found: click.Command = getattr(import_module(f"reconciler.commands.{module}"), attribute)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        """From the table, without importing any of them."""
        for title, table in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, _, line) in table.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """`help` is a command of every group, listed or not. Raises Usage for a word of another tool, click.UsageError
        with near misses for every other."""
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            if args[0] == "help":
                from reconciler.commands.help import command

                return "help", command, args[1:]
            ctx.fail(f'no such command "{args[0]}"; {self._hint(args[0], known)}')
        return super().resolve_command(ctx, args)

    def _hint(self, word: str, known: list[str]) -> str:
        """Raises Usage for a word of another tool."""
        from difflib import get_close_matches

        elsewhere = [group for group, table in self._others.items() if word in table]
        if elsewhere:
            return f'did you mean "{elsewhere[0]} {word}"?'
        if (error := familiar(word)) is not None:
            raise error
        near = get_close_matches(word, known, n=1)
        return f'did you mean "{near[0]}"?' if near else f"known: {', '.join(known)}"
