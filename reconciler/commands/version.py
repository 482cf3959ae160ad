"""`--version`: the version of this program, and of what it depends on; a bug report begins with it."""

from __future__ import annotations

import os
from typing import TypeVar

import click

C = TypeVar("C", bound=click.Command)


def version_option(command: C) -> C:
    """The command with `--version`."""
    option = click.Option(
        ["--version"],
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=_print,
        help="Print the version, and the versions of what it depends on.",
    )
    command.params.append(option)
    return command


def _print(context: click.Context, _option: click.Parameter, asked: bool) -> None:  # as click calls it
    if asked and not context.resilient_parsing:
        click.echo(version_text())
        context.exit()


def version_text() -> str:
    """One line for each: the program itself, its Python, the programs that it calls, and its Python packages. What is
    not there says so; nothing is raised."""
    import re
    from importlib.metadata import version

    from reconciler.doctor.probes.host import programs

    rows = [("mosaic-fleet", version("mosaic-fleet"))]
    for one in programs(os.environ):
        number = re.search(r"\d[\w.+~-]*", one.said) if isinstance(one.said, str) else None
        said = number[0] if number else one.said if isinstance(one.said, str) else one.said.why
        rows.append((one.name, f"{said} ({one.path})" if one.path else said))
    rows.append(("packages", ", ".join(f"{name} {number}" for name, number in _packages())))
    wide = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{wide}}  {said}" for name, said in rows)


def _packages() -> list[tuple[str, str]]:
    """The packages that this one declares it needs, without those of its extras."""
    import re
    from importlib.metadata import PackageNotFoundError, requires, version

    found = []
    for line in requires("mosaic-fleet") or ():
        name, separator, marker = re.split(r"[ <>=!~;\[(]", line, maxsplit=1)[0], *line.partition(";")[1:]
        if separator and "extra" in marker:
            continue
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            found.append((name, "is not installed"))
    return found
