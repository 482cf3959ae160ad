"""A fleet of the real programs on one host, and what a test asks of it."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from providers.host import HeartbeatFile
from providers.machine import heartbeat_files
from providers.programs.base import Reading
from providers.programs.registry import program
from providers.programs.sgr import self_contained
from providers.screen import Screen
from tests.hosts.namespace import CHECKOUT
from tests.hosts.waiting import eventually
from tests.real_agents import homes
from tests.real_agents.api import FakeApi
from tests.real_agents.offline import OfflineHost

SOCKET = "agents"
SGR = re.compile(r"\x1b\[[0-9;:]*m")
# Counts the processes that a run of the reconciler starts, by the audit events of Python itself.
COUNTED = """\
import runpy, sys
started = []
starting = {"subprocess.Popen", "os.posix_spawn", "os.fork", "os.forkpty", "os.exec", "os.system"}
sys.addaudithook(lambda event, args: started.append(str(args[0]) if args else event) if event in starting else None)
try:
    runpy.run_module("reconciler", run_name="__main__", alter_sys=True)
finally:
    print("started:", *started, file=sys.stderr)
"""


@dataclass(frozen=True, kw_only=True)
class Pane:
    pid: int
    dead: bool
    title: str


@dataclass(frozen=True, kw_only=True)
class Process:
    pid: int
    parent: int
    comm: str
    argv: tuple[str, ...]

    @property
    def is_codex_daemon(self) -> bool:
        return "app-server" in self.argv


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of the reconciler. `started`: the processes that it started itself, if they were counted."""

    exit: int
    document: Mapping[str, Any]
    started: Sequence[str]
    said: str

    @property
    def actions(self) -> list[str]:
        return [action["id"] for action in self.document["actions"]]

    def assert_converged(self) -> None:
        failed = [action for action in self.document["actions"] if action["error"]]
        rest = {name: self.document[name] for name in ("conditions", "held", "pending", "unknown", "refused")}
        shown = json.dumps({"failed": failed, **rest}, indent=1)
        assert (self.exit, self.document["outcome"]) == (0, "converged"), f"{self.said}\n{shown}"


