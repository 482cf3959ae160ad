"""A pane seen from outside: its screen and its history, without attaching a client.

A look leaves no trace: tmux sees no client, no activity and no other size. Each look is one call of tmux.
"""

from __future__ import annotations

import os
import re

from providers.processes.process import Finished
from providers.tmux.pane_input import Found, PaneError, Panes, PaneState, Where
from specs.dataclass import dataclass

BACK_MAX = 1000  # rows of history in one look: 4 MB if each cell has a style of its own
_NUMBERS = (
    "pane_pid", "pane_dead", "pane_dead_status", "pane_in_mode", "pane_width", "pane_height", "history_size",
    "history_limit", "alternate_on", "window_activity",
)  # fmt: skip
_MARKS = ("@mosaic_pane", "@mosaic_fleet")
_HEAD = "@mosaic-snapshot:" + ":".join(f"#{{{name}}}" for name in (*_NUMBERS, *_MARKS)) + ":#{=256:pane_title}"
_CLIENTS = "@mosaic-client:#{client_created}:#{client_tty}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaneSnapshot:
    """One look. `found` other than "pane": it is gone, and the rest is empty.

    `rows`: as `capture-pane -e` prints them, from the oldest asked for to the bottom of the screen; `screen`: the
    screen alone, at the same moment. A wrapped line is one row if the caller asked to join rows. `history` and `limit`
    count rows above the screen. `activity`: Unix seconds of the last output.
    """

    found: Found
    dead: bool = False
    dead_status: int | None = None
    in_mode: bool = False
    width: int = 0
    height: int = 0
    history: int = 0
    limit: int = 0
    alternate: bool = False
    activity: float = 0.0
    title: str = ""
    rows: tuple[str, ...] = ()
    screen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A terminal that is attached to a session, since `created` (Unix seconds)."""

    tty: str
    created: float


class PaneViewer(Panes):
    """Reads panes."""

    def snapshot(self, where: Where, pane: PaneState, *, back: int = 0, joined: bool = False) -> PaneSnapshot:
        """The pane's screen and `back` rows of history, in one call. Raises PaneError."""
        if not re.fullmatch(r"%[0-9]+", pane.id, re.ASCII):
            raise PaneError(f"{pane.id!r} is not a pane")
        target, nonce = pane.id, os.urandom(8).hex()
        back = min(max(back, 0), BACK_MAX)
        capture = ["capture-pane", "-p", "-e", *(["-J"] if joined else []), "-t", target]
        argv = ["display-message", "-p", "-t", target, _HEAD, ";", *capture]
        if back:
            argv += ["-S", str(-back), ";", "display-message", "-p", nonce, ";", *capture]
        done = self._run(where, argv)
        if done.status != 0:
            return PaneSnapshot(found=_gone(done))
        return _snapshot_of(where, pane, done.out.decode("utf-8", "replace"), nonce if back else "")

    def viewers(self, where: Where, pane: PaneState) -> tuple[Viewer, ...]:
        """Every terminal that is attached to the pane's session, oldest first. Raises PaneError."""
        done = self._run(where, ["list-clients", "-t", pane.session, "-F", _CLIENTS])
        if done.status != 0:
            _gone(done)
            return ()
        found = []
        for line in done.out.decode("utf-8", "replace").splitlines():
            mark, created, tty = [*line.split(":", 2), "", ""][:3]
            if mark == "@mosaic-client" and created.isdecimal():
                found.append(Viewer(tty=tty, created=float(created)))
        return tuple(sorted(found, key=lambda one: one.created))

    def terminals(self, where: Where) -> frozenset[str]:
        """The terminals of all panes of the server: a process in one of them is inside that server. Raises
        PaneError."""
        done = self._run(where, ["list-panes", "-a", "-F", "#{pane_tty}"])
        if done.status != 0:
            _gone(done)
        return frozenset(done.out.decode("utf-8", "replace").split())

    def detach_keys(self, where: Where, pane: PaneState) -> tuple[str, str] | None:
        """The prefix, and the key after it, that detach a terminal from the pane's session, by tmux's names; None if
        the operator has bound none. Raises PaneError."""
        done = self._run(where, ["display-message", "-p", "-t", pane.id, "#{prefix}", ";", "list-keys", "-T", "prefix"])
        if done.status != 0:
            _gone(done)
            return None
        prefix, _, keys = done.out.decode("utf-8", "replace").partition("\n")
        found = re.search(r"^bind-key +(?:-r +)?-T +prefix +(\S+) +detach-client *$", keys, re.MULTILINE)
        return (prefix, found[1]) if found and prefix not in ("", "None") else None


def _snapshot_of(where: Where, pane: PaneState, text: str, between: str) -> PaneSnapshot:
    head, _, rest = text.partition("\n")
    above, found, screen = rest.partition(f"{between}\n") if between else (rest, "", rest)
    fields = head.split(":", len(_NUMBERS) + len(_MARKS) + 1)
    try:
        if (
            bool(found) != bool(between)
            or fields[0] != "@mosaic-snapshot"
            or len(fields) != len(_NUMBERS) + len(_MARKS) + 2
        ):
            raise ValueError
        pid, dead, status, mode, width, height, history, limit, alternate, activity = (
            int(field or 0) for field in fields[1 : len(_NUMBERS) + 1]
        )
    except ValueError:
        raise PaneError(f"tmux printed something that is not a pane: {head[:200]!r}") from None
    own, fleet, title = fields[len(_NUMBERS) + 1 :]
    if (own, fleet, pid) != (where.agent, where.fleet, pane.pid):
        return PaneSnapshot(found="foreign")
    return PaneSnapshot(
        found="pane",
        dead=bool(dead),
        dead_status=status if fields[3] else None,
        in_mode=bool(mode),
        width=width,
        height=height,
        history=history,
        limit=limit,
        alternate=bool(alternate),
        activity=float(activity),
        title=title,
        rows=tuple(above.split("\n")[:-1]),
        screen=tuple(screen.split("\n")[:-1]),
    )


def _gone(done: Finished) -> Found:
    """Why the pane cannot be read; raises PaneError for any other failure."""
    said = done.err.decode("utf-8", "replace").strip()
    if said.startswith(("no server running on ", "server exited", "lost server")):
        return "no-server"
    if said.startswith("error connecting to ") and ("(No such file" in said or "(Connection refused" in said):
        return "no-server"
    if said.startswith(("can't find session", "no current ")):
        return "no-session"
    if said.startswith(("can't find pane", "can't find window")):
        return "no-pane"
    raise PaneError(f"tmux failed with status {done.status}: {said[:200]!r}")
