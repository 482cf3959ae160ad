"""The streams: colour only where it is wanted, and no reader and no locale can break a command."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.output import Output, wants_colour
from reconciler.errors import NotFound


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "terminal", "pipe"),
    [
        ({}, True, False),
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_who_gets_colour(environ: dict[str, str], terminal: bool, pipe: bool) -> None:
    assert wants_colour(Terminal(), environ) is terminal
    assert wants_colour(io.StringIO(), environ) is pipe


def test_result_and_errors_are_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out, err = io.StringIO(), io.StringIO()
    output = Output(out, err)
    output.result("result")
    output.warning("odd\x1b[31m")
    output.error(NotFound("no such agent", where="roster.yaml:1:1", help="look again"))
    assert out.getvalue() == "result\n"
    assert err.getvalue() == "warning: odd\nerror: no such agent\n  --> roster.yaml:1:1\nhelp: look again\n"
    assert output.paint("x", "red") == "x"


def test_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    err = Terminal()
    output = Output(Terminal(), err)
    assert output.paint("x", "red") == "\x1b[31mx\x1b[0m"
    output.error(NotFound("no"))
    assert err.getvalue().startswith("\x1b[31merror:\x1b[0m no")


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_exactly_one_document(form: str) -> None:
    out = io.StringIO()
    Output(out, io.StringIO()).document({"a": [1]}, "json" if form == "json" else "yaml")
    assert out.getvalue() == ('{\n  "a": [\n    1\n  ]\n}\n' if form == "json" else "a:\n- 1\n")


def child(code: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", f"from reconciler.cli.output import Output\n{code}"],
        env={**os.environ, **environ},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
        timeout=90,
    )


def test_a_poor_locale_is_no_error() -> None:
    ended = child("Output().result('\\u00fcber')", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert ended.returncode == 0
    assert ended.stdout in (b"\\xfcber\n", "\u00fcber\n".encode())


def test_a_reader_that_went_away_is_quiet() -> None:
    code = (
        "import os, sys\nread, write = os.pipe()\nos.dup2(write, 1)\nos.close(read)\n"
        "out = Output()\nout.result('x' * 100000)\nout.result('y')\nsys.exit(7)"
    )
    ended = child(code)
    assert (ended.returncode, ended.stderr) == (7, b"")


def test_a_result_that_cannot_be_written_is_an_error_of_its_own() -> None:
    code = (
        "from reconciler.errors import MosaicError\nimport os, sys\nos.dup2(os.open('/dev/full', os.O_WRONLY), 1)\n"
        "try:\n    Output().result('x')\nexcept MosaicError as error:\n    sys.exit(error.message)"
    )
    ended = child(code)
    assert (ended.returncode, ended.stderr) == (1, b"the result cannot be written: No space left on device\n")
