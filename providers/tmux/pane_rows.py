"""From tmux's list of panes to the panes that count. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from providers.base import ObserveError
from providers.host import OtherPane, Pane
from specs.dataclass import replace

# Numbers first, the session's name next (tmux allows no ":" in it), the free text last. Each field occurs once:
# for the command, tmux reads /proc, which is half of the whole answer's time. A mark is looked for on the pane
# first, then on its window and its session: this also finds agents from before panes carried marks.
_NUMBERS = (
    "pane_pid", "pane_dead", "pane_dead_status", "session_created", "session_activity", "window_activity",
    "pane_activity", "session_attached", "pane_in_mode", "window_index", "pane_index",
)  # fmt: skip
_WORDS = (
    "session_name", "pane_id", "@mosaic_agent", "@mosaic_fleet", "@mosaic_launch", "@mosaic_mission", "@mosaic_pane",
    "@mosaic_life",
)  # fmt: skip
_COMMAND, _TITLE = "@c", ":@t:"
FORMAT = (
    "@p:"
    + ":".join(f"#{{{name}}}" for name in (*_NUMBERS, *_WORDS))
    + f":{_COMMAND}:#{{pane_current_command}}{_TITLE}#{{=256:pane_title}}"
)
_COLONS = 1 + len(_NUMBERS) + len(_WORDS)


class _Row(NamedTuple):
    """One pane in one session, `at` its index in its window. `own`: the agent of its own mark; `home`: that agent's
    session is this one."""

    own: str
    home: bool
    window: int
    at: int
    pane: Pane


def parse(lines: Sequence[bytes]) -> tuple[Pane, ...]:
    """Every pane with an agent's mark, in any session, and the first pane of every session without one, from lines of
    FORMAT; raises ObserveError for anything else.

    People split windows, link them, move panes and rename sessions. The pane itself records whose it is (@mosaic_pane).
    """
    sessions: dict[str, list[_Row]] = {}
    for line in lines:
        row = _row(line)
        sessions.setdefault(row.pane.session, []).append(row)
    # Several sessions may show one pane (session groups, linked windows): the row in its own session counts.
    marked: dict[str, _Row] = {}
    for row in sorted((row for rows in sessions.values() for row in rows if row.own), key=_at_home):
        marked.setdefault(row.pane.id, row)
    found = [_agents_pane(row, sessions[row.pane.session]) for row in marked.values()]
    for rows in sessions.values():
        if not any(row.own for row in rows):
            first = min(rows, key=lambda row: (row.window, row.at)).pane
            found.append(replace(first, panes=len(rows), vacant=bool(first.mark)))
    return tuple(sorted(found, key=lambda pane: pane.session))


def _agents_pane(row: _Row, beside: Sequence[_Row]) -> Pane:
    others = tuple(
        OtherPane(id=one.pane.id, window=one.window, index=one.at, pid=one.pane.pid, command=one.pane.command,
                  agent=one.own)
        for one in sorted(beside, key=lambda one: (one.window, one.at))
        if one.own != row.own
    )  # fmt: skip
    pane = row.pane
    if len(beside) > 1 or pane.mark != row.own:
        pane = replace(pane, mark=row.own, panes=len(beside), others=others)
    if row.home or pane.life:
        return pane
    # From before panes carried marks: the rest of its data stayed behind in its session.
    return replace(pane, fleet="", launch="", mission="", moved=True)


def _at_home(row: _Row) -> tuple[bool, bool, str]:
    return not row.home, row.pane.session != row.own.replace(".", "_"), row.pane.session


def _row(line: bytes) -> _Row:
    fields = line.split(b":", _COLONS + 1)
    try:
        if fields[0] != b"@p" or len(fields) < _COLONS + 2:
            raise ValueError
        pid, dead, status, created, *active, attached, mode, window, index = (int(field or 0) for field in fields[1:12])
        words = [field.decode("utf-8", "replace") for field in fields[12:]]
        session, pane_id, mark, fleet, launch, mission, own, life, sign, text = words
        if sign != _COMMAND:
            mark = fleet = launch = mission = own = life = ""  # someone put a ":" into a mark: it is not one of ours
        command, _, title = text.partition(_TITLE)
        pane = Pane(
            session=session, pid=pid, dead=bool(dead), dead_status=status if fields[3] else None, command=command,
            mark=mark, fleet=fleet, launch=launch, mission=mission, created=float(created),
            activity=float(max(active)), attached=attached, in_mode=bool(mode), title=title, id=pane_id, life=life,
        )  # fmt: skip
    except (ValueError, IndexError) as error:
        short = repr(line[:200].decode("utf-8", "replace").strip())
        raise ObserveError(f"tmux list-panes printed a line that is not a pane: {short}") from error
    return _Row(own=own, home=bool(own) and own == mark, window=window, at=index, pane=pane)
