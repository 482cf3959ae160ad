"""What a look at a tmux server shows, as values."""

from __future__ import annotations

from typing import Literal

from specs.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPane:
    """Another pane in the session of an agent's pane. `agent`: the agent of its mark, "" for a person's pane."""

    id: str
    window: int
    index: int
    pid: int
    command: str
    agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pane:
    """An agent's pane, or the first one of a session without any. Times are Unix seconds; 0 where tmux has none."""

    session: str
    pid: int
    dead: bool
    dead_status: int | None  # exit status of a dead pane's process
    command: str  # tmux's pane_current_command
    mark: str  # @mosaic_pane, the agent's name; "" for a pane that is not an agent's
    fleet: str  # @mosaic_fleet, or ""
    launch: str  # @mosaic_launch: digest of the declaration that it was started with, or ""
    mission: str = ""  # its @mosaic_mission: digest of the mission and the contract that it was given, or ""
    created: float
    activity: float  # newest of pane, window and session activity that tmux reports
    attached: int
    in_mode: bool
    title: str
    id: str = ""  # tmux's own name of it, like `%3`: unique while the server lives
    panes: int = 1  # how many panes the session has
    life: str = ""  # @mosaic_life: "PID.TICKS" of the process that was started in it (field 22 of its stat), or ""
    others: tuple[OtherPane, ...] = ()  # the other panes in its session, in order
    vacant: bool = False  # only the session has the `mark`: the agent's pane is gone, and this one is not it
    moved: bool = False  # an agent's pane of an older kind, in another session than its own: little is known of it


@dataclass(frozen=True, slots=True, kw_only=True)
class TmuxServer:
    """One tmux server. `down` is certain (no socket and no server process); `lost` is a live server whose socket
    file is gone (then `pid` and `start_ticks` are set, and `panes` is empty but means nothing)."""

    state: Literal["up", "down", "lost"]
    pid: int = 0
    start_ticks: int = 0
    panes: tuple[Pane, ...] = ()
