"""Terminals of people, in a tmux server of their own: what a command shows there is captured as a person sees it."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable

from tests.hosts.namespace import CHECKOUT
from tests.hosts.waiting import eventually
from tests.scenarios.fleet import Fleet

SOCKET = "people"
WAIT_S = 60.0


def dead(fleet: Fleet, agent: str) -> None:
    """Wait until the agent's program has ended. tmux may take a while to learn its status, and writes that it is dead
    only then; that it is dead it knows at once."""
    flag = ("display-message", "-p", "-t", f"={agent}:", "#{pane_dead}")
    fleet.wait(lambda: fleet.tmux(*flag) == "1\n", f"the end of {agent}", timeout=WAIT_S)


class Seat:
    """One terminal; `mosaic WORDS` runs in it, and then stands there how that ended."""

    def __init__(self, fleet: Fleet, name: str, *words: str, columns: int = 80, rows: int = 24, env: str = "") -> None:
        self._fleet, self.name = fleet, name
        command = shlex.join([sys.executable, "-m", "reconciler.commands", *words])
        script = (
            f"trap : INT; cd /; export PYTHONPATH={shlex.quote(str(CHECKOUT))} {env}; {command}; echo left $?; exec cat"
        )
        size = ["-x", str(columns), "-y", str(rows)]
        fleet.host.tmux(SOCKET, "new-session", "-d", "-s", name, *size, "sh", "-c", script)
        fleet.host.tmux(SOCKET, "set-option", "-w", "-t", f"={name}:", "window-size", "manual")

    def screen(self) -> str:
        return self._fleet.host.tmux(SOCKET, "capture-pane", "-p", "-t", f"={self.name}:").stdout

    def styled(self) -> str:
        return self._fleet.host.tmux(SOCKET, "capture-pane", "-p", "-e", "-t", f"={self.name}:").stdout

    def press(self, *keys: str) -> None:
        self._fleet.host.tmux(SOCKET, "send-keys", "-t", f"={self.name}:", *keys)

    def resize(self, columns: int, rows: int) -> None:
        size = ["-x", str(columns), "-y", str(rows)]
        self._fleet.host.tmux(SOCKET, "resize-window", "-t", f"={self.name}:", *size)

    def shows(self, *texts: str) -> str:
        """Wait until all of these are on the screen at once; the screen."""

        def look() -> str:
            screen = self.screen()
            return screen if all(text in screen for text in texts) else ""

        return self.until(look, f"{texts} in {self.name}")

    def until(self, look: Callable[[], str], what: str) -> str:
        try:
            return eventually(look, timeout=WAIT_S, what=what, every=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.screen()}") from None

    def left(self, code: int) -> str:
        """Wait until the command has ended with this status, and its terminal is as it was before; the screen."""
        screen = self.shows("left ")
        assert f"left {code}\n" in screen, screen
        flags = "#{alternate_on} #{cursor_flag} #{wrap_flag}"
        answer = self._fleet.host.tmux(SOCKET, "display-message", "-p", "-t", f"={self.name}:", flags).stdout
        assert answer == "0 1 1\n"
        return screen

    def pid(self) -> int:
        """The command's process."""
        shell = self._fleet.host.tmux(SOCKET, "display-message", "-p", "-t", f"={self.name}:", "#{pane_pid}").stdout
        listed = self._fleet.host.run(["ps", "-o", "pid=", "--ppid", shell.strip()]).stdout
        return int(listed.split()[0])
