"""The limits that the kernel enforces on a process, from the files of its control groups. We do not ask systemd: what
it was told may differ from the limits in force."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from providers.base import ObserveError
from providers.evidence import Kept
from providers.launch.placement import TOTAL
from providers.processes import procfs

# The kernel's file of each limit, by controller: of version 2, and of version 1 (systemd knows that, too).
_FILES = {
    "MemoryMax": ("memory", "memory.max", "memory.limit_in_bytes"),
    "CPUWeight": ("cpu", "cpu.weight", "cpu.shares"),
    "TasksMax": ("pids", "pids.max", "pids.max"),
}


def read_limits(
    names: Iterable[str], groups: Mapping[str, str], mounts: Sequence[str] = procfs.MOUNTS
) -> dict[str, Kept]:
    """By name: the value, `max` for no limit, None if no controller enforces it; and the machine's memory as `total`.
    `groups`: see `procfs.control_groups`; without any (the process has ended), the result is empty."""
    if not groups:
        return {}
    return {
        **{name: _read(name, groups, mounts) for name in names},
        TOTAL: os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
    }


def _read(name: str, groups: Mapping[str, str], mounts: Sequence[str]) -> Kept:
    controller, unified, old = _FILES[name]
    paths = [f"{mount}{groups['']}/{unified}" for mount in mounts if groups.get("")]
    if groups.get(controller, "/").endswith(".scope"):
        paths.append(f"{mounts[0]}/{controller}{groups[controller]}/{old}")
    for path in paths:
        try:
            text = procfs.head(path, 64).decode("ascii", "replace").strip()
        except ObserveError:
            continue
        if not text.isdecimal():
            return text
        number = int(text)
        if path.endswith("cpu.shares"):
            return max(1, round(number * 100 / 1024))
        return "max" if number >= 1 << 62 else number
    return None
