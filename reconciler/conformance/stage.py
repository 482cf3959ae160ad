"""A stage for one program: an empty home in a temporary folder and a tmux server of its own, both removed afterwards.

What is real is the launch: the lines of the launch environment, what the program asks to be added, and agent-pane. Only
the unit and the scope are missing, since nothing here is to outlive us.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from providers import framework_files
from providers.host import HostFacts
from providers.launch import additions, environment
from providers.launch.conversation_choice import pane_text
from providers.machine.facts import gather
from providers.processes import procfs
from providers.processes.process import SpawnError, run
from providers.tmux.pane_input import Where
from reconciler.conformance.homes import QUIET, ProgramHome
from reconciler.errors import Unavailable
from reconciler.helpers.atomic_files import write_atomic
from specs.compiled import Agent, EnvValue, Fleet, Heartbeats, Limits
from specs.dataclass import replace
from specs.models.runtimes import argv, known_runtimes

FLEET = "contract"
HEARTBEAT_S = 1.0
TMUX_S = 10.0
END_S = 10.0
_MARK = "MOSAIC_CONTRACT"
_CONTRACT = "You are tried out. Nobody else is here.\n"


class Stage:
    """A context manager: everything is made on entry and gone after. `begin` raises Unavailable."""

    def __init__(self, runtime: str, search: str) -> None:
        """`search` is the PATH on which the program was found."""
        self.runtime = runtime
        self._nonce = secrets.token_hex(6)
        self.socket = f"mosaic-contract-{self._nonce}"
        self.root = Path(tempfile.mkdtemp(prefix="mosaic-contract-"))
        self.home, self.project = self.root / "home", self.root / "project"
        self.environ = self._scrubbed(search)
        self.facts: HostFacts = gather(self.environ)
        self.name = f"contract-{runtime}"
        self._server = 0

    def __enter__(self) -> Stage:
        try:
            for folder in (self.home, self.project, self.root / "tmp", Path(self.facts.runtime_dir)):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _scrubbed(self, search: str) -> dict[str, str]:
        """Nothing of the operator's own environment but what says who runs this: no token may be inherited."""
        root = str(self.root)
        own = {name: os.environ[name] for name in ("USER", "LOGNAME") if name in os.environ}
        return {
            **own,
            **QUIET,
            "HOME": f"{root}/home",
            "SHELL": "/bin/sh",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "PATH": search,
            "TMPDIR": f"{root}/tmp",  # noqa: S108 - below the folder that mkdtemp has made
            "MOSAIC_HOME": f"{root}/mosaic",
            "XDG_RUNTIME_DIR": f"{root}/run",
            "XDG_CONFIG_HOME": f"{root}/home/.config",
            "XDG_STATE_HOME": f"{root}/home/.local/state",
            "XDG_DATA_HOME": f"{root}/home/.local/share",
            "XDG_CACHE_HOME": f"{root}/home/.cache",
            _MARK: self._nonce,
        }

    @property
    def where(self) -> Where:
        return Where(socket=self.socket, session=self.name, agent=self.name, fleet=FLEET)

    @property
    def _socket_file(self) -> str:
        """tmux leaves it behind when its server ends."""
        return f"{os.path.realpath('/tmp')}/tmux-{self.facts.uid}/{self.socket}"  # noqa: S108 - where tmux puts it

    def agent(self, home: ProgramHome) -> Agent:
        """The agent as a roster would declare it: unattended, with everything that is shipped for its runtime."""
        known = known_runtimes((self.facts.python, "-I", "-S", self.facts.stub_program))[self.runtime]
        return Agent(
            name=self.name,
            session=self.name,
            agent_class="coder",
            runtime=self.runtime,
            state="running",
            socket=self.socket,
            working_directory=str(self.project),
            argv=argv(known, model=home.model, yolo=True, command=None),
            process_names=known.process_names,
            env=tuple((name, EnvValue(literal=value)) for name, value in sorted(home.env.items())),
            path=(),
            limits=Limits(),
            model=home.model,
            native_heartbeat=known.native_heartbeat,
            reset_command=known.reset_command,
            submit_key=known.submit_key,
            depends_on=(),
            alias=None,
            generation=0,
        )

    def fleet(self, agent: Agent) -> Fleet:
        """A fleet of that one agent."""
        return Fleet(
            name=FLEET,
            tenant_id=self.facts.user,
            host=self.facts.hostname,
            revision="",
            socket=self.socket,
            holder_session="_holder",
            agents=(agent,),
            heartbeats=replace(Heartbeats(), interval=HEARTBEAT_S),
        )

    def begin(self, agent: Agent, home: ProgramHome) -> None:
        """Lay out the home, and start the program as a fleet would. Raises Unavailable, and OSError for a full disk."""
        for name, text in home.files.items():
            write_atomic(self.home / name, text)
        (self.project / "README").write_text("What the agent works on.\n", encoding="utf-8")
        write_atomic(Path(self.facts.bin_dir, "agent-hook"), framework_files.text("agent-hook"), mode=0o755)
        write_atomic(Path(self.facts.bin_dir, "agent-pane"), pane_text(), mode=0o755)
        Path(self.facts.run_dir).mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(additions.folder(agent.name, self.facts))
        write_atomic(folder / additions.CONTRACT, _CONTRACT)
        for name, text in additions.extra_of(agent, self.facts).files:
            write_atomic(folder / name, text)
        self._launch(agent)

    def again(self, agent: Agent) -> None:
        """Kill the program, and start it once more as a heal does. Raises Unavailable, and OSError for a full disk."""
        pids = self._ours()
        with suppress(SpawnError):
            run(["tmux", "-L", self.socket, "kill-server"], self.environ, timeout_s=TMUX_S)
        for pid, ticks in pids.items():
            _signal(pid, ticks, signal.SIGKILL)
        deadline = time.monotonic() + END_S
        while any(procfs.start_ticks(pid) == ticks and not _is_zombie(pid) for pid, ticks in pids.items()):
            if time.monotonic() >= deadline:
                raise Unavailable("a process of the program does not end", help="mosaic doctor")
            time.sleep(0.05)
        self._launch(agent)

    @property
    def contract(self) -> str:
        """What the agent is told."""
        return _CONTRACT.strip()

    def _launch(self, agent: Agent) -> None:
        nonce = secrets.token_hex(6)
        pairs = environment.env_pairs(agent, self.fleet(agent), self.facts)
        paper = Path(self.facts.runtime_dir, "mosaic", "launch", f"{agent.name}:{nonce}")
        write_atomic(paper, handover(pairs))
        self._start(agent, nonce)

    def _start(self, agent: Agent, nonce: str) -> None:
        target = f"={agent.session}:"
        marks = {
            "@mosaic_agent": agent.name,
            "@mosaic_fleet": FLEET,
            "@mosaic_launch": environment.launch_digest(agent),
        }
        program = f"{self.facts.bin_dir}/agent-pane"
        command = [
            *("new-session", "-d", "-s", agent.session, "-n", agent.name, "-x", "200", "-y", "50"),
            *("-c", str(self.project), "/bin/sh", program, agent.name, nonce),
        ]
        for name, value in marks.items():
            command += [";", "set-option", "-t", target, name, value]
        command += [";", "set-option", "-p", "-t", target, "@mosaic_pane", agent.name]
        command += [";", "set-option", "-w", "-t", target, "remain-on-exit", "on"]
        command += [";", "set-option", "-w", "-t", target, "window-size", "manual"]
        command += [";", "run-shell", "-b", self._last_will()]
        command += [";", "display-message", "-p", "#{pid}"]
        try:
            done = run(["tmux", "-u", "-L", self.socket, "-f", "/dev/null", *command], self.environ, timeout_s=TMUX_S)
        except SpawnError as error:
            raise Unavailable(f"tmux: {error}", help="mosaic doctor") from error
        said = done.out.decode("utf-8", "replace").strip()
        if done.status != 0 or not said.isdecimal():
            why = done.err.decode("utf-8", "replace").strip() or f"status {done.status}"
            raise Unavailable(f"tmux does not start a server: {why}", help="mosaic doctor")
        self._server = int(said)

    def _last_will(self) -> str:
        """Even if we are killed, what we began ends: somebody waits for our end, and cleans up. It does not carry our
        mark, so that it is still there after a `close` that ran out of its time."""
        clean = (
            f"tail --pid={os.getpid()} -f /dev/null; "
            f"tmux -L {self.socket} kill-server; rm -rf {shlex.quote(str(self.root))} {shlex.quote(self._socket_file)}"
        )
        return f"env -u {_MARK} setsid -f sh -c {shlex.quote(clean)} </dev/null >/dev/null 2>&1"

    def close(self) -> None:
        """End what we have started, and nothing else: our server, what is below it, and what carries our mark."""
        pids = self._ours()
        with suppress(SpawnError):
            run(["tmux", "-L", self.socket, "kill-server"], self.environ, timeout_s=TMUX_S)
        deadline = time.monotonic() + END_S
        hard = time.monotonic() + END_S / 4
        while time.monotonic() < deadline:
            pids = {pid: ticks for pid, ticks in {**pids, **self._ours()}.items() if procfs.start_ticks(pid) == ticks}
            living = [pid for pid in pids if not _is_zombie(pid)]
            if not living:
                break
            for pid in living:
                _signal(pid, pids[pid], signal.SIGKILL if time.monotonic() > hard else signal.SIGTERM)
            time.sleep(0.05)
        shutil.rmtree(self.root, ignore_errors=True)
        with suppress(OSError):
            os.unlink(self._socket_file)

    def _ours(self) -> dict[int, int]:
        """Every process that came of this stage, with the time of its start, so that a number is never mistaken."""
        found: dict[int, int] = {}
        processes = procfs.scan(self.facts.uid)
        children: dict[int, list[int]] = {}
        for process in processes.values():
            children.setdefault(process.ppid, []).append(process.pid)
        waiting = [self._server] if self._server in processes else []
        waiting += [pid for pid in processes if self._is_marked(pid)]
        while waiting:
            pid = waiting.pop()
            if pid not in found:
                found[pid] = processes[pid].start_ticks
                waiting += children.get(pid, [])
        return found

    def _is_marked(self, pid: int) -> bool:
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                return f"{_MARK}={self._nonce}".encode() in file.read(1 << 20).split(b"\0")
        except OSError:
            return False


