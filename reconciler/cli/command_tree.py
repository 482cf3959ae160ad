"""Every command with its options and arguments, as plain values. Read from click; the rest of this package is pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from specs.dataclass import dataclass

if TYPE_CHECKING:
    import click

# What a value may be, for the caller that completes it. "text" is anything that nobody can guess.
Takes = Literal["nothing", "text", "choice", "file", "folder", "agent", "session"]

_AGENTS = frozenset({"agent", "agents", "names"})  # what commands call an argument that is an agent there is


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """`names` as they are typed, the short ones first."""

    names: tuple[str, ...]
    takes: Takes
    metavar: str
    help: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    metavar: str
    takes: Takes
    choices: tuple[str, ...] = ()
    required: bool = False
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandNode:
    """`path` is what is typed: ("mosaic", "fleet", "ps"). `help` and `epilog` are as written, \\b marks included."""

    path: tuple[str, ...]
    summary: str
    help: str
    epilog: str
    options: tuple[Option, ...]
    arguments: tuple[Argument, ...]
    children: tuple[CommandNode, ...] = ()

    def walk(self) -> Iterator[CommandNode]:
        """This one and all below it, each before its children."""
        yield self
        for child in self.children:
            yield from child.walk()


def read_command(command: click.Command, path: tuple[str, ...], parent: click.Context | None = None) -> CommandNode:
    """The command that is called by `path`, with all below it; what is hidden is left out."""
    import click

    context = click.Context(command, info_name=path[-1], parent=parent, **command.context_settings)
    found = command.get_params(context)
    children: tuple[CommandNode, ...] = ()
    if isinstance(command, click.Group):
        below = ((name, command.get_command(context, name)) for name in command.list_commands(context))
        children = tuple(
            read_command(child, (*path, name), context)
            for name, child in below
            if child is not None and not child.hidden
        )
    return CommandNode(
        path=path,
        summary=command.get_short_help_str(limit=300),
        help=command.help or "",
        epilog=command.epilog or "",
        options=tuple(
            _option(one, context)
            for one in found
            if isinstance(one, click.Option) and not getattr(one, "hidden", False)
        ),
        arguments=tuple(_argument(one, context) for one in found if isinstance(one, click.Argument)),
        children=children,
    )


def _option(option: click.Option, context: click.Context) -> Option:
    names = (*option.opts, *option.secondary_opts)
    takes: Takes = "nothing" if option.is_flag or option.count else _takes(option)
    shown = option.get_help_record(context)
    return Option(
        names=tuple(sorted(names, key=lambda name: (name.startswith("--"), names.index(name)))),
        takes=takes,
        metavar="" if takes == "nothing" else option.make_metavar(context),
        help=shown[1] if shown else "",
        choices=_choices(option),
    )


def _argument(argument: click.Argument, context: click.Context) -> Argument:
    return Argument(
        metavar=argument.make_metavar(context).removesuffix("...").strip("[]{}"),
        takes=_takes(argument),
        choices=_choices(argument),
        required=argument.required,
        many=argument.nargs != 1,
    )


def _takes(param: click.Parameter) -> Takes:
    import click

    if _choices(param):
        return "choice"
    if param.name in _AGENTS or (isinstance(param, click.Argument) and "AGENT" in (param.metavar or "")):
        return "agent"
    if param.name == "session":
        return "session"
    if isinstance(param.type, click.Path):
        return "folder" if not param.type.file_okay else "file"
    if isinstance(param.type, click.File):
        return "file"
    return "text"


def _choices(param: click.Parameter) -> tuple[str, ...]:
    import click

    return tuple(str(one) for one in param.type.choices) if isinstance(param.type, click.Choice) else ()
