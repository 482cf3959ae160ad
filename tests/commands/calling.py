"""Calling a command as the console script does, with its streams caught."""

from __future__ import annotations

import io
from dataclasses import dataclass

import click
import pytest

from reconciler.cli import main
from reconciler.cli.output import Output
from reconciler.commands import mosaic, reconcile


@dataclass(frozen=True, slots=True)
class Said:
    code: int
    out: str
    err: str


def call(command: click.Command, *args: str) -> Said:
    out, err = io.StringIO(), io.StringIO()
    code = main.invoke(command, args, Output(out, err))
    return Said(code, out.getvalue(), err.getvalue())


def fleet(*args: str) -> Said:
    """`mosaic fleet ARGS`."""
    return call(mosaic.command, "fleet", *args)


def run(*args: str) -> Said:
    """`reconcile ARGS`."""
    return call(reconcile.command, *args)


def help_of(command: click.Command, capsys: pytest.CaptureFixture[str], *args: str) -> str:
    said = call(command, *args, "--help")
    assert said.code == 0
    return capsys.readouterr().out