def handover(pairs: tuple[tuple[str, str], ...]) -> str:
    """The paper that agent-start hands to agent-pane, made of the lines of a launch environment. A line break within a
    value goes on behind a "+"."""
    lines: list[str] = []
    for key, value in pairs:
        if key.startswith("MOSAIC_"):
            lines.append(f"env {key}={value}")
        elif key in ("ENV", "ADD_ENV"):
            lines.append(f"env {value}")
        elif key in ("ARG", "ADD_ARG"):
            lines.append(f"arg {value}")
        elif key == "PATHDIR":
            lines.append(f"path {value}")
        elif key == "ADD_TEXT":
            prefix, _, path = value.partition("|")
            with suppress(OSError):
                lines.append(f"arg {prefix}{Path(path).read_text(encoding='utf-8').rstrip(chr(10))}")
    return "".join("\n+ ".join(line.split("\n")) + "\n" for line in lines) + "end \n"


def _is_zombie(pid: int) -> bool:
    try:
        line = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return True
    process = procfs.parse_stat(line, 0.0)
    return process is None or process.state in ("Z", "X")


def _signal(pid: int, ticks: int, number: int) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return  # it has ended
    try:
        if procfs.start_ticks(pid) == ticks:
            signal.pidfd_send_signal(descriptor, number)
    except OSError:
        return
    finally:
        os.close(descriptor)
