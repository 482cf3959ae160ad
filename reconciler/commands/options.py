"""Parameter types and options that several commands share. Imports click and nothing else that is heavy."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    _Seconds = click.ParamType[float]
else:
    _Seconds = click.ParamType  # older versions of click cannot be asked for more


class DurationParam(_Seconds):
    """Seconds, written as 90, 90s, 5m, 2h or 1h30m."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Raises click.BadParameter."""
        if isinstance(value, (int, float)):
            return float(value)
        from specs.values.durations import parse_duration

        text = str(value).strip()
        try:
            return parse_duration(float(text) if text.isdecimal() else text)
        except ValueError as error:
            self.fail(f'"{value}" {error}', param, ctx)


ClickCommand = Callable[..., int]

FLEET_HELP = (
    "The fleet's repository (a working tree, a bare repository or a URL), or its name on this host. Default: "
    "MOSAIC_FLEET, then the repository of the current folder, then reconcile.toml, then the only fleet that has run "
    "here."
)
_option = click.option("--fleet", metavar="FLEET", help=FLEET_HELP)
FOLDER_HELP = (
    "The fleet's folder, or its name on this host. Default: the fleet that other commands would take (MOSAIC_FLEET, "
    "the current folder, reconcile.toml, the only fleet that has run here), if it is a folder here; else ~/fleet."
)


def fleet_option(command: ClickCommand) -> ClickCommand:
    """`--fleet`, for a command about a fleet that has run on this host."""
    return _option(_named(command, has_run=True))


def repository_option(command: ClickCommand) -> ClickCommand:
    """`--fleet`, for a command about a repository, which need not have run here."""
    return _option(_named(command))


def fleet_argument(command: ClickCommand) -> ClickCommand:
    """FLEET as an argument or as `--fleet`, for a command that takes no other; it gets one `fleet`."""
    return either(_named(command, has_run=True))


def repository_argument(command: ClickCommand) -> ClickCommand:
    """The same, for a command about a repository, which need not have run here."""
    return either(_named(command))


def files_argument(command: ClickCommand) -> ClickCommand:
    """The same, for a command about the files of a fleet as they are."""
    return either(_named(command, files=True))


def either(command: ClickCommand) -> ClickCommand:
    """The same, for a command that says itself which fleet it took."""
    return _either(command, _option)


def folder_argument(command: ClickCommand) -> ClickCommand:
    """The same, for the command that makes a fleet: FLEET is a folder, which need not exist."""
    return _either(command, click.option("--fleet", metavar="FLEET", help=FOLDER_HELP))


def _either(command: ClickCommand, option: Callable[[ClickCommand], ClickCommand]) -> ClickCommand:
    @wraps(command)
    def collect(*args: object, path: str | None, fleet: str | None, **words: object) -> int:
        if path is not None and fleet is not None:
            raise click.UsageError(f"the fleet is named twice: give either {path} or --fleet")
        return command(*args, fleet=path if path is not None else fleet, **words)

    return click.argument("path", required=False, metavar="[FLEET]")(option(collect))


yes_option = click.option("-y", "--yes", is_flag=True, help="Ask nothing.")


def _named(command: ClickCommand, *, has_run: bool = False, files: bool = False) -> ClickCommand:
    """Say which repository it is where the folder that somebody stands in decides that; and which files they are,
    whatever decides."""

    @wraps(command)
    def collect(*args: object, fleet: str | None, **words: object) -> int:
        if fleet is None and (files or not os.environ.get("MOSAIC_FLEET")):
            from reconciler.context.which_fleet import unnamed

            notice = unnamed(os.environ, has_run=has_run, files=files)
            if notice:
                click.get_current_context().obj.progress(notice)
        return command(*args, fleet=fleet, **words)

    return collect


def output_of(*forms: str) -> Callable[[ClickCommand], ClickCommand]:
    """`-o` with these forms (text and json among them), and `--json`, short for `-o json`."""

    def option(command: ClickCommand) -> ClickCommand:
        @wraps(command)
        def collect(*args: object, form: str, as_json: bool, **words: object) -> int:
            if as_json and form not in ("text", "json"):
                raise click.UsageError(f"--json is short for -o json; it does not go with -o {form}")
            return command(*args, form="json" if as_json else form, **words)

        short = click.option("--json", "as_json", is_flag=True, help="Short for -o json.")(collect)
        choice = click.Choice(list(forms))
        text = "The format of the result."
        return click.option("-o", "--output", "form", type=choice, default="text", show_default=True, help=text)(short)

    return option


output_option = output_of("text", "json", "yaml")
