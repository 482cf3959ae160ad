"""A fleet on a private host, as the scenarios use it: its repository, the command lines, and what really runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from reconciler.state.store import Store
from tests.hosts.namespace import CHECKOUT
from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually
from tests.scenarios.proc import agents_in, comms, lives

SOCKET = "fleet"
NAME = "canary"
DISRUPTIVE = frozenset({"stop", "restart", "disable", "delete"})
# Agents answer every second, so that a change is seen soon, and are called stale only when a test says so.
RULES: Mapping[str, Any] = {
    "version": 1,
    "name": NAME,
    "floor": "none",
    "reconcile": {"rollout": {"on_change": "immediately", "max_unavailable": 10}, "prune": {"max_removals": 3}},
    "heartbeat": {"interval": "1s", "stale_after": "60s", "idle_after": "300s"},
}
_GIT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.invalid",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.invalid",
}


@dataclass(frozen=True)
class Run:
    """A command that has ended. `document` is what `-o json` printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        assert self.out, f"no document, exit code {self.code}\n{self.err}"
        return cast(dict[str, Any], json.loads(self.out))

    @property
    def done(self) -> list[str]:
        """The ids of the actions that changed something, in order; without those of `added`."""
        return [one for one in self._done if ":extras:" not in one]

    @property
    def added(self) -> list[str]:
        """The same for the files that launches add, which change with every name and class."""
        return [one for one in self._done if ":extras:" in one]

    @property
    def _done(self) -> list[str]:
        return [one["id"] for one in self.document["actions"] if one["result"] == "done"]

    def verbs(self, agent: str) -> list[str]:
        """What was done, or would be, with one agent, besides the files that its launch adds."""
        actions = (one for one in self.document["actions"] if one["provider"] != "extras")
        return [one["verb"] for one in actions if one["agent"] == agent]

    def held(self, agent: str | None) -> dict[str, Any]:
        """The one held item of an agent."""
        found = [one for one in self.document["held"] if one["agent"] == agent]
        assert len(found) == 1, f"held: {self.document['held']}"
        return cast(dict[str, Any], found[0])

    @property
    def unknown(self) -> dict[str, str]:
        return {one["kind"]: one["error"] for one in self.document["unknown"]}

    @property
    def disruptive(self) -> list[str]:
        """The actions that end or remove something."""
        return [one["id"] for one in self.document["actions"] if one["verb"] in DISRUPTIVE]


def stub(**entry: Any) -> dict[str, Any]:
    """A roster entry, without the name."""
    return {"runtime": "stub", "class": "worker", **entry}