@dataclass(kw_only=True)
class RealFleet:
    host: OfflineHost
    api: FakeApi
    prefix: Path
    states: dict[str, str] = field(default_factory=dict)
    more: dict[str, dict[str, object]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.api.url

    @property
    def project(self) -> Path:
        return self.host.home / "project"

    @property
    def repository(self) -> Path:
        return self.host.home / "fleet"

    def prepare(self) -> None:
        for path, text in homes.files(self.host.home, self.project, self.prefix, self.url).items():
            self.write(path, text)
        # There is no logind here that could be asked for it.
        self.write(Path("/var/lib/systemd/linger", self.host.env["USER"]), "")
        self.host.run(["git", "init", "--quiet", "-b", "main", self.repository])
        self.write(self.repository / "fleet.yaml", homes.FLEET)
        self.write(self.repository / "NORTH_STAR.yaml", homes.NORTH_STAR)
        self.commit("One of each", {})

    def write(self, path: Path, text: str) -> None:
        outside = self.host.path_outside(path)
        outside.parent.mkdir(parents=True, exist_ok=True)
        outside.write_text(text)

    def commit(self, subject: str, states: Mapping[str, str]) -> None:
        """Declare these states from now on; agents that are not named keep theirs."""
        self.states.update(states)
        self.write(
            self.repository / "roster.yaml", json.dumps(homes.roster(self.host.home, self.url, self.states, self.more))
        )
        git = ["git", "-C", str(self.repository), "-c", "user.name=Ada", "-c", "user.email=ada@example.invalid"]
        self.host.run([*git, "add", "--all"])
        self.host.run([*git, "commit", "--quiet", "--message", subject])

    def reconcile(self, *options: str) -> Run:
        done = self.host.run(
            [sys.executable, "-c", COUNTED, self.repository, "-o", "json", *options],
            env={"PYTHONPATH": str(CHECKOUT)},
            timeout=120.0,
            check=False,
        )
        lines = done.stderr.splitlines()
        started = next((line.split()[1:] for line in lines if line.startswith("started:")), [])
        said = "\n".join(line for line in lines if not line.startswith("started:"))
        assert done.stdout, f"reconcile {' '.join(options)} ended with {done.returncode} and said: {said}"
        return Run(exit=done.returncode, document=json.loads(done.stdout), started=started, said=said)

    def bring_up(self) -> None:
        """Everything declared, alive and ready. Nothing is done where that is so."""
        if "stopped" in self.states.values():
            self.commit("Start them all", dict.fromkeys(self.states, "running"))
        panes = self.panes()
        if sorted(panes) != sorted(homes.READY) or any(pane.dead for pane in panes.values()):
            self.reconcile().assert_converged()
            self.wait_until_ready()

    def panes(self) -> dict[str, Pane]:
        form = "#{session_name}|#{pane_pid}|#{pane_dead}|#{pane_title}"
        done = self.host.tmux(SOCKET, "list-panes", "-a", "-F", form, check=False)
        assert done.returncode == 0 or "error connecting" in done.stderr, done.stderr  # no server yet
        rows = [line.split("|", 3) for line in done.stdout.splitlines()]
        return {
            name: Pane(pid=int(pid), dead=dead == "1", title=title)
            for name, pid, dead, title in rows
            if name != "_holder"
        }

    def pids(self) -> dict[str, int]:
        return {name: pane.pid for name, pane in self.panes().items()}

    def screen(self, agent: str) -> str:
        return self.host.tmux(SOCKET, "capture-pane", "-p", "-t", f"={agent}:").stdout

    def sight(self, agent: str) -> Screen:
        """What `Program.read` reads, of an agent of ours."""
        target = f"={agent}:"
        form = "#{cursor_x} #{cursor_y} #{pane_width} #{pane_height} #{pane_title}"
        column, row, width, height, title = (
            self.host.tmux(SOCKET, "display-message", "-p", "-t", target, form).stdout.rstrip("\n").split(" ", 4)
        )
        drawn = self.host.tmux(SOCKET, "capture-pane", "-p", "-e", "-t", target).stdout.split("\n")[: int(height)]
        return Screen(
            lines=tuple(SGR.sub("", line).rstrip() for line in drawn),
            styled=self_contained(drawn),
            cursor=(int(column), int(row)),
            title=title,
            width=int(width),
            height=int(height),
        )

    def say(self, agent: str, text: str) -> None:
        """Paste a text into an empty composer and submit it, once the program shows that it has it."""
        read, target = program(runtime_of(agent)).read, f"={agent}:"
        self.until(agent, lambda reading: reading.composer == "empty")
        self.host.tmux(SOCKET, "load-buffer", "-b", "said", "-", input=text)
        self.host.tmux(SOCKET, "paste-buffer", "-p", "-r", "-d", "-b", "said", "-t", target)
        drafts = [""]

        def steady() -> bool:
            drafts.append(read(self.sight(agent)).draft)
            return drafts[-1] != "" and drafts[-1] == drafts[-2]

        eventually(steady, timeout=90, every=0.2, what=f"the text in the composer of {agent}")
        self.host.tmux(SOCKET, "send-keys", "-t", target, "Enter")

    def until(self, agent: str, holds: Callable[[Reading], bool], timeout: float = 60.0) -> Reading:
        """The first reading of its screen of which this holds."""
        readings: list[Reading] = []

        def look() -> bool:
            readings.append(program(runtime_of(agent)).read(self.sight(agent)))
            return holds(readings[-1])

        try:
            eventually(look, timeout=timeout, every=0.1)
        except AssertionError:
            raise AssertionError(f"{agent} shows {readings[-1]}:\n{self.screen(agent)}") from None
        return readings[-1]

    def turn(self, agent: str) -> HeartbeatFile | None:
        """What its hooks have noted, None as long as that is nothing."""
        path = self.host.path_outside(self.run_folder / f"{agent}.turn")
        return heartbeat_files.parse(path.read_bytes(), time.time()) if path.exists() else None

    @property
    def run_folder(self) -> Path:
        return self.host.home / ".config/mosaic/fleet/run"

    def wait_until_ready(self, agents: Sequence[str] = tuple(homes.READY), timeout: float = 90.0) -> None:
        """Until each shows what says that it takes input, in its title and on its screen."""
        waiting = list(agents)

        def look() -> bool:
            panes = self.panes()
            for name in list(waiting):
                title, words = homes.READY[name]
                if panes[name].title.startswith(title) and words in self.screen(name):
                    waiting.remove(name)
            return not waiting

        try:
            eventually(look, timeout=timeout, every=0.1)
        except AssertionError:
            seen = "\n".join(f"--- {name}: {self.panes()[name]}\n{self.screen(name).strip()}" for name in waiting)
            raise AssertionError(f"not ready within {timeout} s: {', '.join(waiting)}\n{seen}") from None

    def processes(self, agent: str) -> dict[int, Process]:
        """Every live process that has the agent's name in its environment, wherever it is by now."""
        found: dict[int, Process] = {}
        mark = f"MOSAIC_AGENT_NAME={agent}".encode()
        for folder in self.host.path_outside("/proc").glob("[0-9]*"):
            try:
                if mark not in (folder / "environ").read_bytes().split(b"\0"):
                    continue
                words = (folder / "cmdline").read_bytes().split(b"\0")[:-1]
                comm, rest = (folder / "stat").read_text().partition("(")[2].rsplit(") ", 1)
            except OSError:  # it has ended meanwhile
                continue
            state, parent = rest.split()[:2]
            if state not in "ZX":
                argv = tuple(os.fsdecode(word) for word in words)
                found[int(folder.name)] = Process(pid=int(folder.name), parent=int(parent), comm=comm, argv=argv)
        return found

    def daemons(self, agent: str) -> set[int]:
        return {pid for pid, process in self.processes(agent).items() if process.is_codex_daemon}

    def scopes(self) -> list[str]:
        lines = self.host.systemctl("list-units", "--plain", "--no-legend", "mosaic-pane-*").stdout.splitlines()
        return [line.split()[0] for line in lines]

    def kill_panes(self, *agents: str) -> None:
        """SIGKILL each pane's own process, and wait until tmux has seen it."""
        pids = self.pids()
        self.host.run(["kill", "-KILL", *(str(pids[name]) for name in agents)])
        eventually(lambda: all(self.panes()[name].dead for name in agents), timeout=90, what="dead panes", every=0.05)


def runtime_of(agent: str) -> str:
    """`claude` of `claude` and of `claude-two`: a second agent of a program is named so."""
    return agent.partition("-")[0]


@contextmanager
def receipts(fleet: RealFleet, agent: str) -> Iterator[Path]:
    """The folder that is there while somebody waits for evidence."""
    folder = fleet.host.path_outside(fleet.host.runtime_dir / "mosaic/await" / agent)
    folder.mkdir(mode=0o700, parents=True)
    yield folder
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
