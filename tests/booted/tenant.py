"""One ordinary user of a booted machine and that user's fleet of stubs: what is declared, and what really runs.

What runs is read from the machine's own /proc, not from anything that the project says about itself.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hosts import Machine, eventually

BIN = Path(sys.executable).parent
SOCKET = "mosaic-test"
FOUR = {"lead": "orchestrator", "enhancer": "enhancer", "coder0": "implementer", "reviewer0": "reviewer"}
SOON = 120.0  # seconds: for what takes one or two when nobody else uses the machine
MINUTE = 150.0  # the same, where a timer of 30 s comes first
# Backoff and budget are not what these tests are about: a killed agent may come back at once.
FLEET = """\
version: 1
name: fleet
floor: two-agent
reconcile:
  interval: {interval}
  backoff: {{initial: 1s, maximum: 2s}}
  quarantine: {{restarts: 1000, within: 1s}}
  rollout: {{on_change: immediately, max_unavailable: 4}}
"""
ROSTER = """\
version: 1
transport: tmux
tmux: {{socket_name: {socket}, holder_session: _holder}}
agents:
"""
COMMIT = """
set -eu
mkdir -p "$HOME/fleet"
cd "$HOME/fleet"
[ -d .git ] || git init --quiet --initial-branch=main
printf %s "$1" >fleet.yaml
printf %s "$2" >roster.yaml
git add --all
git -c user.name=Test -c user.email=test@example.invalid -c commit.gpgsign=false commit --quiet --allow-empty -m "$3"
git rev-parse HEAD
"""


@dataclass(frozen=True, slots=True, order=True)
class Process:
    """A process that cannot be taken for another one that has its number later. `started`: in ticks since boot."""

    pid: int
    started: int


@dataclass
class Tenant:
    """`declared`: each agent's class; `stopped`: those with `state: stopped`; `after`: whom an agent depends on.

    `bin`: the folder of the commands that this user runs. `commit` tells git.
    """

    machine: Machine
    user: str
    declared: dict[str, str] = field(default_factory=lambda: dict(FOUR))
    stopped: set[str] = field(default_factory=set)
    after: dict[str, str] = field(default_factory=dict)
    interval: str = "1h"
    bin: Path = BIN

    @classmethod
    def create(cls, machine: Machine, user: str, **more: Any) -> Tenant:
        """A new user, without linger, with a fleet that is committed and not applied."""
        machine.useradd(user)
        tenant = cls(machine, user, **more)
        tenant.commit("Declare the fleet")
        return tenant

    @property
    def uid(self) -> int:
        return self.machine.uid(self.user)

    @property
    def repo(self) -> str:
        return f"{self.machine.home(self.user)}/fleet"

    @property
    def running(self) -> set[str]:
        """Names of the agents that should run."""
        return set(self.declared) - self.stopped

    # --- what the user does

    def commit(self, message: str) -> str:
        """Commit what is declared; returns the commit's id."""
        return self.commit_roster(ROSTER.format(socket=SOCKET) + "".join(self._entries()), message)

    def commit_roster(self, roster: str, message: str) -> str:
        fleet = FLEET.format(interval=self.interval)
        return self.run(["sh", "-c", COMMIT, "sh", fleet, roster, message]).stdout.strip()

    def _entries(self) -> list[str]:
        return [
            f"  - {{name: {name}, runtime: stub, class: {kind}"
            f"{', state: stopped' if name in self.stopped else ''}"
            f"{f', depends_on: [{self.after[name]}]' if name in self.after else ''}}}\n"
            for name, kind in self.declared.items()
        ]

    def run(self, argv: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as the user, with the user's own manager and bus."""
        return self.machine.user_run(self.user, argv, **options)

    def reconcile(self, *more: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """A run by hand, of which the exit code is checked."""
        return self._expect([self.bin / "reconcile", self.repo, *more], code)

    def mosaic(self, *argv: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        return self._expect([self.bin / "mosaic", *argv], code)

    def systemctl(self, *argv: str, code: int = 0) -> str:
        return self._expect(["systemctl", "--user", *argv], code).stdout.strip()

    def _expect(self, argv: Sequence[str | Path], code: int) -> subprocess.CompletedProcess[str]:
        done = self.run(argv, check=False)
        assert done.returncode == code, f"{argv} ended with {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start_manager(self) -> None:
        """As a login would: the user's systemd runs, without linger."""
        self.machine.run(["systemctl", "start", f"user@{self.uid}.service"])
        self.machine.wait_for_user(self.user)

    # --- what is there

    def status(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.mosaic("fleet", "status", "-o", "json").stdout)
        return document

    def lingers(self) -> bool:
        return self.machine.path_outside(f"/var/lib/systemd/linger/{self.user}").exists()

    def show(self, unit: str, name: str) -> str:
        """One property of a unit."""
        return self.systemctl("show", unit, f"--property={name}", "--value")

    def agents(self) -> dict[str, list[Process]]:
        """The stub processes of this user, by the name of their agent."""
        found: dict[str, list[Process]] = {}
        for folder in self.machine.path_outside("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended
                if folder.stat().st_uid != self.uid:
                    continue
                argv = (folder / "cmdline").read_bytes().split(b"\0")
                if not any(word.endswith(b"/providers/stub.py") for word in argv) or b"systemd-run" in argv[0]:
                    continue
                process = Process(int(folder.name), _ticks((folder / "stat").read_text()))
                found.setdefault(_variable(folder, "MOSAIC_AGENT_NAME"), []).append(process)
        return {name: sorted(processes) for name, processes in sorted(found.items())}

    def cgroup(self, pid: int) -> str:
        """The unit path of a process, as systemd keeps it: in the unified hierarchy, where there is one."""
        lines = self.machine.path_outside(f"/proc/{pid}/cgroup").read_text().splitlines()
        lines.sort(key=lambda line: not line.startswith("0::"))
        return next(line for line in lines if line.startswith("0::") or ":name=systemd:" in line)

    def up(self, timeout: float = SOON, *, instead: Collection[Process] = ()) -> dict[str, Process]:
        """Wait until exactly the agents that should run do, one process each, none of them in `instead`."""
        seen: dict[str, list[Process]] = {}

        def complete() -> bool:
            nonlocal seen
            seen = self.agents()
            return seen.keys() == self.running and not any(
                len(processes) > 1 or processes[0] in instead for processes in seen.values()
            )

        try:
            eventually(complete, timeout=timeout, what=f"{self.user}'s agents {sorted(self.running)}", every=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}: {seen}\n{self.journal()}") from None
        return {name: processes[0] for name, processes in seen.items()}

    def killed(self, name: str) -> dict[str, Process]:
        """Kill an agent, and wait until it is back without a hand and the others are what they were; returns all."""
        before = self.up()
        self.kill(before[name])
        after = self.up(timeout=MINUTE, instead=[before[name]])
        assert others(after, name) == others(before, name)
        return after

    def kill(self, process: Process) -> None:
        self.run(["kill", "-KILL", str(process.pid)])

    def journal(self) -> str:
        done = self.machine.run(["journalctl", "--quiet", "--no-pager", f"_UID={self.uid}", "-n", "60"], check=False)
        return done.stdout + done.stderr

    def screen(self, name: str) -> str:
        """What an agent's pane shows."""
        return self.run(["tmux", "-L", SOCKET, "capture-pane", "-p", "-J", "-t", f"={name}:"], check=False).stdout

    def say(self, name: str, text: str) -> None:
        """One turn of a stub's conversation, to its end; it is on the disk then."""
        pane = ["tmux", "-L", SOCKET, "send-keys", "-t", f"={name}:"]
        self.run([*pane, "-l", text])
        self.run([*pane, "Enter"])
        eventually(lambda: f"stub {name}> {text}" in self.screen(name), timeout=SOON, what=f"an answer of {name}")
        self.machine.run(["sync"])

    def in_own_scope(self, name: str, process: Process) -> bool:
        """Whether the agent's process is in a scope of its own, away from every service."""
        path = self.cgroup(process.pid)
        return f"/mosaic-panes.slice/mosaic-pane-{name}:" in path and path.endswith(".scope")


@contextlib.contextmanager
def holding_the_lock(machine: Machine, tenant: Tenant) -> Iterator[None]:
    """As another run would, for as long as it takes."""
    argv = ["flock", f"/run/user/{tenant.uid}/mosaic/fleet/lock", "cat"]
    with machine.popen(argv, tenant.user, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write("held\n")
        other.stdin.flush()
        assert other.stdout.readline() == "held\n"
        yield
        other.stdin.close()


def others(agents: Mapping[str, Process], name: str) -> dict[str, Process]:
    """All but one."""
    return {other: process for other, process in agents.items() if other != name}


def _ticks(stat: str) -> int:
    return int(stat.rpartition(")")[2].split()[19])


def _variable(folder: Path, name: str) -> str:
    """From the environment of a process, which it has only once it has become what it is."""
    words = (folder / "environ").read_bytes().split(b"\0")
    values: Mapping[str, str] = dict(word.decode(errors="replace").partition("=")[::2] for word in words)
    return values.get(name, "")
