"""What agents use of the machine: systemd's accounting of each pane's scope, read from the folder of their slice;
without a controller, the sum over the processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from providers.base import ObserveError
from providers.host import ResourceUsage
from providers.names import agent_of_scope
from providers.processes import procfs

MOUNTS = procfs.MOUNTS
_MAX = 4096
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


def measure(
    panes: Mapping[str, Sequence[int]],
    mounts: Sequence[str] = MOUNTS,
    *,
    unit_of: Callable[[int], str] | None = None,
    stats: Mapping[int, bytes] | None = None,
) -> dict[str, ResourceUsage]:
    """What each agent uses. `panes` has the processes of each one's pane, nearest first. One pass over the folder of
    the slice, whatever their number; a value that cannot be read is None, for that agent only. Never raises.

    `unit_of`, `stats`: what a look has read already, the unit of a process and the lines of `/proc/PID/stat`.
    """
    slices = _slices(panes, mounts)
    lines = stats or {}
    found: dict[str, ResourceUsage] = {}
    accounts = True  # whether the scopes of the slice have an account of their memory
    for name, pids in panes.items():
        folder = _folder(slices, name, pids, unit_of or _unit_of)
        cpu = _cpu(folder) if folder else None
        memory = _number(f"{folder}/memory.current") if folder and accounts else None
        if cpu is not None and memory is None and accounts:
            accounts = not os.path.exists(f"{folder}/cpu.stat")  # it is there, so the controller is not
        summed = (None, None) if cpu is not None and memory is not None else _sum(pids, lines)
        found[name] = ResourceUsage(
            cpu_s=cpu if cpu is not None else summed[0],
            cpu_source="cgroup" if cpu is not None else "proc",
            memory=memory if memory is not None else summed[1],
            memory_source="cgroup" if memory is not None else "proc",
        )
    return found


def _slices(panes: Mapping[str, Sequence[int]], mounts: Sequence[str]) -> dict[str, list[str]]:
    """Folders of scopes by agent. All panes of a user are in one slice, so one process shows where it is; a pane that
    somebody else started may come first, and is not in the slice."""
    for pids in panes.values():
        path = _cgroup(pids[0]) if pids else ""
        folder, _, scope = path.rpartition("/")
        if agent_of_scope(scope) is None:
            continue
        for mount in mounts:
            try:
                names = os.listdir(mount + folder)
            except OSError:
                continue
            found: dict[str, list[str]] = {}
            for name in names:
                agent = agent_of_scope(name)
                if agent is not None:
                    found.setdefault(agent, []).append(f"{mount}{folder}/{name}")
            return found
        return {}
    return {}


def _folder(slices: Mapping[str, Sequence[str]], name: str, pids: Sequence[int], unit_of: Callable[[int], str]) -> str:
    """The scope that the agent lives in, "" if none is its own. Its leftover processes may be in another."""
    folders = slices.get(name, ())
    try:
        own = unit_of(pids[0]) if pids and folders else ""
    except ObserveError:
        return ""
    return next((folder for folder in folders if own and folder.endswith(f"/{own}")), "")


def _unit_of(pid: int) -> str:
    return _cgroup(pid).rpartition("/")[2]


def _cgroup(pid: int) -> str:
    """The path of a process in the unified hierarchy; "" if it has none, or has ended."""
    for line in _read(f"/proc/{pid}/cgroup").splitlines():
        if line.startswith("0::"):
            return line[3:]
    return ""


def _cpu(folder: str) -> float | None:
    _, found, rest = f"\n{_read(f'{folder}/cpu.stat')}".partition("\nusage_usec ")
    value = rest.partition("\n")[0]
    return int(value) / 1e6 if found and value.isdecimal() else None


def _number(path: str) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdecimal() else None


def _sum(pids: Sequence[int], lines: Mapping[int, bytes]) -> tuple[float | None, int | None]:
    """CPU seconds (with those of children that have ended) and resident bytes. Shared memory counts for each process,
    so this is the most it can be."""
    ticks = pages = 0
    seen = False
    for pid in pids:
        line = lines[pid].decode("utf-8", "replace") if pid in lines else _read(f"/proc/{pid}/stat")
        _, bracket, rest = line.rpartition(") ")
        words = rest.split()
        if not bracket or len(words) < 22:
            continue  # it ended while we looked
        seen = True
        ticks += sum(int(word) for word in words[11:15] if word.lstrip("-").isdecimal())
        pages += int(words[21]) if words[21].isdecimal() else 0
    return (ticks / _TICKS, pages * _PAGE) if seen else (None, None)


def _read(path: str) -> str:
    """ "" for what is not there, or not ours to read."""
    try:
        return procfs.head(path, _MAX).decode("utf-8", "replace")
    except ObserveError:
        return ""
