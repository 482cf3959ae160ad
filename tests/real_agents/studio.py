"""One pane for a real program in an empty home, at a size of one's choice, for recording what it shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from providers.programs.base import Reading
from providers.programs.registry import program as known_program
from providers.programs.sgr import self_contained
from providers.screen import Screen
from tests.hosts.waiting import eventually
from tests.real_agents.api import FakeApi
from tests.real_agents.offline import OfflineHost

SOCKET = "recorded"
_SGR = re.compile(r"\x1b\[[0-9;:]*m")


@dataclass(kw_only=True)
class Pane:
    """A program that runs. `program` is the runtime whose reader reads it."""

    host: OfflineHost
    name: str
    program: str

    @property
    def _target(self) -> str:
        return f"={self.name}:"

    def screen(self) -> Screen:
        form = "#{cursor_x} #{cursor_y} #{pane_width} #{pane_height} #{pane_title}"
        shown = self.host.tmux(SOCKET, "display-message", "-p", "-t", self._target, form).stdout
        column, row, width, height, title = shown.rstrip("\n").split(" ", 4)
        drawn = self.host.tmux(SOCKET, "capture-pane", "-p", "-e", "-t", self._target).stdout.split("\n")
        drawn = drawn[: int(height)]
        return Screen(
            lines=tuple(_SGR.sub("", line).rstrip() for line in drawn),
            styled=self_contained(drawn),
            cursor=(int(column), int(row)),
            title=title,
            width=int(width),
            height=int(height),
        )

    def reading(self) -> Reading:
        return known_program(self.program).read(self.screen())

    def keys(self, *keys: str) -> None:
        self.host.tmux(SOCKET, "send-keys", "-t", self._target, *keys)

    def type(self, text: str) -> None:
        self.host.tmux(SOCKET, "send-keys", "-l", "-t", self._target, text)

    def paste(self, text: str) -> None:
        self.host.tmux(SOCKET, "load-buffer", "-b", "said", "-", input=text)
        self.host.tmux(SOCKET, "paste-buffer", "-p", "-r", "-d", "-b", "said", "-t", self._target)

    def shows(self, words: str, timeout: float = 90.0) -> Screen:
        """The first screen on which these words stand in one line, as a regular expression, or in the title."""
        return self.until(
            lambda seen: any(re.search(words, line) for line in (*seen.lines, f"title: {seen.title}")), words, timeout
        )

    def until(self, holds: Callable[[Screen], bool], what: str, timeout: float = 90.0, every: float = 0.1) -> Screen:
        seen: list[Screen] = []

        def look() -> bool:
            seen.append(self.screen())
            return holds(seen[-1])

        try:
            eventually(look, timeout=timeout, every=every, what=what)
        except AssertionError as error:
            shown = "\n".join(seen[-1].lines)
            raise AssertionError(f"{self.name} does not show {what}:\n{seen[-1].title}\n{shown}") from error
        return seen[-1]

    def close(self) -> None:
        self.host.tmux(SOCKET, "kill-session", "-t", f"={self.name}", check=False)


@dataclass(kw_only=True)
class Studio:
    """Where the panes are. `prefix` is npm's, with the programs."""

    host: OfflineHost
    api: FakeApi
    prefix: Path

    def write(self, path: Path, text: str) -> None:
        outside = self.host.path_outside(path)
        outside.parent.mkdir(parents=True, exist_ok=True)
        outside.write_text(text)

    def open(
        self,
        name: str,
        program: str,
        argv: Sequence[str],
        *,
        home: Path,
        folder: Path,
        env: Mapping[str, str],
        size: tuple[int, int] = (80, 24),
    ) -> Pane:
        """Start a program in a pane of its own."""
        self.host.path_outside(folder).mkdir(parents=True, exist_ok=True)
        # The host's own say where its home keeps these.
        own = {f"XDG_{name}_HOME": "" for name in ("CONFIG", "DATA", "STATE", "CACHE")}
        given = {
            **own,
            "HOME": str(home),
            "PATH": f"{self.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            **env,
        }
        command = ["env", *(f"{key}={value}" for key, value in given.items()), *argv]
        columns, rows = size
        where = ["-x", str(columns), "-y", str(rows), "-c", str(folder)]
        self._hold()
        # Of the window: as an option of the server, it ends tmux 3.3a at the next `new-session -x`.
        manual = [";", "set-option", "-w", "-t", f"={name}:", "window-size", "manual"]
        self.host.tmux(SOCKET, "new-session", "-d", "-s", name, *where, *command, *manual)
        return Pane(host=self.host, name=name, program=program)

    def _hold(self) -> None:
        """A server that does not end with its last program, and keeps what an ended one has shown."""
        if self.host.tmux(SOCKET, "has-session", "-t", "=_holder", check=False).returncode == 0:
            return
        self.host.tmux(
            SOCKET, "-f", "/dev/null", "new-session", "-d", "-s", "_holder", "cat",
            ";", "set-option", "-g", "remain-on-exit", "on", ";", "set-option", "-g", "status", "off",
        )  # fmt: skip
