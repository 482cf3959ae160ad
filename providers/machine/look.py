"""One look at this machine: each fact is read once, when first needed, and a failure is kept like a fact."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from providers.base import ObserveError
from providers.filesystem import files
from providers.filesystem.far_files import FarFiles
from providers.host import (
    FileState,
    HeartbeatFile,
    HostFacts,
    ManagerState,
    PathState,
    Process,
    ResourceUsage,
    TmuxServer,
    UnitFile,
    UnitState,
)
from providers.processes import procfs
from providers.processes.process import Child
from providers.systemd.bus_address import LINGER_DIR
from providers.systemd.client import Systemd
from providers.tmux.server import TmuxClient

if TYPE_CHECKING:
    from providers.program_fault import ProgramFault
    from providers.screen import Screen
    from specs.compiled import Agent

T = TypeVar("T")


class LocalLook:
    """Implements `providers.host.Look`. Every method raises ObserveError if it could not observe the fact."""

    def __init__(self, facts: HostFacts, systemd: Systemd, tmux: TmuxClient, sockets: Sequence[str] = ()) -> None:
        """The look will need `sockets`: tmux prepares its answers from now on, while we read other things."""
        self._facts, self._systemd, self._tmux = facts, systemd, tmux
        self._now, self._uptime = time.time(), time.monotonic()
        self._seen: dict[tuple[str, ...], Any] = {}
        self._files: dict[str, FileState | ObserveError | None] = {}
        self._begun: dict[str, Child] = {}
        self._far = FarFiles(facts.mosaic_home)
        self._near = self._far.none
        self._units_of: dict[int, str] = {}
        self._stats: dict[int, bytes] = {}  # lines of /proc, by process
        for socket in dict.fromkeys(sockets):
            with suppress(ObserveError):  # `tmux()` reports the error
                self._begun[socket] = tmux.begin(socket)

    def __del__(self) -> None:
        for child in self._begun.values():
            child.abandon()

    def now(self) -> float:
        return self._now

    def uptime(self) -> float:
        return self._uptime

    def boot_id(self) -> str:
        return self._once(("boot_id",), procfs.boot_id)

    def units(self) -> Mapping[str, UnitState]:
        return self._once(("units",), self._systemd.list_units)

    def manager(self) -> ManagerState:
        from providers.systemd.manager import read_manager

        return self._once(("manager",), lambda: read_manager(self._systemd))

    def unit_files(self) -> tuple[UnitFile, ...]:
        from providers.systemd.unit_files import scan

        return self._once(("unit_files",), lambda: scan(self.manager().unit_path, self._facts.unit_dir))

    def behind(self, units: Sequence[str]) -> bool:
        from providers.systemd.manager import behind

        return self._once(("behind", *units), lambda: behind(self._systemd, units))

    def failing_condition(self, unit: str) -> str:
        from providers.systemd.conditions import failing

        return self._once(("condition", unit), lambda: failing(unit, self.manager().environment))

    def enabled(self, wanted_by: str = "default.target") -> frozenset[str]:
        return self._once(("enabled", wanted_by), lambda: self._enabled(wanted_by))

    def linger(self) -> bool:
        return self._once(("linger",), self._linger)

    def tmux(self, socket: str) -> TmuxServer:
        return self._once(("tmux", socket), lambda: self._server(socket))

    def screens(self, socket: str, panes: Mapping[str, int], *, since: float = 0.0) -> Mapping[str, Screen]:
        from providers.tmux.screens import read_screens

        return read_screens(self._tmux, socket, panes, since=since)

    def processes(self) -> Mapping[int, Process]:
        return self._once(("processes",), lambda: procfs.scan(self._facts.uid, self._stats))

    def cmdline(self, pid: int) -> tuple[str, ...]:
        return self._once(("cmdline", str(pid)), lambda: procfs.cmdline(pid))

    def unit_of(self, pid: int) -> str:
        found = self._units_of.get(pid)
        if found is None:
            found = self._units_of[pid] = procfs.unit_of(pid)
        return found

    def limits(self, pid: int, names: Sequence[str]) -> Mapping[str, int | str | None]:
        from providers.processes import kernel_limits

        return kernel_limits.read_limits(names, procfs.control_groups(pid))

    def cwd(self, pid: int) -> str:
        return self._once(("cwd", str(pid)), lambda: procfs.cwd(pid))

    def usage(self, panes: Mapping[str, Sequence[int]]) -> Mapping[str, ResourceUsage]:
        from providers.processes import usage

        return usage.measure(panes, unit_of=self.unit_of, stats=self._stats)

    def heartbeats(self) -> Mapping[str, HeartbeatFile]:
        return self._run_folder()[0]

    def turns(self) -> Mapping[str, HeartbeatFile]:
        return self._run_folder()[1]

    def file(self, path: str) -> FileState | None:
        if path not in self._files:  # several for each agent, so without what `_once` costs
            try:
                self._files[path] = files.state(path) if self._near else self._file(path)
            except ObserveError as error:
                self._files[path] = error
        found = self._files[path]
        if isinstance(found, ObserveError):
            raise found
        return found

    def places(self, paths: Iterable[str]) -> Mapping[str, PathState]:
        from providers.filesystem import places

        wanted = list(dict.fromkeys(paths))
        new = [path for path in wanted if ("place", path) not in self._seen]
        self._seen.update({("place", path): place for path, place in places.at(new, self._far.may_hang).items()})
        return {path: self._seen["place", path] for path in wanted}

    def programs(self, agents: Iterable[Agent], living: Collection[str] = ()) -> Mapping[str, ProgramFault | None]:
        wanted = list(agents)
        if not wanted:
            return {}
        from providers.processes.program_check import program_faults

        try:  # a new pane gets PATH from the client that requests it, on every server: here, the agent's unit
            around = self.manager().environment
        except ObserveError:
            return {}
        return program_faults(wanted, self._facts, around, living, may_hang=not self._far.none)

    def listing(self, folder: str) -> tuple[str, ...]:
        return self._once(("listing", folder), lambda: self._names(folder))

    def _once(self, key: tuple[str, ...], read: Callable[[], T]) -> T:
        if key not in self._seen:
            try:
                self._seen[key] = read()
            except ObserveError as error:
                self._seen[key] = error
        found = self._seen[key]
        if isinstance(found, ObserveError):
            raise found
        return found  # type: ignore[no-any-return]  # what `read` of this key gave

    def _file(self, path: str) -> FileState | None:
        if not self._far.is_far(path):
            return files.state(path)
        try:
            seen = self._far.ask(path, lambda: files.plain_state(path))
        except OSError as error:
            raise ObserveError(f"{path} cannot be read: {error.strerror}") from error
        return None if seen is None else FileState(content=seen[0], mode=seen[1], odd=seen[2], raw=seen[3])

    def _names(self, folder: str) -> tuple[str, ...]:
        if not self._far.is_far(folder):
            names, folders = _entries(folder)
            for name in folders:  # what is there is seen already: `file` need not look again
                self._files.setdefault(f"{folder}/{name}", files.A_FOLDER)
            return names
        try:
            return self._far.ask(folder, lambda: _listed(folder))
        except OSError as error:
            raise ObserveError(f"{folder} cannot be listed: {error.strerror}") from error

    def _run_folder(self) -> tuple[Mapping[str, HeartbeatFile], Mapping[str, HeartbeatFile]]:
        from providers.machine import heartbeat_files

        return self._once(("run_folder",), lambda: heartbeat_files.scan_both(self._facts.run_dir, self._now))

    def _server(self, socket: str) -> TmuxServer:
        return self._tmux.server(socket, self.processes, self._begun.pop(socket, None))

    def _enabled(self, wanted_by: str) -> frozenset[str]:
        folder = f"{self._facts.unit_dir}/{wanted_by}.wants"
        try:
            links = self._far.ask(folder, lambda: _links(folder)) if self._far.is_far(folder) else _links(folder)
            return frozenset(links)
        except (FileNotFoundError, NotADirectoryError):
            return frozenset()
        except OSError as error:
            raise ObserveError(f"{folder} cannot be read: {error.strerror}") from error

    def _linger(self) -> bool:
        try:
            os.stat(f"{LINGER_DIR}/{self._facts.user}")
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise ObserveError(f"{LINGER_DIR} cannot be read: {error.strerror}") from error
        return True


def _links(folder: str) -> list[str]:
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_symlink()]


def _entries(folder: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names in a folder, sorted, and those of its folders. Raises ObserveError."""
    try:
        with os.scandir(folder) as entries:
            found = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
    except (FileNotFoundError, NotADirectoryError):
        return (), ()
    except OSError as error:
        raise ObserveError(f"{folder} cannot be listed: {error.strerror}") from error
    return tuple(sorted(found)), tuple(name for name, is_folder in found.items() if is_folder)


def _listed(folder: str) -> tuple[str, ...]:
    try:
        return tuple(sorted(os.listdir(folder)))
    except (FileNotFoundError, NotADirectoryError):
        return ()
