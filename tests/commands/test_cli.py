"""Where errors become exit codes: each way in which a command can end."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from reconciler.cli import main as cli
from reconciler.cli.output import Output
from reconciler.errors import InvalidConfig, Locked, NotFound, Refused, Unavailable, Usage
from tests.commands.calling import Said, call

CHECKOUT = Path(__file__).parents[2]


def ending(how: Callable[[], object]) -> Said:
    @click.command()
    @click.option("--number", type=int)
    def command(number: int | None) -> object:
        del number
        return how()

    return call(command)


def raising(error: BaseException) -> Callable[[], object]:
    def how() -> object:
        raise error

    return how


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotFound("no such agent"), 4),
        (Refused("no"), 5),
        (Usage("no"), 64),
        (click.UsageError("no"), 64),
        (click.BadParameter("no"), 64),
        (Unavailable("no bus"), 69),
        (Locked("taken"), 75),
        (InvalidConfig("bad"), 78),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (cli.Terminated(), 143),
    ],
)
def test_every_error_has_its_code_and_is_told(error: BaseException, code: int) -> None:
    said = ending(raising(error))
    assert said.code == code
    assert said.out == ""
    assert said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("code", [0, 1, 2, 3, 5])
def test_a_command_says_its_own_code(code: int) -> None:
    assert ending(lambda: code).code == code
    assert ending(raising(click.exceptions.Exit(code))).code == code


def test_nothing_said_is_zero() -> None:
    assert ending(lambda: None).code == 0


def test_what_where_and_how_to_mend_it() -> None:
    said = ending(raising(NotFound("no such file", where="roster.yaml:3:1", help="look")))
    assert said.err == "error: no such file\n  --> roster.yaml:3:1\nhelp: look\n"


def test_the_timer_gives_way_quietly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOSAIC_TRIGGER", "timer")
    assert ending(raising(Locked("taken"))) == Said(0, "", "")
    assert ending(raising(NotFound("x"))).code == 4


def test_a_bug_leaves_its_traceback_in_the_state_folder(isolated: Path) -> None:
    said = ending(raising(ValueError("oops token=hunter2hunter2")))
    assert said.code == 70
    assert "hunter2" not in said.err
    (kept,) = (isolated / ".local/state/mosaic/bugs").iterdir()
    assert str(kept) in said.err
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "ValueError: oops" in kept.read_text()
    assert "hunter2" not in kept.read_text()


def test_a_bug_is_told_even_if_it_cannot_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    said = ending(raising(ValueError("oops")))
    assert said.code == 70
    assert "could not be written" in said.err


def test_only_the_newest_tracebacks_are_kept(isolated: Path) -> None:
    folder = isolated / ".local/state/mosaic/bugs"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"20200101T0000{number:02}Z-1.txt").write_text("old")
    ending(raising(ValueError("oops")))
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == cli.BUGS_KEPT
    assert not names[-1].startswith("2020")


def child(code: str, *, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", f"import click, sys, time\nfrom reconciler.cli.main import main\n{code}\nmain(command)"],
        cwd=CHECKOUT,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("running", [True, False])
@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGTERM, 143, "terminated"), (signal.SIGINT, 130, "interrupted")]
)
def test_signals(number: signal.Signals, code: int, word: str, *, running: bool) -> None:
    process = child(
        "@click.command()\n@click.pass_obj\ndef command(output):\n"
        f"    output.running = {running}\n    print('on', flush=True)\n    time.sleep(60)"
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=90)
    assert process.returncode == code
    assert err.lstrip() == (f"{word}; the next run continues from here\n" if running else f"{word}\n")


def test_nothing_is_lost_at_the_end() -> None:
    """What threads and what is called at the end still print, and the code."""
    process = child(
        "import atexit, threading\n"
        "def late():\n    threading.main_thread().join()\n    print('of a thread')\n"
        "@click.command()\ndef command():\n    print('of the command')\n"
        "    atexit.register(print, 'at the end')\n    threading.Thread(target=late).start()\n    return 3"
    )
    out, err = process.communicate(timeout=90)
    assert (process.returncode, out, err) == (3, "of the command\nof a thread\nat the end\n", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_while_a_thread_is_still_at_work(number: signal.Signals, code: int) -> None:
    process = child(
        "import threading\n"
        "def late():\n    threading.main_thread().join()\n    print('on', flush=True)\n    time.sleep(60)\n"
        "@click.command()\ndef command():\n    print('the result')\n    threading.Thread(target=late).start()"
    )
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in "ab"] == ["the result\n", "on\n"]
    process.send_signal(number)
    assert (process.communicate(timeout=90)[1], process.returncode) == ("", code)


def test_a_reader_that_went_away(tmp_path: Path) -> None:
    del tmp_path
    read, write = os.pipe()
    os.close(read)
    process = child("@click.command()\ndef command():\n    click.echo('x' * 100000)", stdout=write)
    os.close(write)
    _, err = process.communicate(timeout=90)
    assert (process.returncode, err) == (0, "")


def test_output_is_handed_to_the_command() -> None:
    output = Output(io.StringIO(), io.StringIO())

    @click.command()
    @click.pass_obj
    def command(given: Output) -> int:
        return 0 if given is output else 1

    assert cli.invoke(command, [], output) == 0


@pytest.mark.parametrize(
    ("redirect", "code", "says"),
    [
        (">&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        (">/dev/full", 1, "error: the result cannot be written: No space left on device"),
    ],
)
def test_streams_that_are_closed_or_full(redirect: str, code: int, says: str) -> None:
    script = f'exec "$0" -c "$1" fleet schema roster {redirect}'
    main = "from reconciler.commands.mosaic import main; main()"
    ended = subprocess.run(
        ["sh", "-c", script, sys.executable, main],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr.partition("\n")[0]) == (code, says)
