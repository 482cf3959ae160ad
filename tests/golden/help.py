"""The help of a command, as it is on a terminal of 80 columns."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from unittest.mock import patch

from reconciler.commands import mosaic, reconcile
from tests.commands.calling import call
from tests.golden.book import Text

PROGRAMS = {"mosaic": mosaic.command, "reconcile": reconcile.command}


def help_of(path: tuple[str, ...]) -> Text:
    shown = io.StringIO()
    with redirect_stdout(shown), patch.dict("os.environ", {"COLUMNS": "80"}):
        said = call(PROGRAMS[path[0]], *path[1:], "--help")
    if said.code:
        raise AssertionError(f"{' '.join(path)} --help ends with {said.code}: {said.err}")
    return Text("help", shown.getvalue() + said.out)
