"""The screens of many panes of one tmux server, in one call.

The commands go in by standard input, where tmux sets no limit and continues after one that fails: the answer leaves out
a pane that has gone meanwhile, and has all others.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.processes.process import SpawnError
from providers.programs.sgr import self_contained
from providers.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.tmux.server import TmuxClient

_ID = re.compile(r"%[0-9]+", re.ASCII)
_HEAD = "#{pane_id}|#{pane_pid}|#{pane_width}|#{pane_height}|#{cursor_x}|#{cursor_y}|#{=256:pane_title}"


def read_screens(tmux: TmuxClient, socket: str, panes: Mapping[str, int], *, since: float = 0.0) -> dict[str, Screen]:
    """The screens of those of `panes` (tmux's number of each, and its process) that still exist with that process.
    With `since` (Unix seconds), only of those whose window has shown something from then on: the server itself leaves
    out the others, so that a quiet pane costs one comparison. Raises ObserveError."""
    wanted = [pane for pane in panes if _ID.fullmatch(pane)]
    if not wanted:
        return {}
    nonce = os.urandom(8).hex()
    lines = [_changed(pane, nonce, since) if since > 0 else _shown(pane, nonce) for pane in wanted]
    script = "".join([*lines, f'display-message -p "{nonce} end"\n'])
    try:
        done = tmux.spawn(socket, ["source-file", "-"], script.encode()).finish()
    except SpawnError as error:
        raise ObserveError(f"tmux capture-pane: {error}") from error
    parts = done.out.decode("utf-8", "replace").split(nonce + " ")
    whole = len(parts) % 2 == 0 and (since > 0 or len(parts) == 2 * len(wanted) + 2)
    if parts[-1] != "end\n" or not whole:
        # A server that has ended meanwhile prints nothing, and its panes have ended too.
        if not done.out and done.status != 0:
            return {}
        raise ObserveError("tmux capture-pane printed something unexpected")
    found: dict[str, Screen] = {}
    for head, styled in zip(parts[1:-1:2], parts[2:-1:2], strict=True):
        one = _screen(head, styled, panes)
        if one is not None:
            found[one[0]] = one[1]
    return found


def _shown(pane: str, nonce: str) -> str:
    return (
        f'display-message -p -t {pane} "{nonce} {_HEAD}"\ncapture-pane -p -t {pane}\n'
        f'display-message -p "{nonce} styled"\ncapture-pane -p -e -t {pane}\n'
    )


def _changed(pane: str, nonce: str, since: float) -> str:
    """The same, where the window has been active since. tmux has whole seconds; both numbers have ten digits."""
    commands = _shown(pane, nonce).rstrip("\n").replace("\n", " ; ")
    return f"if-shell -F -t {pane} '#{{>=:#{{window_activity}},{since:.0f}}}' '{commands}'\n"


def _screen(head: str, styled: str, panes: Mapping[str, int]) -> tuple[str, Screen] | None:
    """None for a pane that is gone, or has another process now."""
    first, _, plain = head.partition("\n")
    fields = first.split("|", 6)
    if len(fields) != 7 or not fields[1].isdecimal() or panes.get(fields[0]) != int(fields[1]):
        return None
    try:
        width, height, column, row = (int(field) for field in fields[2:6])
    except ValueError:
        return None
    screen = Screen(
        lines=tuple(line.rstrip() for line in plain.split("\n")[:height]),
        styled=self_contained(styled.partition("\n")[2].split("\n")[:height]),
        cursor=(column, row),
        title=fields[6],
        width=width,
        height=height,
    )
    return fields[0], screen
