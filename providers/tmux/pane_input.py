"""One pane of an agent: read it, paste a text into it, press a key in it. Every call is bounded.

A pane is found by its mark, on the whole server: people rename sessions, and move panes and windows. After that we use
its number. The server itself checks, in the same command that acts, that the pane is still the agent's: its marks, its
process, alive and not in copy mode.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Literal

from providers.processes.process import Child, Finished, NotInstalledError, SpawnError
from providers.programs.sgr import self_contained
from providers.screen import Screen
from specs.dataclass import dataclass

TIMEOUT_S = 5.0
_LIMIT = 4 << 20  # a styled screen of 200x50 is at most 30 KB
_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_PLAIN = re.compile(r"[\w./ -]+")  # letters of any script: tmux compares UTF-8
_KEY = re.compile(r"[A-Za-z0-9-]+", re.ASCII)
_FIELDS = (
    "pane_id", "pane_pid", "pane_dead", "pane_in_mode", "pane_width", "pane_height", "cursor_x", "cursor_y",
    "session_created", "session_attached", "session_id", "@mosaic_life", "@mosaic_fleet", "@mosaic_pane",
    "pane_current_command",
)  # fmt: skip
_ROW = "|".join(f"#{{{name}}}" for name in _FIELDS) + "|#{=256:pane_title}"

Found = Literal["pane", "no-server", "no-session", "foreign", "no-pane"]


class PaneError(Exception):
    """A call to tmux failed; the text is a sentence. `unsure`: tmux may have done what we asked all the same."""

    def __init__(self, text: str, *, unsure: bool = False) -> None:
        super().__init__(text)
        self.unsure = unsure


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The address of an agent's pane. `socket` is a name as for `-L`, and "" the default server; `session` is the name
    that its session was created with."""

    socket: str
    session: str
    agent: str
    fleet: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaneState:
    """What tmux reports of the pane. `found` other than "pane": no pane to act on, and the rest is empty. `created`:
    Unix seconds; `attached`: terminals that show its session; `session`: tmux's number for its session, like "$3";
    `life` as in `host.Pane`."""

    found: Found
    id: str = ""
    pid: int = 0
    dead: bool = False
    in_mode: bool = False
    title: str = ""
    command: str = ""
    created: int = 0
    attached: int = 0
    session: str = ""
    life: str = ""


