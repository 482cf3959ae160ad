"""What a command is doing is shown on a terminal for as long as it takes, and nothing of it stays."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys

import pytest

from reconciler.cli.activity import ERASE, Activity
from tests.commands.typist import Typist
from tests.hosts.namespace import CHECKOUT

CHILD = """
import signal, sys
from reconciler.cli.output import Output

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
output = Output()
output.result("ready")
with output.activity() as doing:
    doing(sys.argv[1])
    signal.sigwait({signal.SIGUSR1})
    if len(sys.argv) > 2:
        output.warning(sys.argv[2])
        signal.sigwait({signal.SIGUSR1})
output.result("the result")
"""
AT_ONCE = """
from reconciler.cli.activity import Activity
Activity.__init__.__kwdefaults__.update(after_s=0.0, every_s=0.01)
"""
TEXT = "3 of 32 done: start mosaic-agent@coder0.service"


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return {**kept, "PYTHONPATH": str(CHECKOUT), "TERM": "xterm", **more}


def child(*words: str, columns: int = 80, **environ: str) -> Typist:
    argv = [sys.executable, "-c", AT_ONCE + CHILD, *words]
    return Typist(argv, environment(**environ), cwd="/", columns=columns)


def go_on(typist: Typist) -> None:
    """By a signal: what is typed would be echoed."""
    os.kill(typist.pid, signal.SIGUSR1)


def left(typist: Typist) -> list[str]:
    """What stands on the terminal at the end, as far as a line that was erased goes."""
    raw = typist._raw.decode()
    return [line.rsplit(ERASE, 1)[-1].rstrip("\r") for line in raw.split("\n") if line.strip("\r")]


def test_it_is_shown_and_only_the_result_stays() -> None:
    with child(TEXT) as typist:
        typist.sees(f"... {TEXT} (")
        go_on(typist)
        typist.sees("the result")
        assert typist.ends() == 0
    assert left(typist)[-1] == "the result"
    assert [line for line in left(typist) if "32" in line] == []


def test_what_else_is_said_has_a_line_of_its_own() -> None:
    with child(TEXT, "something odd") as typist:
        typist.sees(TEXT)
        go_on(typist)
        typist.sees("warning:")
        typist.sees(TEXT)  # it goes on below
        go_on(typist)
        typist.sees("the result")
        assert typist.ends() == 0
    assert [line for line in left(typist) if "odd" in line or "result" in line][-1] == "the result"
    assert [line for line in left(typist) if "32" in line] == []


def test_a_narrow_terminal_is_not_filled() -> None:
    with child("x" * 300, columns=20) as typist:
        typist.sees("... xxxxxxxxxxxxxxx")
        go_on(typist)
        assert typist.ends() == 0
    assert "x" * 16 not in typist.screen


def test_control_characters_never_reach_the_terminal() -> None:
    with child("start \x1b]0;title\x07 \x9b2J\n\u4e2d") as typist:
        typist.sees("... start ")
        go_on(typist)
        assert typist.ends() == 0
    assert "\x1b]0" not in typist._raw.decode()
    assert "\x9b" not in typist._raw.decode()


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_erase_is_left_alone(term: str) -> None:
    with child(TEXT, TERM=term) as typist:
        typist.sees("ready")
        go_on(typist)
        typist.sees("the result")
        assert typist.ends() == 0
    assert "32" not in typist.screen


def test_what_is_quick_shows_nothing() -> None:
    """With an hour instead of a second, so that no machine is too busy for it."""
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    with Activity(stream, {"TERM": "xterm"}, after_s=3600.0) as doing:
        doing(TEXT)
    assert stream.getvalue() == ""


def test_off_a_terminal_there_is_nothing() -> None:
    argv = [sys.executable, "-c", AT_ONCE + CHILD, TEXT]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=environment(FORCE_COLOR="1"), stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "the result\n", "")


def test_off_a_terminal_nothing_is_imported_for_it() -> None:
    code = (
        "import sys\nfrom reconciler.cli.output import Output\nwith Output().activity() as doing:\n    doing('x')\n"
        "print([name for name in ('reconciler.terminal.screen', 'threading') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")
