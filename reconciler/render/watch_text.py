"""The text around a watched pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.helpers.times import rfc3339, spell_duration
from reconciler.helpers.words import data
from reconciler.listing.row import with_kind
from reconciler.terminal.viewport import Size

if TYPE_CHECKING:
    from providers.tmux.pane_view import PaneSnapshot
    from reconciler.model import AgentView


def status_line(name: str, seen: PaneSnapshot, view: AgentView | None, *, now: float, terminal: Size) -> str:
    """The agent, what it does, how long ago it said so and put out something, and the way out."""
    parts = [f" {name}", state(view)]
    if seen.in_mode:
        parts.append("copy mode")
    if seen.width > terminal.columns or seen.height > terminal.rows - 1:
        parts.append("arrows move")
    if seen.activity:
        parts.append(f"output {spell_duration(max(0.0, now - seen.activity))} ago")
    if view is not None and view.heartbeat_age is not None:
        parts.append(f"heartbeat {spell_duration(view.heartbeat_age)} ago")
    while len(line := " | ".join([*parts, "q leaves"])) > terminal.columns and len(parts) > 2:
        parts.pop()
    return line


def state(view: AgentView | None) -> str:
    """What it does, in a word, and what for if it waits or is stuck."""
    if view is None:
        return "..."
    return data(with_kind(view.readiness, view.waiting, view.stuck, view.until, blank=view.blank))


def heading(name: str, now: float) -> str:
    """What stands above each screen of a stream of them."""
    return f"--- {name} {rfc3339(now)}"
