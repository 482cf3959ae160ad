"""Parameter types and options that several commands share. Imports click and nothing else that is heavy."""

from __future__ import annotations

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


FORMATS = click.Choice(["text", "json", "yaml"])

output_option = click.option(
    "-o", "--output", "form", type=FORMATS, default="text", show_default=True, help="How the result is written."
)
fleet_option = click.option(
    "--fleet",
    metavar="FLEET",
    help="The fleet's repository or its name on this host. Default: MOSAIC_FLEET, then the repository of the current "
    "folder, then reconcile.toml, then the only fleet that has run here.",
)