class Panes:
    """The panes of one user's tmux servers."""

    def __init__(self, environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S) -> None:
        hidden = ("TMUX", "TMUX_PANE", "TMUX_TMPDIR", "LC_ALL")
        self._environ = {name: value for name, value in environ.items() if name not in hidden}
        self._environ["LC_ALL"] = "C.UTF-8"
        self._timeout_s = timeout_s

    def state(self, where: Where) -> PaneState:
        """The agent's own pane, by its marks, in any session. Raises PaneError."""
        _check(where)
        nonce = _nonce()
        wanted = f"#{{||:#{{==:#{{@mosaic_pane}},{where.agent}}},#{{==:#{{session_name}},{where.session}}}}}"
        argv = ["list-panes", "-a", "-f", wanted, "-F", f"{nonce} {_ROW}", ";"]
        done = self._run(where, [*argv, "display-message", "-p", f"{nonce} end"])
        if done.status != 0:
            return PaneState(found=_missing(done))
        lines = [line for line in _lines(done.out) if line.startswith(nonce)]
        if lines[-1:] != [f"{nonce} end"]:
            raise PaneError(f"tmux list-panes printed something unexpected: {_short(done.out)}")
        rows = [_row(line) for line in lines[:-1]]
        ours = [state for own, state in rows if own == (where.fleet, where.agent)]
        if ours:
            # First the one that we started, then a living one, then a dead one; a linked window lists a pane twice.
            return max(ours, key=lambda one: (one.life.startswith(f"{one.pid}."), not one.dead))
        if any(own[1] == where.agent for own, _ in rows):
            return PaneState(found="foreign")
        if not rows:
            return PaneState(found="no-session")
        return PaneState(found="no-pane" if any(own[0] == where.fleet for own, _ in rows) else "foreign")

    def shot(self, where: Where, pane: PaneState) -> tuple[PaneState, Screen | None]:
        """The pane as it is now, in one call; no Screen if it is no longer the agent's. Raises PaneError."""
        target, nonce = _target(where, pane), _nonce()
        argv = [
            "display-message", "-p", "-t", target, f"{nonce} {_ROW}", ";",
            "capture-pane", "-p", "-t", target, ";",
            "display-message", "-p", f"{nonce} styled", ";",
            "capture-pane", "-p", "-e", "-t", target, ";",
            "display-message", "-p", f"{nonce} end",
        ]  # fmt: skip
        done = self._run(where, argv)
        if done.status != 0:
            return PaneState(found=_missing(done)), None
        parts = _text(done.out).split(nonce + " ")
        if len(parts) != 4 or parts[3] != "end\n":
            raise PaneError(f"tmux capture-pane printed something unexpected: {_short(done.out)}")
        head, _, plain = parts[1].partition("\n")
        own, state = _row(f"{nonce} {head}")
        if own != (where.fleet, where.agent) or state.pid != pane.pid:
            return PaneState(found="foreign"), None
        numbers = head.split("|")
        width, height, column, row = (int(number or 0) for number in numbers[4:8])
        screen = Screen(
            lines=tuple(line.rstrip() for line in plain.split("\n")[:height]),
            styled=self_contained(parts[2].partition("\n")[2].split("\n")[:height]),
            cursor=(column, row),
            title=state.title,
            width=width,
            height=height,
        )
        return state, screen

    def paste(self, where: Where, pane: PaneState, data: bytes, *, shows: Sequence[str] = ()) -> bool:
        """Put `data` into the pane as one bracketed paste, whatever it contains. False: the pane has changed, is in
        copy mode, or does not show one of the texts `shows`, and nothing was pasted. Raises PaneError."""
        target, nonce = _target(where, pane), _nonce()
        buffer = f"{_buffers(where)}{nonce}"
        argv = [
            "load-buffer", "-b", buffer, "-", ";",
            "if-shell", "-F", "-t", target, _still(where, pane, shows),
            f"paste-buffer -p -r -d -b {buffer} -t '{target}' ; display-message -p '{nonce} done'",
            f"delete-buffer -b {buffer} ; display-message -p '{nonce} refused'",
        ]  # fmt: skip
        try:
            return self._answered(where, argv, nonce, data)
        except BaseException:
            # Anybody could paste a text left in a buffer, anywhere.
            with suppress(PaneError):
                self._run(where, ["delete-buffer", "-b", buffer])
            raise

    def drop_buffers(self, where: Where) -> None:
        """Remove the server's buffers that a killed sender to this agent has left: anybody could paste them. The caller
        holds the agent's lock. Raises PaneError."""
        _check(where)
        done = self._run(where, ["list-buffers", "-F", "#{buffer_name}"])
        for name in _lines(done.out):
            if name.startswith(_buffers(where)):
                self._run(where, ["delete-buffer", "-b", name])

    def key(self, where: Where, pane: PaneState, key: str, *, shows: Sequence[str] = ()) -> bool:
        """Press one key, by tmux's name for it. False and PaneError as in `paste`."""
        if not _KEY.fullmatch(key):
            raise PaneError(f"{key!r} is not the name of a key")
        target, nonce = _target(where, pane), _nonce()
        argv = [
            "if-shell", "-F", "-t", target, _still(where, pane, shows),
            f"send-keys -t '{target}' {key} ; display-message -p '{nonce} done'",
            f"display-message -p '{nonce} refused'",
        ]  # fmt: skip
        return self._answered(where, argv, nonce, b"")

    def _answered(self, where: Where, argv: Sequence[str], nonce: str, data: bytes) -> bool:
        try:
            done = self._run(where, argv, data)
        except PaneError as error:
            raise PaneError(str(error), unsure=True) from error
        said = _text(done.out)
        if f"{nonce} done" in said:
            return True
        if f"{nonce} refused" in said or _missing_or_none(done) is not None:
            return False
        raise PaneError(f"tmux failed with status {done.status}: {_short(done.err)}", unsure=True)

    def _run(self, where: Where, argv: Sequence[str], data: bytes = b"") -> Finished:
        socket = ["-L", where.socket] if where.socket else []
        try:
            child = Child(
                ["tmux", "-u", *socket, *argv], self._environ, timeout_s=self._timeout_s, limit=_LIMIT, stdin=data
            )
        except NotInstalledError as error:
            raise PaneError("tmux is not on PATH; install it: sudo apt install tmux") from error
        except SpawnError as error:
            raise PaneError(str(error)) from error
        try:
            return child.finish()
        except SpawnError as error:
            raise PaneError(str(error)) from error


