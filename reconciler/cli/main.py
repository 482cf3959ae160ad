"""Where every command line begins and ends: errors become sentences and exit codes here, and nowhere else."""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from reconciler.errors import ExitCode, Locked, MosaicError

if TYPE_CHECKING:
    from types import FrameType

    import click

    from reconciler.cli.output import Output

BUGS_KEPT = 20
GARBAGE_AFTER = 200_000  # objects more than were freed: a run for a thousand agents stays below it


class Terminated(BaseException):
    """SIGTERM. Not an Exception: nothing on the way up may take it for a failure that it can fix."""


def main(command: click.Command, args: Sequence[str] | None = None) -> NoReturn:
    """Run a command and leave with the contract's exit code.

    Nearly all that a command makes is freed by counting references, so Python looks for circles seldom: as often as it
    does by itself, that took a fifth of a run for a thousand agents.
    """
    gc.set_threshold(GARBAGE_AFTER, 10, 10)
    from reconciler.cli.output import Output

    with suppress(ValueError):  # not in the main thread, as under a test runner
        signal.signal(signal.SIGTERM, _terminate)
    _open_streams()
    output = Output()
    _leave(invoke(command, args, output))


def _leave(code: int) -> NoReturn:
    """End as Python does, in its order, and leave all values to the kernel: to take them apart one by one costs a
    twentieth of a run for a thousand agents. A signal meanwhile ends us at once, with its code: there is nothing left
    to tell about, and versions of Python differ in what they make of an exception there."""
    _flush()
    for number in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(number) is not signal.SIG_IGN:
            with suppress(ValueError):  # as above
                signal.signal(number, lambda got, _frame: os._exit(128 + got))
    if "threading" in sys.modules:
        import threading

        threading._shutdown()  # type: ignore[attr-defined]  # waits for threads that are still at work
    atexit._run_exitfuncs()
    _flush()
    os._exit(code & 0xFF)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads it any more, or its disk is full
            stream.flush()


def _open_streams() -> None:
    """Whoever closed a stream does not want to hear it; but the first file that we opened would get its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def invoke(command: click.Command, args: Sequence[str] | None, output: Output) -> int:
    """The exit code of a command; every error is told on stderr."""
    import click

    try:
        result = command.main(
            args=None if args is None else list(args), prog_name=command.name, standalone_mode=False, obj=output
        )
        return int(result) if isinstance(result, int) else int(ExitCode.OK)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        return _usage(error, output)
    except (click.Abort, KeyboardInterrupt):
        output.progress(_cut_short("interrupted", output))
        return int(ExitCode.INTERRUPTED)
    except Terminated:
        output.progress(_cut_short("terminated", output))
        return int(ExitCode.TERMINATED)
    except MosaicError as error:
        if isinstance(error, Locked) and os.environ.get("MOSAIC_TRIGGER") == "timer":
            return int(ExitCode.OK)  # the other run does what this one was started for
        output.error(error)
        return int(error.exit_code)
    except (BrokenPipeError, SystemExit):  # SystemExit: what click makes of a broken pipe
        output.deaf()
        return int(ExitCode.OK)
    except Exception as error:  # the last resort: whatever it is, it is ours, and it is kept
        return _bug(error, output)


def _cut_short(how: str, output: Output) -> str:
    return f"{how}; the next run continues from here" if output.running else how


def _usage(error: click.ClickException, output: Output) -> int:
    from reconciler.errors import Usage

    context = getattr(error, "ctx", None)
    way = f"{context.command_path} --help" if context is not None else ""
    output.error(Usage(error.format_message(), help=way))
    return int(ExitCode.USAGE)


def _bug(error: Exception, output: Output) -> int:
    kept = _keep_traceback(error)
    where = f"the traceback is in {kept}" if kept else "the traceback could not be written"
    output.error(_Bug(f"this is a bug of Mosaic Fleet: {type(error).__name__}", help=f"{where}; please report it"))
    return int(ExitCode.BUG)


class _Bug(MosaicError):
    exit_code = ExitCode.BUG


def _keep_traceback(error: Exception) -> Path | None:
    """Write it to the state folder, mode 0600; the newest few are kept."""
    import time
    import traceback

    from providers.machine.facts import gather
    from reconciler.helpers.atomic_files import write_atomic
    from reconciler.helpers.redact import hide_secrets

    try:
        folder = Path(gather(os.environ).state_home, "mosaic", "bugs")
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        path = folder / f"{stamp}-{os.getpid()}.txt"
        write_atomic(path, hide_secrets("".join(traceback.format_exception(error))))
        for old in sorted(folder.glob("*.txt"), reverse=True)[BUGS_KEPT:]:
            old.unlink(missing_ok=True)
    except OSError:
        return None
    return path


def _terminate(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise Terminated
