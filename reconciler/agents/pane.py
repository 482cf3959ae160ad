"""The pane of a declared agent, for a command that reads it or types into it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from providers.tmux.pane_input import PaneError, PaneState, Where
from providers.tmux.pane_view import PaneSnapshot, PaneViewer, Viewer
from reconciler.errors import MosaicError, Unavailable

if TYPE_CHECKING:
    from specs.compiled import Agent, Fleet

TEXT_MAX = 1 << 20  # bytes of a pane's text


class AgentPane:
    """One agent's pane, found by its marks. Raises MosaicError if there is none."""

    def __init__(self, fleet: Fleet, agent: Agent) -> None:
        self.agent = agent
        self.where = Where(socket=agent.socket, session=agent.session, agent=agent.name, fleet=fleet.name)
        self.viewer = PaneViewer(os.environ)
        try:
            self.state: PaneState = self.viewer.state(self.where)
        except PaneError as error:
            raise unreachable(error) from error
        if self.state.found != "pane":
            raise gone(self.state.found, agent)

    def snapshot(self, *, back: int = 0, joined: bool = False) -> PaneSnapshot:
        """Raises Unavailable if tmux does not answer, MosaicError if the pane is gone."""
        try:
            seen = self.viewer.snapshot(self.where, self.state, back=back, joined=joined)
        except PaneError as error:
            raise unreachable(error) from error
        if seen.found != "pane":
            raise gone(seen.found, self.agent)
        return seen

    def viewers(self) -> tuple[Viewer, ...]:
        """The terminals that are attached to its session. Raises Unavailable."""
        try:
            return self.viewer.viewers(self.where, self.state)
        except PaneError as error:
            raise unreachable(error) from error

    def way_out(self) -> str:
        """The keys that leave its session, for people. Raises Unavailable."""
        try:
            keys = self.viewer.detach_keys(self.where, self.state)
        except PaneError as error:
            raise unreachable(error) from error
        if keys is None:
            return "run `tmux detach-client` from another terminal: no key is bound to it"
        return f"press {_key(keys[0])}, then {_key(keys[1])}"

    def terminals(self) -> frozenset[str]:
        """The terminals of all panes of its server. Raises Unavailable."""
        try:
            return self.viewer.terminals(self.where)
        except PaneError as error:
            raise unreachable(error) from error


def _key(name: str) -> str:
    """A key as printed on a keyboard; tmux calls it C-b."""
    for short, long in (("C-", "Ctrl-"), ("M-", "Alt-")):
        if name.startswith(short) and len(name) == 3:
            return long + name[2:].upper()
    return name


def text_of(seen: PaneSnapshot, lines: int = TEXT_MAX, *, screen: bool = False) -> str:
    """The end of the pane's text (`screen`: only of the screen) as plain text: secrets hidden, nothing empty at the
    right and at the bottom. tmux reports a dead pane's end far below the program's output: one of the empty lines
    between them is kept."""
    from reconciler.helpers.redact import redact
    from reconciler.terminal.styled_text import plain_rows

    rows = plain_rows(seen.screen if screen else seen.rows)
    if seen.dead:
        rows = tuple(row for row, before in zip(rows, ("", *rows), strict=False) if row or before)
    return redact("\n".join(rows), max_lines=lines, max_bytes=TEXT_MAX)


def rows_of(seen: PaneSnapshot, *, screen: bool = False) -> list[str]:
    """`text_of`, line by line."""
    text = text_of(seen, screen=screen)
    return text.split("\n") if text else []


def gone(found: str, agent: Agent) -> MosaicError:
    """The error of a pane that no longer exists, with the way out."""
    name, where = agent.name, f'on the tmux socket "{agent.socket or "default"}"'
    if agent.state != "running":
        return MosaicError(f"agent {name} is declared {agent.state}: it has no pane", help=f"mosaic fleet start {name}")
    if found == "no-server":
        return Unavailable(f"there is no tmux server {where}, so agent {name} does not run", help="run: reconcile")
    if found == "foreign":
        return MosaicError(
            f"the session {agent.session} {where} is not the one of agent {name}, or not the same any more",
            help="mosaic fleet status says what is there",
        )
    what = "the session" if found == "no-session" else "its pane in the session"
    return MosaicError(f"agent {name} does not run: {what} {agent.session} {where} is not there", help="run: reconcile")


def ended(seen: PaneSnapshot, agent: Agent) -> MosaicError:
    """The error of a pane whose program has ended."""
    status = f" with status {seen.dead_status}" if seen.dead_status is not None else ""
    return MosaicError(f"the program of agent {agent.name} has ended{status}", help=f"mosaic agent tail {agent.name}")


def unreachable(error: PaneError) -> Unavailable:
    """The error when tmux does not answer."""
    return Unavailable(str(error), help="if this continues: mosaic fleet status")
