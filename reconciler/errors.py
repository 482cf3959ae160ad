"""Every way a run can end, and its exception: the only place that maps exit codes.

Library code raises a `MosaicError`; the command lines print its message, place and way out, and leave with its
`exit_code`. Anything else that reaches them is a bug of ours (70).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """The contract's table."""

    OK = 0  # converged, nothing to do, a preview shown; paused or suspended on purpose
    FAILED = 1  # an action failed, or an agent is not converged
    PENDING = 2  # changes are pending: only with --dry-run --detailed-exitcode
    UNHEALTHY = 3  # applied but not healthy before the deadline; a check that found something wrong
    NOT_FOUND = 4  # no such agent, fleet or file
    REFUSED = 5  # a guard said no
    USAGE = 64
    UNAVAILABLE = 69  # the systemd user manager, tmux or git cannot be reached
    BUG = 70
    LOCKED = 75  # another run holds the lock
    INVALID_CONFIG = 78
    INTERRUPTED = 130
    TERMINATED = 143


MEANINGS: Mapping[int, str] = {
    ExitCode.OK: "Converged, nothing to do, or a preview shown; also paused or suspended on purpose.",
    ExitCode.FAILED: "An action failed, or an agent is not as it should be; a message was not delivered.",
    ExitCode.PENDING: "Changes are pending; only with --dry-run --detailed-exitcode.",
    ExitCode.UNHEALTHY: "Applied, but not healthy before the deadline; a check found something wrong; a message is "
    "unconfirmed.",
    ExitCode.NOT_FOUND: "No such agent, fleet or file.",
    ExitCode.REFUSED: "A guard said no.",
    ExitCode.USAGE: "The command line makes no sense.",
    ExitCode.UNAVAILABLE: "The systemd user manager, tmux, git or another host cannot be reached.",
    ExitCode.BUG: "A bug of Mosaic Fleet; the traceback is in the state folder.",
    ExitCode.LOCKED: "Another run holds the lock.",
    ExitCode.INVALID_CONFIG: "A file is not valid, and nothing was done because of it.",
    ExitCode.INTERRUPTED: "Interrupted.",
    ExitCode.TERMINATED: "Terminated.",
}


class MosaicError(Exception):
    """Something a person can act on.

    `message` says what is wrong, `where` is a place (`file:line:column`, a path, a URL) or empty, and `help` is the way
    out: a command or an edit. None of them holds a secret.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.FAILED

    def __init__(self, message: str, *, help: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.where = where

    def __str__(self) -> str:
        return self.message

    def render(self) -> str:
        """The plain text of the contract: `error:`, `-->`, `help:`; the last two only where there is something."""
        lines = [f"error: {self.message}"]
        if self.where:
            lines.append(f"  --> {self.where}")
        if self.help:
            lines.append(f"help: {self.help}")
        return "\n".join(lines)


class NotFound(MosaicError):
    """No such agent, fleet or file."""

    exit_code = ExitCode.NOT_FOUND


class Refused(MosaicError):
    """A guard said no: prune limit, stale plan, rewind, signature, floor. `help` says how to overrule it."""

    exit_code = ExitCode.REFUSED


class Rewound(Refused):
    """The revision does not descend from the last one that was applied."""


class HistoryCut(Refused):
    """Nobody can tell whether the revision descends from the last one that was applied: the source has cut its
    history."""


class Unverified(Refused):
    """No good signature by somebody this host trusts, or nothing left to judge a revision by."""


class Usage(MosaicError):
    """The command line makes no sense."""

    exit_code = ExitCode.USAGE


class Unavailable(MosaicError):
    """Something outside of us cannot be reached just now; trying again later may help."""

    exit_code = ExitCode.UNAVAILABLE


class SourceBusy(Unavailable):
    """Git has something half done in the source's working tree, so its newest commit is nobody's decision yet."""


class Locked(MosaicError):
    """Another run holds the lock."""

    exit_code = ExitCode.LOCKED


class InvalidConfig(MosaicError):
    """A spec or a settings file is wrong; nothing was done because of it."""

    exit_code = ExitCode.INVALID_CONFIG


def unknown_agent(agent: str, known: Iterable[str]) -> NotFound:
    """The error for a name that nobody declared."""
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(agent, names, n=3, cutoff=0.5)
    way = f"did you mean {' or '.join(near)}?" if near else f"known here: {', '.join(names[:20]) or 'none'}"
    return NotFound(f'no agent is called "{agent}"', help=way)