class Fleet:
    """`agents` and `rules` are the roster and fleet.yaml to be; `commit()` makes them so. All paths are the host's."""

    def __init__(self, host: PrivateHost) -> None:
        self.host = host
        self.repo = f"{host.home}/fleet"
        self.mosaic = f"{host.home}/.config/mosaic"
        self.state = f"{host.home}/.local/state/mosaic/{NAME}"
        self.units = f"{host.home}/.config/systemd/user"
        self.agents: dict[str, dict[str, Any]] = {}
        self.rules: dict[str, Any] = json.loads(json.dumps(RULES))
        self.roster: dict[str, Any] = {"version": 1, "transport": "tmux", "tmux": {"socket_name": SOCKET}}
        host.run(["mkdir", "-p", "/var/lib/systemd/linger", self.repo])
        host.run(["touch", f"/var/lib/systemd/linger/{host.env['USER']}"])
        self.git("init", "-q", "-b", "main")

    # --- the repository ---

    def git(self, *args: str, repo: str | None = None) -> str:
        return self.host.run(["git", *args], env=_GIT, cwd=repo or self.repo).stdout.strip()

    def commit(self, message: str = "edit", *, raw: Mapping[str, str] | None = None) -> str:
        """Commit the roster and the rules as they are now (`raw`: other text for a file); the new commit's id."""
        roster = {**self.roster, "agents": [{"name": name, **entry} for name, entry in self.agents.items()]}
        files = {"roster.yaml": json.dumps(roster, indent=1), "fleet.yaml": json.dumps(self.rules, indent=1)}
        for name, text in {**files, **(raw or {})}.items():
            self.write(f"{self.repo}/{name}", text)
        script = 'git add -A && git commit -q --allow-empty -m "$1" && git rev-parse HEAD'
        return self.host.run(["sh", "-c", script, "sh", message], env=_GIT, cwd=self.repo).stdout.strip()

    def declare(self, *names: str, **entry: Any) -> str:
        """Commit a roster of stub agents that are all alike."""
        self.agents = {name: stub(**entry) for name in names}
        return self.commit("first")

    # --- the command lines ---

    def argv(self, *args: str, form: str = "json") -> list[str]:
        return [sys.executable, "-m", "reconciler", self.repo, *args, *(["-o", form] if form else [])]

    def env(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {"PYTHONPATH": str(CHECKOUT), **(more or {})}

    def reconcile(
        self, *args: str, form: str = "json", env: Mapping[str, str] | None = None, timeout: float = 240.0
    ) -> Run:
        """`reconcile` on this fleet's repository, to its end."""
        return self.run(self.argv(*args, form=form), env=env, timeout=timeout)

    def cli(self, *args: str) -> Run:
        """`mosaic ...`."""
        return self.run([sys.executable, "-c", "from reconciler.commands.mosaic import main; main()", *args])

    def drive(self, at: int, then: str, *args: str, env: Mapping[str, str] | None = None) -> Run:
        """`reconcile -o json`, with a shell command run right before its step number `at` (from 1) begins."""
        argv = [sys.executable, "-m", "tests.scenarios.drive", str(at), then, self.repo, *args, "-o", "json"]
        return self.run(argv, env=env)

    def run(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 240.0) -> Run:
        ended = self.host.run(argv, env=self.env(env), check=False, timeout=timeout)
        return Run(ended.returncode, ended.stdout, ended.stderr)

    def start(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """A command that goes on meanwhile."""
        pipe = subprocess.PIPE
        process: subprocess.Popen[str] = self.host.popen(argv, env=self.env(env), stdout=pipe, stderr=pipe, text=True)
        return process

    def converge(self, *args: str) -> Run:
        """`reconcile`, which must end converged."""
        run = self.reconcile(*args)
        assert run.code == 0, f"exit code {run.code}\n{run.out}\n{run.err}"
        return run

    # --- what is there ---

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        outside = self.host.path_outside(path)
        outside.parent.mkdir(parents=True, exist_ok=True)
        outside.write_text(text)
        outside.chmod(mode)

    def read(self, path: str) -> str:
        return self.host.path_outside(path).read_text()

    def exists(self, path: str) -> bool:
        return os.path.lexists(self.host.path_outside(path))

    def sh(self, script: str) -> str:
        return self.host.run(["sh", "-ec", script]).stdout

    def status(self) -> dict[str, Any]:
        """status.json."""
        return cast(dict[str, Any], json.loads(self.read(f"{self.state}/status.json")))

    def condition(self, kind: str) -> dict[str, Any]:
        return next(one for one in self.status()["conditions"] if one["type"] == kind)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.read(f"{self.state}/events.ndjson").splitlines()]

    def store(self) -> Store:
        """The state folder, through the product's own reader."""
        return Store(
            self.host.path_outside(self.state), self.host.path_outside(f"{self.host.runtime_dir}/mosaic/{NAME}")
        )

    def living(self) -> dict[str, list[int]]:
        """The processes of agents by name, however they came to be there; more than one is a duplicate."""
        found: dict[str, list[int]] = {}
        for pid, name in agents_in(self.host.path_outside("/proc")):
            found.setdefault(name, []).append(pid)
        return dict(sorted(found.items()))

    def pids(self) -> dict[str, int]:
        """The process of each living agent. No agent has two."""
        living = self.living()
        assert all(len(pids) == 1 for pids in living.values()), f"running twice: {living}"
        return {name: pids[0] for name, pids in living.items()}

    def restarted(self, name: str, before: dict[str, int]) -> dict[str, int]:
        """The processes once this agent has another than before: a run that ends with a failure waits for nobody."""
        self.wait(lambda: self.pids().get(name, before[name]) != before[name], f"{name} is started")
        return self.pids()

    def up(self, *names: str) -> dict[str, int]:
        """Exactly these agents live, once each, are enabled, and have an active unit."""
        pids = self.pids()
        assert sorted(pids) == sorted(names)
        shared = {"mosaic-tmux-holder.service"} | (self.enabled() & {"mosaic-responder.service"})
        assert self.enabled() == {f"mosaic-agent@{name}.service" for name in names} | shared
        assert self.active() == sorted(names)
        return pids

    def enabled(self) -> set[str]:
        with suppress(FileNotFoundError):
            return set(os.listdir(self.host.path_outside(f"{self.units}/default.target.wants")))
        return set()

    def active(self) -> list[str]:
        """Agents whose unit is active."""
        listed = self.host.systemctl("list-units", "--plain", "--no-legend", "--state=active", "mosaic-agent@*").stdout
        return sorted(line.split()[0].partition("@")[2].removesuffix(".service") for line in listed.splitlines())

    def tmux(self, *args: str, socket: str = SOCKET, check: bool = True) -> str:
        return self.host.tmux(socket, *args, check=check).stdout

    def sessions(self, socket: str = SOCKET) -> list[str]:
        return sorted(self.tmux("list-sessions", "-F", "#{session_name}", socket=socket, check=False).split())

    def type(self, agent: str, text: str, socket: str = SOCKET) -> None:
        """Send an agent a line."""
        target = f"={agent.replace('.', '_')}:"
        self.tmux("send-keys", "-l", "-t", target, text, ";", "send-keys", "-t", target, "Enter", socket=socket)

    def shows(self, agent: str, text: str) -> None:
        """Wait until the agent's pane shows a text."""
        target = f"={agent.replace('.', '_')}:"
        eventually(lambda: text in self.tmux("capture-pane", "-p", "-t", target, check=False), what=f"{text!r} shown")

    def kill(self, *pids: int, signal: str = "KILL") -> None:
        """Signal processes of the host; with KILL, wait for their end."""
        self.host.run(["kill", f"-{signal}", *map(str, pids)])
        if signal == "KILL":
            for pid in pids:
                eventually(lambda pid=pid: not lives(self.host.path_outside(f"/proc/{pid}")), what=f"the end of {pid}")  # type: ignore[misc]

    def restart_manager(self) -> None:
        """A new user manager after one that was killed, and a new bus with it: systemd waits 25 s for the old one."""
        self.kill(*self.named("dbus-daemon"))
        self.host.start_manager()

    def named(self, comm: str) -> list[int]:
        """Processes of the host whose comm begins so."""
        return [pid for pid, name in comms(self.host.path_outside("/proc")) if name.startswith(comm)]

    def beats(self, agent: str, word: str = "status=ok") -> None:
        """Wait for a heartbeat of the agent's present process."""
        pid = self.pids()[agent]
        path = f"{self.mosaic}/fleet/run/{agent}.hb"
        wanted = (f"pid={pid} ", word)

        def seen() -> bool:
            with suppress(FileNotFoundError):
                text = self.read(path)
                return all(part in text for part in wanted)
            return False

        eventually(seen, what=f"a heartbeat of {agent} with {word}")

    def heartbeat(self, agent: str) -> float:
        """When the agent last gave one, in Unix seconds."""
        stamp = self.read(f"{self.mosaic}/fleet/run/{agent}.hb").split()[0].removeprefix("ts=")
        return datetime.fromisoformat(stamp).timestamp()

    def wait(self, condition: Callable[[], object], what: str, timeout: float = 120.0) -> None:
        eventually(condition, timeout=timeout, what=what, every=0.02)
