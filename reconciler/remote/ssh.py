"""Other hosts of the fleet, over ssh: run one command there, and read its answer.

Nothing that a person wrote becomes part of what the shell over there reads: the words of a command are names and
options from a closed alphabet, each in quotes, and a text goes over standard input. Host keys are checked, and no
question is asked: a host whose key is not known is a host that is not reached.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import NoReturn

from providers.base import Parsed
from providers.processes.process import Child, NotInstalledError, SpawnError
from reconciler.errors import ExitCode, MosaicError, Unavailable, Usage
from reconciler.git.error_text import host_key
from specs.compiled import Peer
from specs.dataclass import dataclass
from specs.values.names import ssh_fault

CONNECT_S = 10  # until a host that does not answer is given up
LIMIT = 32 << 20  # of an answer: a listing of 10,000 agents is about 20 MB
SSH_FAILED = 255  # what ssh itself ends with; `mosaic` never does
NO_PROGRAM = 127
_NOTHING_DONE = {
    ExitCode.NOT_FOUND,
    ExitCode.REFUSED,
    ExitCode.USAGE,
    ExitCode.UNAVAILABLE,
    ExitCode.LOCKED,
    ExitCode.INVALID_CONFIG,
}
_OPTIONS = (
    *("-o", "StrictHostKeyChecking=yes", "-o", "PermitLocalCommand=no", "-o", "ForwardAgent=no"),
    *("-o", "ClearAllForwardings=yes", "-o", f"ConnectTimeout={CONNECT_S}"),
    *("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"),
)
# What ssh itself says, on a line of its own, when it has not even begun there. What ends a connection later may have
# the same words in it ("Read from remote host far: Connection timed out"), and so may the command over there.
_BEFORE = re.compile(
    r"^(?:ssh: Could not resolve hostname |ssh: connect to (?:host|address) "
    r"|\S+: Permission denied \(|Host key verification failed\.$)",
    re.MULTILINE,
)
_STARTS = 100  # places in an answer at which a document may begin, behind what a login prints over there

# A login that is not interactive seldom has the user's own folders on PATH, and a manager's runtime folder only by PAM.
_THERE = (
    'PATH="$PATH:${MOSAIC_HOME:-$HOME/.config/mosaic}/fleet/bin:$HOME/.local/bin"; export PATH; '
    'if [ -z "${XDG_RUNTIME_DIR:-}" ] && [ -d "/run/user/$(id -u)" ]; then '
    'XDG_RUNTIME_DIR="/run/user/$(id -u)"; export XDG_RUNTIME_DIR; fi; exec mosaic "$@"'
)
_WORD = re.compile(r"[A-Za-z0-9_.:/@+=,%-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A host, by its name in the fleet and by what ssh is told."""

    host: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteAnswer:
    """What the command there left: its exit status, the document on its standard output (None if there is none), and
    what it said."""

    status: int
    document: Mapping[str, Parsed] | None
    said: str

    @property
    def nothing_done(self) -> bool:
        """Whether a command that acts there has certainly done nothing: any other status may follow a deed, whatever it
        printed."""
        return self.status in _NOTHING_DONE


def destination(peer: Peer) -> Destination:
    """Where an agent of another host is reached: the roster's `ssh`, else the host's name. Raises Usage."""
    target = peer.ssh or peer.host
    fault = ssh_fault(target)
    if fault is not None:
        raise Usage(f'agent {peer.name}: "{target}" {fault}')
    return Destination(host=peer.host, target=target)


def interactive_argv(there: Destination, words: Sequence[str], *, terminal: bool = True) -> list[str]:
    """The command that runs `mosaic WORDS` there in this terminal; without one, on the three streams that we have, and
    without a question."""
    how = ["-t"] if terminal else ["-T", "-o", "BatchMode=yes"]
    return ["ssh", *how, *_OPTIONS, "--", there.target, _command(words)]


class Unreached(Unavailable):
    """The other host was not reached, so certainly nothing was done there."""