def _check(where: Where) -> None:
    for name in (where.session, where.agent, where.fleet):
        if not _NAME.fullmatch(name):
            raise PaneError(f"{name!r} is not a name that tmux can be asked for safely")


def _buffers(where: Where) -> str:
    """The prefix of the buffers' names for one agent; no agent's name contains ":"."""
    return f"mosaic-{where.agent}:"


def _target(where: Where, pane: PaneState) -> str:
    _check(where)
    if not re.fullmatch(r"%[0-9]+", pane.id, re.ASCII):
        raise PaneError(f"{pane.id!r} is not a pane")
    return pane.id


def _still(where: Where, pane: PaneState, shows: Sequence[str] = ()) -> str:
    """The format that is true exactly while the pane is the agent's, runs the same process, takes keys, and has each of
    the texts `shows` on a line of its screen."""
    wanted = {
        "@mosaic_pane": where.agent,
        "@mosaic_fleet": where.fleet,
        "pane_pid": str(pane.pid),
        "pane_dead": "0",
        "pane_in_mode": "0",
    }
    found = "1"
    for name, value in wanted.items():
        found = f"#{{&&:{found},#{{==:#{{{name}}},{value}}}}}"
    for text in shows:
        if not _PLAIN.fullmatch(text):
            raise PaneError(f"{text!r} is not a text that tmux can be asked for safely")
        found = f"#{{&&:{found},#{{C:{text}}}}}"
    return found


def _row(line: str) -> tuple[tuple[str, str], PaneState]:
    """Marks (fleet, agent) and state, from a line of _ROW behind a nonce; raises PaneError."""
    fields = line.partition(" ")[2].split("|", len(_FIELDS))
    try:
        if len(fields) != len(_FIELDS) + 1:
            raise ValueError
        pid, dead, mode, _, _, _, _, created, attached = (int(field or 0) for field in fields[1:10])
    except ValueError:
        raise PaneError(f"tmux printed a line that is not a pane: {line[:200]!r}") from None
    session, life, fleet, own, command, title = fields[10:]
    return (fleet, own), PaneState(
        found="pane",
        id=fields[0],
        pid=pid,
        dead=bool(dead),
        in_mode=bool(mode),
        title=title,
        command=command,
        created=created,
        attached=attached,
        session=session,
        life=life,
    )


def _missing(done: Finished) -> Found:
    found = _missing_or_none(done)
    if found is None:
        raise PaneError(f"tmux failed with status {done.status}: {_short(done.err)}")
    return found


def _missing_or_none(done: Finished) -> Found | None:
    said = _text(done.err)
    if said.startswith("no server running on ") or (
        said.startswith("error connecting to ") and ("(No such file" in said or "(Connection refused" in said)
    ):
        return "no-server"
    if said.startswith(("server exited", "lost server")):
        return "no-server"
    if said.startswith(("can't find session", "no current ")):
        return "no-session"
    if said.startswith(("can't find pane", "can't find window")):
        return "no-pane"
    return None


def _nonce() -> str:
    return os.urandom(8).hex()


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _lines(data: bytes) -> list[str]:
    return _text(data).split("\n")


def _short(data: bytes) -> str:
    return repr(_text(data[:200]).strip())
