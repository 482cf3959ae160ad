"""Between two runs: whether something has begun or ceased to need a person, at a flat cost.

Two cheap sources. A program's own reports: of each file that was written, only that file is read, and only its words
for waiting and for being stuck count. And the screens, for dialogs that nothing reports: twice a second, one call to
each tmux server for those panes alone that have shown something since the last time. Neither decides anything: a change
makes the loop look, as any other event does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.filesystem.guarded_read import read_regular
from providers.kinds.readings import reading
from providers.machine.heartbeat_files import MAX_BYTES, parse
from providers.programs.base import Reading
from providers.programs.registry import READERS
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.context.host import HostContext
    from reconciler.loop.result import RunResult

LOOK_S = 0.5  # between two looks at the screens
OVERLAP_S = 2.0  # tmux counts activity in whole seconds, and so may we miss a fraction of one
REPEATED, REPEATED_S = 5, 10.0  # a dialog whose text keeps changing makes the loop look so often in that many seconds


@dataclass(frozen=True, slots=True)
class ShownSigns:
    """What counts of a screen: the dialog on it, and what keeps its program from working."""

    asks: str = ""
    trouble: str = ""
    question: str = ""
    choices: tuple[str, ...] = ()


NOTHING_SHOWN = ShownSigns()


class AttentionSigns:
    """What was seen last of each agent. For one thread."""

    def __init__(self, here: HostContext) -> None:
        self._here = here
        self._words: dict[str, tuple[str, str]] = {}  # by file: for what it waits, why it is stuck
        self._shown: dict[tuple[str, str], ShownSigns] = {}  # by tmux server and pane
        self._noted: dict[tuple[str, str], list[float]] = {}  # when its text made the loop look, newest last
        self._panes: dict[str, dict[str, tuple[int, str]]] = {}  # by tmux server: process and runtime of each pane
        self._open: set[str] = set()  # agents and panes that needed a person at the last run, as it saw them
        self._due = 0.0
        self._since = 0.0

    def follow(self, result: RunResult) -> None:
        """Look from now on at the panes that a run has seen."""
        self._panes, self._open = {}, set()
        for name, view in result.plan.views.items():
            if view.waiting or view.stuck:
                self._open |= {name, f"{view.socket} {view.pane}"}
            if view.session == "alive" and view.pane and view.runtime in READERS:
                self._panes.setdefault(view.socket, {})[view.pane] = (view.pid, view.runtime)
        living = {(socket, pane) for socket, panes in self._panes.items() for pane in panes}
        self._shown = {at: signs for at, signs in self._shown.items() if at in living}
        self._noted = {at: times for at, times in self._noted.items() if at in living}

    def due_in(self) -> float:
        """Seconds until the next look at the screens; infinity if there is none to look at."""
        return max(0.0, self._due - self._here.monotonic()) if self._panes else float("inf")

    def changed(self, records: Collection[str]) -> bool:
        """Whether anything that counts has changed. `records`: names of files of the run folder that were written."""
        found = self._records_changed(records)
        if self._panes and self._here.monotonic() >= self._due:
            found = self._screens_changed() or found
        return found

    def _records_changed(self, records: Collection[str]) -> bool:
        found = False
        for name in records:
            if name.startswith(".") or not name.endswith((".hb", ".turn")):
                continue
            words = self._said(name)
            if words is None:
                continue
            before = self._words.get(name)
            if before is None and name.rpartition(".")[0] not in self._open:
                before = ("", "")
            self._words[name], found = words, found or words != before
        return found

    def _said(self, name: str) -> tuple[str, str] | None:
        """None for a file that is gone or that cannot be read: the next run says so."""
        try:
            line = read_regular(Path(self._here.facts.run_dir, name), limit=MAX_BYTES, follow=False)
        except OSError:
            return None
        record = parse(line, self._here.wall())
        return None if record.error else (record.waiting, record.stuck)

    def _screens_changed(self) -> bool:
        now, began = self._here.monotonic(), self._here.wall()
        found, later = False, False
        for socket, panes in self._panes.items():
            wanted: Mapping[str, int] = {pane: pid for pane, (pid, _) in panes.items()}
            try:
                screens = self._here.host.look().screens(socket, wanted, since=self._since)
            except ObserveError:
                continue  # the next run says so
            for pane, screen in screens.items():
                at, signs = (socket, pane), _signs(reading(panes[pane][1], screen) or Reading())
                if signs == self._before(at):
                    self._shown[at] = signs
                    continue
                if self._too_often(at, signs, now):
                    later = True  # it is looked at again, also if it is quiet by then
                    continue
                self._shown[at], found = signs, True
        if not later:
            self._since = began - OVERLAP_S
        self._due = self._here.monotonic() + LOOK_S
        return found

    def _before(self, at: tuple[str, str]) -> ShownSigns | None:
        """What a pane showed last; None if that is not known, and it was not nothing."""
        if at in self._shown or " ".join(at) in self._open:
            return self._shown.get(at)
        return NOTHING_SHOWN

    def _too_often(self, at: tuple[str, str], signs: ShownSigns, now: float) -> bool:
        """Whether a dialog only has another text again, as one does that counts seconds."""
        before = self._before(at)
        if before is None or (signs.asks, signs.trouble) != (before.asks, before.trouble):
            return False
        times = [when for when in self._noted.get(at, ()) if now - when < REPEATED_S]
        self._noted[at] = times
        if len(times) >= REPEATED:
            return True
        times.append(now)
        return False


def _signs(one: Reading) -> ShownSigns:
    labels = tuple(choice.label for choice in one.choices)
    return ShownSigns(asks=one.asks, trouble=one.trouble, question=one.question, choices=labels)
