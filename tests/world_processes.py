"""The workings of a simulated host: processes, and the tmux servers that hold most of them."""

from __future__ import annotations

from providers.host import HostFacts, OtherPane, PathState
from providers.program_fault import ProgramFault
from tests.world_model import FACTS, Ended, File, PendingJob, Proc, Server, Session, Tally, Unit


class Processes:
    """The state of the host, and what happens to processes and panes in it."""

    def __init__(self, facts: HostFacts = FACTS, now: float = 1_700_000_000.0) -> None:
        self.facts = facts
        self.now = now
        self.elapsed = 0.0  # the monotonic clock
        self.boots = 1
        self.linger = False
        self.files: dict[str, File] = {}
        self.units: dict[str, Unit] = {}
        self.enabled: set[str] = set()
        self.fragments: dict[str, str | None] = {}  # unit files as systemd has them in memory; None: not found
        self.servers: list[Server] = []
        self.procs: dict[int, Proc] = {}
        self.pending: list[PendingJob] = []
        self.started_as: dict[str, tuple[str, str]] = {}  # agent -> socket and session of its last start
        self.tally = Tally()
        self.by = "nobody"  # who is acting, for the tally
        self.missing_folders: set[str] = set()
        self.programs: dict[str, ProgramFault] = {}  # what speaks against an agent's program; nothing, if not named
        self.places: dict[str, PathState] = {}  # what stands at paths of other people; a folder, if nothing is said
        self.absent_variables: set[str] = set()
        self.hanging: set[str] = set()  # units whose start never ends
        self.crashing: set[str] = set()  # agents whose program ends at once
        self.working: set[str] = set()  # agents in the middle of something
        self.gone: set[str] = set()  # conversations of which their program has nothing left
        self.silent: set[str] = set()  # agents that answer no heartbeat
        self.exec_delay = 0.0  # seconds until a pane's shell has become the program
        self._pids = 1000

    # processes

    def spawn(self, argv: tuple[str, ...], *, ppid: int = 1, agent: str = "", scope: str = "") -> Proc:
        self._pids += 7
        comm = argv[0].rsplit("/", 1)[-1]
        ticks = int(self.now * 100) + self._pids
        proc = Proc(self._pids, ppid, comm, argv, self.now, ticks, agent, scope)
        self.procs[proc.pid] = proc
        if agent:
            living = sum(1 for other in self.procs.values() if other.agent == agent)
            self.tally.started[agent] = self.tally.started.get(agent, 0) + 1
            self.tally.most_at_once[agent] = max(self.tally.most_at_once.get(agent, 0), living)
        return proc

    def end_process(self, pid: int, status: int = 0) -> None:
        """The process and all below it end, but for a leftover that has detached itself (parent 1)."""
        proc = self.procs.pop(pid, None)
        if proc is None:
            return
        for child in [other.pid for other in self.procs.values() if other.ppid == pid]:
            self.end_process(child, status)
        session = self._session_of(pid)
        if session is not None:
            session.dead, session.dead_status = True, status
        if proc.agent:
            launch = session.launch if session is not None else ""
            right = session is None or session.command == proc.comm
            working = proc.agent in self.working
            self.tally.ended.append(
                Ended(agent=proc.agent, by=self.by, right_program=right, working=working, launch=launch, at=self.now)
            )
            self.working.discard(proc.agent)

    def _session_of(self, pid: int) -> Session | None:
        for server in self.servers:
            for session in server.sessions.values():
                if session.pid == pid and not session.dead:
                    return session
        return None

    # tmux

    def server(self, socket: str) -> Server | None:
        """The server that a client of this socket reaches."""
        self.tally.sockets.add(socket)
        return next((s for s in self.servers if s.socket == socket and s.reachable), None)

    def start_server(self, socket: str, *, held: bool) -> Server:
        proc = self.spawn(("tmux: server",))
        server = Server(socket, proc.pid, proc.start_ticks, held)
        self.servers.append(server)
        return server

    def end_server(self, server: Server) -> None:
        self.servers.remove(server)
        for session in server.sessions.values():
            for pid in (session.pid, *(other.pid for other in session.others)):
                self.end_process(pid)
            for pid in [p.pid for p in self.procs.values() if p.ppid == session.pid]:
                self.end_process(pid)
        self.end_process(server.pid)

    def end_session(self, server: Server, name: str) -> None:
        session = server.sessions[name]
        if not session.dead and not session.vacant:
            self.end_process(session.pid)
        for other in session.others:
            self.end_process(other.pid)
        del server.sessions[name]
        if server.exit_empty and not server.sessions:
            self.end_server(server)

    def end_pane(self, server: Server, session: Session) -> None:
        """The agent's pane ends; its session with it, if that was its last one."""
        if not session.others:
            self.end_session(server, session.name)
            return
        if not session.dead:
            self.end_process(session.pid)
        session.vacant, session.dead, session.pane = True, False, ""

    def end_other(self, server: Server, session: Session, other: OtherPane) -> None:
        """A person's pane ends."""
        session.others = tuple(one for one in session.others if one != other)
        self.end_process(other.pid)
        if session.vacant and not session.others:
            self.end_session(server, session.name)

    def agent_pane(self, server: Server, agent: str) -> Session | None:
        """The session that has the agent's pane in it."""
        return next((one for one in server.sessions.values() if one.mark == agent and not one.vacant), None)

    def add_session(self, server: Server, name: str, argv: tuple[str, ...], *, agent: str = "") -> Session:
        self._pids += 1
        scope = f"mosaic-pane-{agent}:{self._pids:x}.scope" if agent else ""
        proc = self.spawn(argv, ppid=server.pid, agent=agent, scope=scope)
        session = Session(name, proc.pid, self.now, self.now, proc.comm)
        session.pane = f"%{proc.pid}"
        server.sessions[name] = session
        return session