class Asking:
    """`mosaic WORDS` under way on another host; `answer()` or `abandon()` must be called."""

    def __init__(self, there: Destination, words: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> None:
        """Raises Usage for words that may not cross a shell, Unreached where there is no ssh."""
        self.there = there
        argv = ["ssh", "-T", "-o", "BatchMode=yes", *_OPTIONS, "--", there.target, _command(words)]
        try:
            self._child = Child(argv, dict(os.environ), timeout_s=timeout_s, limit=LIMIT, stdin=stdin)
        except NotInstalledError as error:
            raise Unreached("ssh is not on PATH", help="install it: sudo apt install openssh-client") from error
        except SpawnError as error:
            raise Unreached(str(error)) from error

    def answer(self) -> RemoteAnswer:
        """Wait for the end. Raises Unavailable when there is no answer, Unreached when certainly nothing was done."""
        host, target = self.there.host, self.there.target
        try:
            done = self._child.finish()
        except SpawnError as error:
            raise Unavailable(f"{host}: {error}", help=f"try it by hand: ssh {target} true") from error
        said = done.err.decode("utf-8", "replace").strip()
        if done.status == SSH_FAILED:
            kind = Unreached if _BEFORE.search(said.replace("\r\n", "\n")) else Unavailable

            raise kind(f"{host} cannot be reached: {_reason(said, target)}", help=_fix(said, target))
        if done.status == NO_PROGRAM:
            raise Unreached(
                f"{host} has no `mosaic` on its PATH", help="install it there, and reconcile that host once"
            )
        if done.status < 0:
            raise Unavailable(f"{host}: ssh was ended by signal {-done.status}")
        return RemoteAnswer(status=done.status, document=_document(done.out), said=said)

    def abandon(self) -> None:
        """End it without an answer."""
        self._child.abandon()


class Remote(MosaicError):
    """What the other host said went wrong there, with the exit code that it gave."""

    def __init__(self, there: Destination, answer: RemoteAnswer) -> None:
        lines = [line for line in answer.said.splitlines() if line.strip()]
        error = next((line.removeprefix("error: ") for line in lines if line.startswith("error: ")), "")
        way = next((line.removeprefix("help: ") for line in lines if line.startswith("help: ")), "")
        super().__init__(f"{there.host}: {error or (lines or ['it gave no answer'])[-1]}", help=way)
        known = {int(one): one for one in ExitCode if one not in (ExitCode.OK, ExitCode.PENDING)}  # these mean no fault
        # A class says one code for all its errors; here each has that of the other host.
        self.exit_code = known.get(answer.status, ExitCode.FAILED)  # type: ignore[misc]


def _command(words: Sequence[str]) -> str:
    for word in words:
        if not _WORD.fullmatch(word):
            raise Usage(
                f"{word!r} cannot be part of a command on another host",
                help="names and labels there are letters, digits and . _ : / @ + = , % -",
            )
    return " ".join(["/bin/sh", "-c", f"'{_THERE}'", "mosaic", *(shlex.quote(word) for word in words)])


def _document(out: bytes) -> Mapping[str, Parsed] | None:
    """The document in it, which a greeting of the login there may stand around: the first of ours, else of any."""
    other: Mapping[str, Parsed] | None = None
    text = out.decode("utf-8", "replace")
    start = 0 if text.startswith("{") else text.find("\n{") + 1
    for _ in range(_STARTS):
        try:
            found, _ = json.JSONDecoder(parse_constant=_no_number).raw_decode(text, start)

        except (ValueError, RecursionError):  # not here: or nothing at all, or nested beyond all sense
            found = None
        if isinstance(found, dict):
            if "apiVersion" in found:
                return found
            other = other or found
        start = text.find("\n{", start) + 1
        if not start:
            break
    return other


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _reason(said: str, target: str) -> str:
    key = host_key(said, target)
    if key is not None:
        return key[0]
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in lines if "Permission denied" in line), lines[-1] if lines else "ssh said nothing")


def _fix(said: str, target: str) -> str:
    key = host_key(said, target)
    if key is not None:
        return key[1]
    if "Permission denied" in said:
        return f"a key without a passphrase, or an agent, must be let in there: ssh-copy-id {target}"
    return f"try it by hand: ssh {target} true"
