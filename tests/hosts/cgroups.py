"""The cgroup hierarchies of the machine, and a host's own folder in each (stdlib only)."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PREFIX = "mosaic-host"
# The places a real login gives to process 1, to a person's session and to that person's manager. Programs (systemd's
# own among them) read a unit's name from these paths; a manager that sits at the root would be unlike any other.
INIT = "init.scope"


def session_path(uid: int) -> str:
    return f"user.slice/user-{uid}.slice/session-1.scope"


def manager_path(uid: int) -> str:
    return f"user.slice/user-{uid}.slice/user@{uid}.service"


@dataclass(frozen=True, kw_only=True)
class Hierarchy:
    """One mounted cgroup hierarchy; `base` is where a new child may be made."""

    mount_point: str
    kind: str  # cgroup (version 1) or cgroup2
    options: str  # what mount(2) wants as data, to mount the same hierarchy again
    base: str

    @property
    def has_units(self) -> bool:
        """Whether systemd keeps its units here: in the unified hierarchy and the named one, not in a controller's."""
        return self.kind == "cgroup2" or "name=systemd" in self.options.split(",")


def hierarchies() -> tuple[Hierarchy, ...]:
    """All of them, whether the machine is pure version 2, hybrid, or version 1."""
    own = dict(line.split(":", 2)[1:] for line in Path("/proc/self/cgroup").read_text().splitlines())
    found: dict[str, Hierarchy] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        root, mount_point = left.split()[3:5]
        kind, _, super_options = right.split(" ", 2)
        if kind == "cgroup2":
            # At the top: a cgroup with processes of its own cannot hand controllers to a child.
            found[mount_point] = Hierarchy(mount_point=mount_point, kind=kind, options="", base=mount_point)
        elif kind == "cgroup":
            options = [
                o for o in super_options.split(",") if o not in {"rw", "ro"} and not o.startswith("release_agent=")
            ]
            name = next((o for o in options if o.startswith("name=")), None)
            mine = next((p for names, p in own.items() if name == names or set(names.split(",")) <= set(options)), "/")
            base = mount_point + (os.path.normpath(f"/{os.path.relpath(mine, root)}") if root != mine else "")
            data = ",".join(["none", *options] if name else options)
            found[mount_point] = Hierarchy(
                mount_point=mount_point,
                kind=kind,
                options=data,
                base=base.rstrip("/") if os.path.isdir(base) else mount_point,
            )
    return tuple(found.values())


def make(name: str, uid: int) -> tuple[str, ...]:
    """Make the host's folder in every hierarchy; returns the folders. Raises OSError where that is not allowed."""
    made = []
    for hierarchy in hierarchies():
        top = f"{hierarchy.base}/{name}"
        os.mkdir(top)
        made.append(top)
        if not hierarchy.has_units:
            _inherit_cpuset(top)
            continue
        _hand_down(top)
        for leaf in (INIT, session_path(uid), manager_path(uid)):
            os.makedirs(f"{top}/{leaf}", exist_ok=True)
        for slice_ in ("user.slice", f"user.slice/user-{uid}.slice"):
            _hand_down(f"{top}/{slice_}")
    return tuple(made)


def _inherit_cpuset(folder: str) -> None:
    """A new cpuset of version 1 is empty, and takes no process until it has CPUs and memory nodes."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        with contextlib.suppress(FileNotFoundError):
            value = Path(folder).parent.joinpath(file).read_text()
            Path(folder, file).write_text(value)


def _hand_down(folder: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        for controller in Path(folder, "cgroup.controllers").read_text().split():
            # One that the machine does not let us have leaves the others usable.
            with contextlib.suppress(OSError):
                Path(folder, "cgroup.subtree_control").write_text(f"+{controller}")


def procs_files(folders: tuple[str, ...], leaf: str) -> tuple[str, ...]:
    """The files to write a process id into, so that it is in `leaf` of the host (or, without units, in the host)."""
    return tuple(f"{f}/{leaf}/cgroup.procs" if os.path.isdir(f"{f}/{leaf}") else f"{f}/cgroup.procs" for f in folders)


def join(files: tuple[str, ...]) -> None:
    for file in files:
        with open(file, "w") as stream:
            stream.write("0")


def remove(folders: tuple[str, ...], seconds: float) -> list[str]:
    """End every process of these folders and remove them; returns what could not be removed in time."""
    deadline = time.monotonic() + seconds
    while left := [f for f in folders if not _remove_tree(f)]:
        if time.monotonic() > deadline:
            return left
        for pid in [pid for folder in left for pid in processes(folder)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)  # a killed process leaves its cgroup only once it has ended, and nothing tells us
    return []


def processes(folder: str) -> Iterator[int]:
    for here, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            yield from (int(pid) for pid in Path(here, "cgroup.procs").read_text().split() if pid != "0")


def _remove_tree(folder: str) -> bool:
    for here, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):
            os.rmdir(here)
    return not os.path.isdir(folder)


def sweep() -> None:
    """Remove the empty folders of hosts whose minder was killed, so that nobody has to do it by hand."""
    for hierarchy in hierarchies():
        for entry in os.listdir(hierarchy.base):
            prefix, _, rest = entry.rpartition("-")
            owner = prefix.removeprefix(f"{PREFIX}-")
            if entry.startswith(f"{PREFIX}-") and rest and owner.isdigit() and not os.path.isdir(f"/proc/{owner}"):
                _remove_tree(f"{hierarchy.base}/{entry}")
