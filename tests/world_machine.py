"""The workings of a simulated host: what systemd's jobs do, and the launch programs that they run."""

from __future__ import annotations

from datetime import UTC, datetime

from providers.host import OtherPane
from providers.steps import Confine
from tests.world_conversations import begin
from tests.world_model import AGENT_TEMPLATE, HOLDER_UNIT, RESPONDER_UNIT, File, PendingJob, Server, Unit
from tests.world_processes import Processes

START_LIMIT_S = 90.0  # TimeoutStartSec of a start that hangs
SLEEP = ("sleep", "infinity")


class Machine(Processes):
    """Everything below the steps. Nothing here knows about fleets, only about files, units and panes."""

    def unit(self, name: str) -> Unit:
        return self.units.setdefault(name, Unit())

    def fragment(self, name: str) -> str | None:
        """The unit file as systemd has it: read when the unit is first needed, then only by a reload."""
        if name not in self.fragments:
            self.fragments[name] = self.on_disk(name)
        return self.fragments[name]

    def on_disk(self, name: str) -> str | None:
        file = self.files.get(f"{self.facts.unit_dir}/{name}")
        return None if file is None or file.odd else file.content

    def reload(self) -> None:
        self.fragments = {name: self.on_disk(name) for name in self.fragments}
        for name, unit in self.units.items():
            unit.load = load_state(self.fragments.get(template_of(name), "ExecStart="))

    def job(self, verb: str, name: str) -> str | None:
        """Carry out one job; the error, or None. Replaces a job that is still queued for the unit."""
        self.pending = [waiting for waiting in self.pending if waiting.unit != name]
        unit = self.unit(name)
        unit.job = ""
        if verb == "reset-failed":
            if unit.active == "failed":
                unit.active, unit.sub = "inactive", "dead"
            return None
        if verb == "stop":
            return self._stop(name, unit)
        unit.load = load_state(self.fragment(template_of(name)))
        if unit.load != "loaded":
            return f"Unit {name} is {unit.load}."  # refused before anything is done
        if verb == "reload":
            return self._reload(name, unit)
        if verb == "restart" and unit.active in {"active", "activating"}:
            self._stop(name, unit)
        return self._start(name, unit)

    def _start(self, name: str, unit: Unit) -> str | None:
        if unit.active == "active":
            return None
        if name in self.hanging:
            unit.active, unit.sub, unit.job = "activating", "start", "start"
            self.pending.append(PendingJob("start", name, self.now + START_LIMIT_S))
            return "hangs"
        if name == RESPONDER_UNIT:
            unit.active, unit.sub = "active", "running"
            self.respond()
            return None
        if name == HOLDER_UNIT:
            error = self._holder_start()
        else:
            if self.unit(HOLDER_UNIT).active not in {"active", "activating"}:
                self.job("start", HOLDER_UNIT)  # Wants= and After=: its failure does not stop us
            error = self._agent_start(instance_of(name))
        unit.active, unit.sub = ("failed", "failed") if error else ("active", "exited")
        self.respond()
        return error

    def _reload(self, name: str, unit: Unit) -> str | None:
        if unit.active != "active":
            return f"Unit {name} cannot be reloaded because it is {unit.active}."
        if "ExecReload=" not in (self.fragment(template_of(name)) or ""):
            return f"Job type reload is not applicable for unit {name}."
        return self._holder_start() if name == HOLDER_UNIT else self._agent_start(instance_of(name))

    def _stop(self, name: str, unit: Unit) -> str | None:
        was, loaded = unit.active, unit.load == "loaded"
        unit.active, unit.sub = ("failed", "failed") if was == "failed" else ("inactive", "dead")
        if was != "active":
            return None  # ExecStop= runs only for what is active
        if loaded and name != RESPONDER_UNIT:
            stopped = self._holder_stop() if name == HOLDER_UNIT else self._agent_stop(instance_of(name))
            if not stopped:
                unit.active, unit.sub = "failed", "failed"
        if name == HOLDER_UNIT and "KillMode=process" not in (self.fragments.get(name) or ""):
            for server in [s for s in self.servers if s.held]:
                self.end_server(server)  # the control group goes, whatever ExecStop= did
        return None

    def _program_works(self, program: str) -> bool:
        file = self.files.get(f"{self.facts.bin_dir}/{program}")
        return file is not None and file.works

    def _holder_settings(self) -> dict[str, list[str]] | None:
        settings = self.read_env(f"{self.facts.mosaic_home}/fleet/holder.env") or {}
        complete = {"MOSAIC_HOLDER_SESSION", "MOSAIC_TMUX_SOCKET"} <= settings.keys()
        return settings if complete and self._program_works("tmux-holder") else None

    def _holder_start(self) -> str | None:
        settings = self._holder_settings()
        if settings is None:
            return "the holder has no settings or no program"
        name, definition = settings["MOSAIC_HOLDER_SESSION"][-1], settings.get("MOSAIC_HOLDER_DEFINITION", [""])[-1]
        for socket in settings["MOSAIC_TMUX_SOCKET"]:
            server = self.server(socket) or self.start_server(socket, held=True)
            server.exit_empty = server.exit_empty and socket == ""
            if name not in server.sessions:
                self.add_session(server, name, SLEEP).launch = definition
            session = server.sessions[name]
            session.holder = True
            if session.dead:
                session.pid, session.dead, session.dead_status = self.spawn(SLEEP, ppid=server.pid).pid, False, None
        return None

    def _holder_stop(self) -> bool:
        settings = self._holder_settings() or {}
        for socket in settings.get("MOSAIC_TMUX_SOCKET", ()):
            server = self.server(socket)
            if server is not None:
                server.exit_empty = True
                session = server.sessions.get(settings["MOSAIC_HOLDER_SESSION"][-1])
                if session is not None and session.holder:
                    self.end_session(server, session.name)
        return bool(settings)

    def _agent_start(self, agent: str) -> str | None:
        settings = self.read_env(f"{self.facts.agents_dir}/{agent}.env")
        error = self._cannot_launch(agent, settings)
        if error is not None or settings is None:
            return error
        words = {key: values[-1] for key, values in settings.items()}
        socket, name = words.get("MOSAIC_TMUX_SOCKET", ""), words["MOSAIC_AGENT_SESSION"]
        before = self.started_as.get(agent)
        if before is not None and before[0] != socket:
            self._end_marked(before[0], agent)
        self.started_as[agent] = (socket, name)
        server = self.server(socket)
        if server is None:
            return "no tmux server is running"
        own = self.agent_pane(server, agent)
        if own is not None and not own.dead:
            return None
        there = own or server.sessions.get(name)
        if there is not None and there.mark != agent:
            return f"session {name} is there and is not ours"
        others: tuple[OtherPane, ...] = ()
        if there is not None:
            name, others = there.name, there.others
            del server.sessions[name]
        self._open_pane(server, name, agent, settings)
        server.sessions[name].others = others
        return None

    def _cannot_launch(self, agent: str, settings: dict[str, list[str]] | None) -> str | None:
        if settings is None:
            return f"the launch environment of {agent} cannot be read"
        if not all(self._program_works(f"agent-{program}") for program in ("start", "scope", "pane")):
            return "Main process exited, code=exited, status=127"
        if settings.get("MOSAIC_AGENT_NAME") != [agent] or not {"ARG", "MOSAIC_AGENT_SESSION"} <= settings.keys():
            return f"not a launch environment of {agent}"
        if not self.missing_folders.isdisjoint(settings.get("MOSAIC_AGENT_WORKDIR", ())):
            return "the working directory is not there"
        if any(value.partition("=")[2] in self.absent_variables for value in settings.get("ENV_FROM", ())):
            return "a variable that a secret comes from is not set"
        return None

    def _open_pane(self, server: Server, name: str, agent: str, settings: dict[str, list[str]]) -> None:
        argv = tuple(settings["ARG"])
        session = self.add_session(server, name, argv, agent=agent)
        session.mark, session.title = agent, agent
        session.fleet = settings.get("MOSAIC_FLEET", [""])[-1]
        session.launch = settings.get("MOSAIC_LAUNCH", [""])[-1]
        session.mission = settings.get("MOSAIC_MISSION", [""])[-1]
        self.procs[session.pid].limits = dict(text.split("=", 1) for text in settings.get("PROP", ()))
        session.life = f"{session.pid}.{self.procs[session.pid].start_ticks}"
        self.procs[session.pid].cwd = settings.get("MOSAIC_AGENT_WORKDIR", [""])[-1]
        self.procs[session.pid].ready_at = self.elapsed + self.exec_delay
        begin(agent, settings, session.life, self.now, self.files, self.facts, self.gone)
        if agent in self.crashing:
            session.last_lines = f"{argv[0]}: cannot go on"
            self.end_process(session.pid, 1)

    def respond(self) -> None:
        """The responder, if it runs, answers for every living agent that does not itself, on servers it can reach."""
        responder = self.units.get(RESPONDER_UNIT)
        if responder is None or responder.active != "active":
            return
        for session in [one for server in self.servers if server.reachable for one in server.sessions.values()]:
            settings = self.read_env(f"{self.facts.agents_dir}/{session.mark}.env") or {}
            ready = session.pid in self.procs and self.elapsed >= self.procs[session.pid].ready_at
            if ready and not session.dead and settings.get("MOSAIC_HEARTBEAT", ["native"])[-1] != "native":
                status = "busy" if self.now - session.activity <= 30.0 else "ok"
                stamp = datetime.fromtimestamp(self.now, UTC).isoformat().replace("+00:00", "Z")
                line = f"ts={stamp} pid={session.pid} status={status} source=sidecar interval=15 saw=process,pane\n"
                self.files[f"{self.facts.run_dir}/{session.mark}.hb"] = File(line, 0o600)

    def _agent_stop(self, agent: str) -> bool:
        if not self._program_works("agent-stop"):
            return False
        settings = self.read_env(f"{self.facts.agents_dir}/{agent}.env")
        if agent in self.started_as:
            socket = self.started_as[agent][0]
        else:
            words = settings or self.read_env(f"{self.facts.mosaic_home}/fleet/holder.env") or {}
            socket = words.get("MOSAIC_TMUX_SOCKET", [""])[-1]
        self._end_marked(socket, agent)
        self.end_scopes(agent)
        return True

    def _end_marked(self, socket: str, agent: str) -> None:
        server = self.server(socket)
        session = self.agent_pane(server, agent) if server is not None else None
        if server is not None and session is not None:
            self.end_pane(server, session)

    def end_scopes(self, agent: str) -> None:
        for proc in list(self.procs.values()):
            if proc.scope.startswith(f"mosaic-pane-{agent}:"):
                self.end_process(proc.pid)

    def confine(self, step: Confine) -> str | None:
        """The pane's process, and what lives where it does, into a scope; limits to all that is in that scope."""
        proc = self.procs.get(step.pid)
        if proc is None or proc.start_ticks != step.start_ticks:
            return None
        before = proc.scope
        scope = before if before.startswith(f"mosaic-pane-{step.agent}:") else step.unit
        for one in self.procs.values():
            if one is proc or (before and one.scope == before):
                one.scope, one.limits = scope, dict(text.split("=", 1) for text in step.properties)
        return None

    def read_env(self, path: str) -> dict[str, list[str]] | None:
        """A generated `KEY=value` file; None if it is not there or does not do its work."""
        file = self.files.get(path)
        if file is None or not file.works:
            return None
        settings: dict[str, list[str]] = {}
        for line in file.content.splitlines():
            key, equals, value = line.partition("=")
            if equals and not line.startswith("#"):
                settings.setdefault(key, []).append(value)
        return settings


def load_state(fragment: str | None) -> str:
    """What systemd makes of a unit file: an empty one masks its unit, one without a command is refused."""
    if fragment is None:
        return "not-found"
    if not fragment:
        return "masked"
    return "loaded" if "ExecStart=" in fragment else "bad-setting"


def template_of(unit: str) -> str:
    return AGENT_TEMPLATE if unit.startswith("mosaic-agent@") else unit


def instance_of(unit: str) -> str:
    return unit.removeprefix("mosaic-agent@").removesuffix(".service")
