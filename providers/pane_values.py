"""What a look at a tmux server shows, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPane:
    """A pane beside an agent's, in the same session. `agent`: whose it is by its mark, "" for a person's."""

    id: str
    window: int
    index: int
    pid: int
    command: str
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pane:
    """An agent's pane, or the first one of a session that has none. Times are Unix seconds; 0 where tmux has none."""

    session: str
    pid: int
    dead: bool
    dead_status: int | None  # exit status of a dead pane's process
    command: str  # tmux's pane_current_command
    mark: str  # @mosaic_pane, the agent's name; "" for a pane that is not an agent's
    fleet: str  # @mosaic_fleet, or ""
    launch: str  # @mosaic_launch: digest of what it was started with, or ""
    mission: str = ""  # its @mosaic_mission: digest of the mission and the contract that it was given, or ""
    created: float
    activity: float  # newest of pane, window and session activity that tmux reports
    attached: int
    in_mode: bool
    title: str
    id: str = ""  # tmux's own name of it, like `%3`: unique while the server lives
    panes: int = 1  # how many panes the session has
    life: str = ""  # @mosaic_life: "PID.TICKS" of the process that was started in it (field 22 of its stat), or ""
    others: tuple[OtherPane, ...] = ()  # what else is in its session, in its order
    vacant: bool = False  # `mark` is the session's alone: the agent's pane is gone, and what is there is not it
    moved: bool = False  # an agent's pane of an older kind, in a session that is not its own: little is known of it


@dataclass(frozen=True, slots=True, kw_only=True)
class TmuxServer:
    """One tmux server. `down` is certain (no socket and no server process); `lost` is a live server whose socket
    file is gone (then `pid` and `start_ticks` are set, and `panes` is empty but means nothing)."""

    state: Literal["up", "down", "lost"]
    pid: int = 0
    start_ticks: int = 0
    panes: tuple[Pane, ...] = ()
