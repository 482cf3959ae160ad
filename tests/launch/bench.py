"""A fleet's launch files on a private host, as the tests of this folder use it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from providers import stub
from providers.base import Json
from providers.host import HostFacts
from providers.kinds.env import EnvProvider
from providers.kinds.framework import FrameworkProvider
from providers.names import agent_unit
from specs.compiled import Agent, EnvValue, Fleet, Limits
from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually
from tests.materials import file_of

STUB = str(Path(stub.__file__).resolve())
SOCKET = "mosaic-test"


def make_agent(name: str, **changes: object) -> Agent:
    """A stub agent; `changes` are fields of `Agent`, and `env` may be a plain mapping."""
    env = changes.pop("env", {})
    if isinstance(env, Mapping):
        values = {key: value if isinstance(value, EnvValue) else EnvValue(literal=value) for key, value in env.items()}
        changes["env"] = tuple(sorted(values.items()))
    else:
        changes["env"] = env
    agent = Agent(
        name=name,
        session=name.replace(".", "_"),
        agent_class="coder",
        runtime="stub",
        state="running",
        socket=SOCKET,
        working_directory="/tmp",
        argv=(sys.executable, "-I", "-S", STUB),
        process_names=("stub",),
        env=(),
        path=(),
        limits=Limits(),
        model=None,
        native_heartbeat=True,
        reset_command="/clear",
        submit_key="Enter",
        depends_on=(),
        alias=None,
        generation=0,
    )
    return replace(agent, **changes)  # type: ignore[arg-type]


def make_fleet(*agents: Agent, socket: str = SOCKET) -> Fleet:
    return Fleet(
        name="canary",
        tenant_id="default",
        host="private-host",
        revision="0" * 40,
        socket=socket,
        holder_session="_holder",
        agents=tuple(sorted(agents, key=lambda agent: agent.name)),
    )


def make_facts(home: str = "/root", runtime_dir: str = "/run/user/0") -> HostFacts:
    return HostFacts(
        user="root",
        uid=0,
        hostname="private-host",
        home=home,
        mosaic_home=f"{home}/.config/mosaic",
        unit_dir=f"{home}/.config/systemd/user",
        runtime_dir=runtime_dir,
        state_home=f"{home}/.local/state",
        config_home=f"{home}/.config",
        python=sys.executable,
        interpreter=sys.executable,
        stub_program=STUB,
    )


def changed_names(live: Mapping[str, Json], desired: Mapping[str, Json]) -> set[str]:
    """Names of the fields that differ."""
    missing = object()
    return {name for name in live.keys() | desired.keys() if live.get(name, missing) != desired.get(name, missing)}


class Bench:
    """A private host with the framework files in place."""

    def __init__(self, host: PrivateHost) -> None:
        self.host = host
        self.facts = make_facts(str(host.home), str(host.runtime_dir))
        self.fleet = make_fleet()

    def declare(self, *agents: Agent, socket: str = SOCKET) -> None:
        """Write what the providers want on the host for these agents, as `reconcile` would."""
        self.fleet = make_fleet(*agents, socket=socket)
        resources = FrameworkProvider().desired(self.fleet, self.facts)
        files = {resource.key.name: file_of(resource) for resource in resources}
        for resource in EnvProvider().desired(self.fleet, self.facts):
            files[file_of(resource).path] = file_of(resource)
        for path, file in files.items():
            self.write(path, file.content, file.mode)
        self.host.systemctl("daemon-reload")

    def write(self, path: str | Path, content: str, mode: int = 0o644) -> None:
        outside = self.host.path_outside(path)
        outside.parent.mkdir(parents=True, exist_ok=True)
        outside.write_text(content)
        outside.chmod(mode)

    def read(self, path: str | Path) -> str:
        return self.host.path_outside(path).read_text()

    def start(self, name: str, *, check: bool = True) -> int:
        return self.host.systemctl("start", agent_unit(name), check=check).returncode

    def stop(self, name: str) -> None:
        self.host.systemctl("stop", agent_unit(name))

    def panes(self, socket: str = SOCKET) -> list[dict[str, str]]:
        """Every pane of a server, the holder's left out; empty when there is no server."""
        keys = ("session_name", "pane_pid", "pane_dead", "pane_dead_status", "@mosaic_agent", "@mosaic_launch")
        answer = self.host.tmux(socket, "list-panes", "-a", "-F", "|".join(f"#{{{key}}}" for key in keys), check=False)
        rows = [dict(zip(keys, line.split("|"), strict=True)) for line in answer.stdout.splitlines()]
        return [row for row in rows if row["session_name"] != "_holder"]

    def screen(self, session: str, socket: str = SOCKET) -> str:
        return self.host.tmux(socket, "capture-pane", "-p", "-J", "-S", "-50", "-t", f"={session}:").stdout

    def type(self, session: str, text: str, socket: str = SOCKET) -> None:
        self.host.tmux(socket, "send-keys", "-l", "-t", f"={session}:", text)
        self.host.tmux(socket, "send-keys", "-t", f"={session}:", "Enter")

    def shows(self, session: str, text: str, socket: str = SOCKET) -> None:
        """Wait until the pane shows a text."""
        eventually(lambda: text in self.screen(session, socket), what=f"{text!r} in the pane of {session}")

    def scopes(self, name: str) -> list[str]:
        listed = self.host.systemctl("list-units", "--plain", "--no-legend", f"mosaic-pane-{name}:*").stdout
        return [line.split()[0] for line in listed.splitlines()]

    def program(self, name: str, *args: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a launch program by hand, as its unit does."""
        return self.host.run(["/bin/sh", f"{self.facts.bin_dir}/{name}", *args], check=check)

    def alive(self, name: str, *, socket: str = SOCKET) -> int:
        """The pid of the agent's one live pane, once its program runs in it."""
        session = name.replace(".", "_")

        def pid() -> int:
            rows = [row for row in self.panes(socket) if row["session_name"] == session and row["pane_dead"] == "0"]
            assert len(rows) <= 1
            return int(rows[0]["pane_pid"]) if rows and self.comm(rows[0]["pane_pid"]) == "stub" else 0

        return eventually(pid, what=f"the live pane of {name}")

    def dead(self, session: str, status: str) -> None:
        """Wait for a dead pane with an exit status.

        tmux 3.3a can miss the end of a pane's process, while libutempter has taken its signal handler away: the pane
        is dead then and has no status. Another SIGCHLD makes it look again.
        """
        wanted = {"session_name": session, "pane_dead": "1"}

        def row() -> dict[str, str]:
            return next((row for row in self.panes() if wanted.items() <= row.items()), {})

        eventually(row, what=f"the dead pane of {session}")
        server = self.host.tmux(SOCKET, "display-message", "-p", "#{pid}").stdout.strip()
        self.host.run(["kill", "-CHLD", server])
        eventually(lambda: row().get("pane_dead_status") == status, what=f"status {status} of the pane of {session}")

    def comm(self, pid: int | str) -> str:
        """The name of a process; "" once it has ended, also if nobody has waited for it."""
        try:
            stat = self.read(f"/proc/{pid}/stat")
        except OSError:
            return ""
        name, _, rest = stat.partition("(")[2].rpartition(")")
        return "" if rest.startswith(" Z") else name

    def kill(self, pid: int) -> None:
        """SIGKILL, and wait for the end."""
        self.host.run(["kill", "-KILL", str(pid)], check=False)
        eventually(lambda: self.comm(pid) == "", what=f"the end of process {pid}")

    def agents(self) -> list[str]:
        """Every stub process of the host that has an agent's name, by that name, however it came to be there."""
        names = []
        for folder in self.host.path_outside("/proc").iterdir():
            if folder.name.isdigit() and self.comm(folder.name) == "stub":
                try:
                    words = (folder / "environ").read_text(errors="replace").split("\0")
                except OSError:
                    continue  # it has just ended
                names += [word.partition("=")[2] for word in words if word.startswith("MOSAIC_AGENT_NAME=")]
        return sorted(names)

    def papers(self) -> list[str]:
        """Hand-overs that nobody has taken."""
        folder = self.host.path_outside(f"{self.facts.runtime_dir}/mosaic/launch")
        return sorted(path.name for path in folder.glob("*:*")) if folder.exists() else []

    def clear(self) -> None:
        """End all that is ours, gently first."""
        self.host.systemctl("stop", "mosaic-agent@*", "mosaic-tmux-holder.service", check=False)
        self.host.systemctl("stop", "mosaic-pane-*", "mosaic-reconcile*", check=False)
        self.host.systemctl("reset-failed", check=False)
        for socket in (SOCKET, "mosaic-other", ""):
            self.host.tmux(socket, "kill-server", check=False)
        for folder in (self.facts.mosaic_home, self.facts.unit_dir, f"{self.facts.runtime_dir}/mosaic"):
            self.host.run(["rm", "-rf", folder])
        self.host.systemctl("daemon-reload")
