"""A look at the simulated host: every fact is taken when first asked for, and stays as it was then."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from providers.base import ObserveError
from providers.host import (
    FileState,
    HeartbeatFile,
    ManagerState,
    Pane,
    PathState,
    Process,
    ResourceUsage,
    TmuxServer,
    UnitFile,
    UnitState,
)
from providers.launch.placement import TOTAL, size
from providers.machine.heartbeat_files import parse
from providers.programs.registry import READERS
from tests.programs.captures import screen
from tests.world_machine import template_of

if TYPE_CHECKING:
    from providers.program_fault import ProgramFault
    from providers.screen import Screen
    from specs.compiled import Agent
    from tests.world import World
    from tests.world_model import Session

T = TypeVar("T")


class _AnyVariable(dict[str, str]):
    """An environment that has every variable but some."""

    without: frozenset[str] = frozenset()

    def __contains__(self, name: object) -> bool:
        return name not in self.without


class WorldLook:
    """Implements `providers.host.Look`; refuses what the world was told to keep hidden."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._now, self._uptime = world.now, world.elapsed
        self._seen: dict[tuple[str, str], Any] = {}

    def _once(self, fact: str, of: str, read: Callable[[], T]) -> T:
        blind = self._world.blind
        if fact in blind or f"{fact}:{of}" in blind:
            raise ObserveError(f"simulated: {fact} cannot be seen")
        if (fact, of) not in self._seen:
            self._seen[fact, of] = read()
        seen: T = self._seen[fact, of]
        return seen

    def now(self) -> float:
        return self._now

    def uptime(self) -> float:
        return self._uptime

    def boot_id(self) -> str:
        return self._once("boot_id", "", lambda: f"boot-{self._world.boots}")

    def units(self) -> Mapping[str, UnitState]:
        return self._once("units", "", self._units)

    def _units(self) -> Mapping[str, UnitState]:
        world = self._world
        shown = {
            name: UnitState(load=unit.load, active=unit.active, sub=unit.sub, job=unit.job)
            for name, unit in world.units.items()
            if unit.active != "inactive" or unit.job or name in world.enabled
        }
        for scope in {proc.scope for proc in world.procs.values() if proc.scope.startswith("mosaic-")}:
            shown[scope] = UnitState(load="loaded", active="active", sub="running")
        return shown

    def manager(self) -> ManagerState:
        return self._once("manager", "", self._manager)

    def _manager(self) -> ManagerState:
        facts = self._world.facts
        environment = _AnyVariable(HOME=facts.home)
        environment.without = frozenset(self._world.absent_variables)
        return ManagerState(unit_path=(facts.unit_dir,), environment=environment, stale=False)

    def unit_files(self) -> tuple[UnitFile, ...]:
        return self._once("unit_files", "", self._unit_files)

    def _unit_files(self) -> tuple[UnitFile, ...]:
        """Those in the folder of the framework's units; a link there is a mask."""
        start = f"{self._world.facts.unit_dir}/mosaic-"
        return tuple(
            UnitFile(
                path=path,
                unit=path.rpartition("/")[2],
                rank=0,
                own_folder=True,
                masked=bool(file.odd) or not file.content,
                leads_to=path,
                stamp=file.digest + (file.odd or ""),
            )
            for path, file in self._world.files.items()
            if path.startswith(start)
        )

    def behind(self, units: Sequence[str]) -> bool:
        world = self._world
        known = {*map(template_of, units)} & world.fragments.keys()
        return any(world.fragments[name] != world.on_disk(name) for name in known)

    def failing_condition(self, unit: str) -> str:
        return self._once("failing_condition", unit, lambda: "")  # no file here has a condition

    def enabled(self, wanted_by: str = "default.target") -> frozenset[str]:
        timers = wanted_by == "timers.target"
        names = (name for name in self._world.enabled if name.endswith(".timer") is timers)
        return self._once("enabled", wanted_by, lambda: frozenset(names))

    def linger(self) -> bool:
        return self._once("linger", "", lambda: self._world.linger)

    def tmux(self, socket: str) -> TmuxServer:
        self._world.tally.sockets.add(socket)
        return self._once("tmux", socket, lambda: self._tmux(socket))

    def _tmux(self, socket: str) -> TmuxServer:
        servers = [server for server in self._world.servers if server.socket == socket]
        for server in servers:
            if server.reachable:
                panes = tuple(self._pane(session) for session in server.sessions.values())
                return TmuxServer(state="up", pid=server.pid, start_ticks=server.start_ticks, panes=panes)
        if servers:
            return TmuxServer(state="lost", pid=servers[0].pid, start_ticks=servers[0].start_ticks)
        return TmuxServer(state="down")

    def screens(self, socket: str, panes: Mapping[str, int], *, since: float = 0.0) -> Mapping[str, Screen]:
        """It shows all of them, however long they have been quiet: a real server may leave those out."""
        del since
        return self._once("screens", socket, lambda: self._screens(socket, panes))

    def _screens(self, socket: str, panes: Mapping[str, int]) -> Mapping[str, Screen]:
        """Each program's screen while it has nothing to do, or as `World.shows` has it."""
        found = {}
        for server in (one for one in self._world.servers if one.socket == socket and one.reachable):
            for session in server.sessions.values():
                if panes.get(session.pane) == session.pid and session.pid in self._world.procs:
                    words = " ".join(self._world.procs[session.pid].argv)
                    settings = self._world.read_env(f"{self._world.facts.agents_dir}/{session.mark}.env") or {}
                    words += "".join(settings.get("MOSAIC_AGENT_RUNTIME", ()))  # a command may have another name
                    runtime = next((one for one in sorted(READERS) if one in words), "")
                    if not runtime:
                        continue
                    shown = self._world.shows.get(session.mark, f"{runtime}.idle.80")
                    found[session.pane] = screen(shown) if isinstance(shown, str) else shown
        return found

    def _pane(self, session: Session) -> Pane:
        if session.vacant:
            first = session.others[0]
            return Pane(
                session=session.name, pid=first.pid, dead=False, dead_status=None, command=first.command,
                mark=session.mark, fleet=session.fleet, launch="", created=session.created,
                activity=session.activity, attached=session.attached, in_mode=False, title="",
                panes=len(session.others), id=first.id, vacant=True,
            )  # fmt: skip
        return Pane(
            session=session.name,
            pid=session.pid,
            dead=session.dead,
            dead_status=session.dead_status,
            command=session.command if self._ready(session.pid) else "sh",
            mark=session.mark,
            fleet=session.fleet,
            launch=session.launch,
            mission=session.mission,
            created=session.created,
            activity=session.activity,
            attached=session.attached,
            in_mode=session.in_mode,
            title=session.title,
            panes=1 + len(session.others),
            id=session.pane,
            life=session.life,
            others=session.others if session.mark else (),
        )

    def processes(self) -> Mapping[int, Process]:
        return self._once("processes", "", self._processes)

    def _processes(self) -> Mapping[int, Process]:
        return {
            proc.pid: Process(
                pid=proc.pid,
                ppid=proc.ppid,
                comm=proc.comm[:15] if self._ready(proc.pid) else "sh",
                state="S",
                started=proc.started,
                start_ticks=proc.start_ticks,
            )
            for proc in self._world.procs.values()
        }

    def cmdline(self, pid: int) -> tuple[str, ...]:
        return self._once("cmdline", str(pid), lambda: self._cmdline(pid))

    def unit_of(self, pid: int) -> str:
        return self._once("unit_of", str(pid), lambda: self._unit_of(pid))

    def _unit_of(self, pid: int) -> str:
        proc = self._world.procs.get(pid)
        return (proc.scope or "") if proc is not None else ""

    def limits(self, pid: int, names: Sequence[str]) -> Mapping[str, int | str | None]:
        proc = self._world.procs.get(pid)
        given = proc.limits if proc is not None else {}
        without = dict.fromkeys(name for name in names if name in self._world.unkept)
        if proc is None:
            return {}
        return {TOTAL: 16 << 30} | {name: size(given[name]) if name in given else "max" for name in names} | without

    def _cmdline(self, pid: int) -> tuple[str, ...]:
        proc = self._world.procs.get(pid)
        if proc is None:
            return ()
        return proc.argv if self._ready(pid) else ("/bin/sh", f"{self._world.facts.bin_dir}/agent-pane", proc.agent)

    def _ready(self, pid: int) -> bool:
        """Whether the launch program has become the agent's program."""
        proc = self._world.procs.get(pid)
        return proc is None or self._uptime >= proc.ready_at

    def cwd(self, pid: int) -> str:
        proc = self._world.procs.get(pid)
        return (proc.cwd + (" (deleted)" if proc.cwd_gone else "")) if proc is not None else ""

    def usage(self, panes: Mapping[str, Sequence[int]]) -> Mapping[str, ResourceUsage]:
        """A second of CPU for each minute of life, and 50 MiB for each process."""
        self._once("usage", "", lambda: None)
        found = {}
        for name, pids in panes.items():
            procs = [self._world.procs[pid] for pid in pids if pid in self._world.procs]
            source = "cgroup" if procs and procs[0].scope and "cgroup" not in self._world.blind else "proc"
            found[name] = ResourceUsage(
                cpu_s=sum((self._now - proc.started) / 60 for proc in procs) if procs else None,
                cpu_source=source,
                memory=len(procs) * 50 * 2**20 if procs else None,
                memory_source=source,
            )
        return found

    def heartbeats(self) -> Mapping[str, HeartbeatFile]:
        return self._once("heartbeats", "", lambda: self._records(".hb"))

    def turns(self) -> Mapping[str, HeartbeatFile]:
        return self._once("heartbeats", "turns", lambda: self._records(".turn"))

    def _records(self, suffix: str) -> Mapping[str, HeartbeatFile]:
        folder = self._world.facts.run_dir + "/"
        return {
            path[len(folder) : -len(suffix)]: parse(file.content.encode(), self._now)
            for path, file in self._world.files.items()
            if path.startswith(folder) and path.endswith(suffix) and "/" not in path[len(folder) :]
        }

    def file(self, path: str) -> FileState | None:
        return self._once("file", path, lambda: self._file(path))

    def _file(self, path: str) -> FileState | None:
        file = self._world.files.get(path)
        if file is None:
            folder = any(other.startswith(path + "/") for other in self._world.files)
            return FileState(odd="a folder") if folder else None
        if file.odd:
            return FileState(odd=file.odd)
        return FileState(content=file.content, mode=file.mode)

    def places(self, paths: Iterable[str]) -> Mapping[str, PathState]:
        return {path: self._once("place", path, partial(self._place, path)) for path in paths}

    def _place(self, path: str) -> PathState:
        if path in self._world.missing_folders:
            return PathState(kind="nothing")
        return self._world.places.get(path, PathState(kind="folder", usable=True))

    def programs(self, agents: Iterable[Agent], living: Collection[str] = ()) -> Mapping[str, ProgramFault | None]:
        _ = living
        return {agent.name: self._world.programs.get(agent.name) for agent in agents}

    def listing(self, folder: str) -> tuple[str, ...]:
        return self._once("listing", folder, lambda: self._listing(folder))

    def _listing(self, folder: str) -> tuple[str, ...]:
        start = folder + "/"
        return tuple(
            sorted({path[len(start) :].split("/", 1)[0] for path in self._world.files if path.startswith(start)})
        )
