"""Where output goes: the result to stdout, progress and errors to stderr, and colour only where it is wanted."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Literal, TextIO

from providers.base import Json
from reconciler.errors import MosaicError
from reconciler.helpers.redact import plain
from reconciler.helpers.words import Tint

if TYPE_CHECKING:
    from reconciler.cli.activity import Activity

Format = Literal["text", "json", "yaml"]
_CODES: Mapping[Tint, str] = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}


def wants_colour(stream: IO[str], environ: Mapping[str, str]) -> bool:
    """NO_COLOR wins, then FORCE_COLOR, then TERM=dumb; without any of them a terminal has colour, a pipe has none."""
    if environ.get("NO_COLOR"):
        return False
    forced = environ.get("FORCE_COLOR", "")
    if forced:
        return forced != "0"
    if environ.get("TERM") == "dumb":
        return False
    try:
        return stream.isatty()
    except ValueError:  # a stream that was closed
        return False


class Output:
    """The two streams of a command. Text is never cut and never needs Unicode to be understood."""

    def __init__(self, stdout: TextIO | None = None, stderr: TextIO | None = None) -> None:
        self._out = stdout if stdout is not None else sys.stdout
        self._err = stderr if stderr is not None else sys.stderr
        self._out_colour = wants_colour(self._out, os.environ)
        self._err_colour = wants_colour(self._err, os.environ)
        self._activity: Activity | None = None
        self.heard = True  # False once nobody reads stdout any more
        self.running = False  # True once a run that changes the host has begun: the next one would go on with it
        for stream in (self._out, self._err):
            # An agent's name or a reason in another script must not end the command under LANG=C.
            if hasattr(stream, "reconfigure"):
                with contextlib.suppress(ValueError, OSError):
                    stream.reconfigure(errors="backslashreplace")

    def paint(self, text: str, tint: Tint) -> str:
        """The text, coloured if stdout wants that."""
        return f"\x1b[{_CODES[tint]}m{text}\x1b[0m" if self._out_colour and text else text

    def activity(self) -> Activity:
        """A context manager that is told what is going on, and shows it on a terminal if it takes long."""
        from reconciler.cli.activity import Activity

        self._activity = Activity(self._err, os.environ)
        return self._activity

    def result(self, text: str) -> None:
        """To stdout, with a line end. A reader that has gone away changes nothing about what was done. Raises
        MosaicError if it cannot be written for another reason."""
        try:
            with self._aside():
                self._out.write(text if text.endswith("\n") else text + "\n")
                self._out.flush()
        except BrokenPipeError:
            self.deaf()
        except OSError as error:
            self.deaf()
            raise MosaicError(
                f"the result cannot be written: {error.strerror or error}",
                help="it was worked out all the same; make room for it, or send it somewhere else",
            ) from error

    def deaf(self) -> None:
        """Nobody reads stdout any more: let what is left, and Python's own last flush, go nowhere."""
        self.heard = False
        with contextlib.suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            os.dup2(nowhere, self._out.fileno())
            os.close(nowhere)

    def progress(self, text: str) -> None:
        """To stderr: what is going on."""
        self._print_error(plain(text))

    def warning(self, text: str) -> None:
        """To stderr."""
        self._print_error(self._marked("warning:", "yellow") + " " + plain(text))

    def error(self, error: MosaicError) -> None:
        """To stderr: what, where, how to fix it."""
        text = plain(error.render())
        if text.startswith("error:"):
            text = self._marked("error:", "red") + text.removeprefix("error:")
        self._print_error(text)

    def document(self, document: Mapping[str, Json], form: Literal["json", "yaml"], *, one_line: bool = False) -> None:
        """Exactly one document on stdout; `one_line` is for a stream of them (in YAML: each with its own start)."""
        if form == "json":
            self.result(to_json(document, one_line=one_line))
        else:
            self.result(("---\n" if one_line else "") + to_yaml(document))

    def _aside(self) -> contextlib.AbstractContextManager[None]:
        return self._activity.aside() if self._activity is not None else contextlib.nullcontext()

    def _marked(self, word: str, tint: Tint) -> str:
        return f"\x1b[{_CODES[tint]}m{word}\x1b[0m" if self._err_colour else word

    def _print_error(self, text: str) -> None:
        # What cannot be said on stderr is not a reason to leave work undone.
        with contextlib.suppress(OSError, ValueError), self._aside():
            self._err.write(text if text.endswith("\n") else text + "\n")
            self._err.flush()


def to_json(document: Mapping[str, Json], *, one_line: bool = False) -> str:
    """JSON that is ASCII only, so that it survives any locale."""
    return json.dumps(document, indent=None if one_line else 2)


def to_yaml(document: Mapping[str, Json]) -> str:
    """The same document as YAML: ASCII, and with quotes wherever a reader of an older YAML could see something else
    than a string."""
    import io

    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import ScalarNode
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        """Its own class: a representer that is added to ruamel's would be there for everybody."""

    def text(representer: SafeRepresenter, value: str) -> ScalarNode:
        bare = _BARE.fullmatch(value) and value.lower() not in _TAKEN
        node: ScalarNode = representer.represent_scalar("tag:yaml.org,2002:str", value, style=None if bare else '"')
        return node

    Representer.add_representer(str, text)
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = Representer
    yaml.default_flow_style = False
    yaml.allow_unicode = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # the contract's order
    yaml.width = 1_000_000
    stream = io.StringIO()
    yaml.dump(json.loads(json.dumps(document)), stream)
    return stream.getvalue()


_BARE = re.compile(r"[A-Za-z_/](?:[A-Za-z0-9_./@ -]*[A-Za-z0-9_./@-])?")
_TAKEN = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
