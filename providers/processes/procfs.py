"""Processes of one user, from /proc: one pass, no process started, nothing assumed about processes that vanish."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from providers.base import ObserveError
from providers.host import Process

_TICKS = os.sysconf("SC_CLK_TCK")
_STAT_MAX = 4096  # a stat line is about 350 bytes
_CMDLINE_MAX = 128 * 1024
_CGROUP_MAX = 64 * 1024
UNIFIED = "0"  # its number among the hierarchies
MOUNTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")  # for version 2 alone, and for version 2 beside version 1


def boot_time() -> float:
    """Unix seconds at which the kernel started; raises ObserveError."""
    for line in _read("/proc/stat").splitlines():
        if line.startswith(b"btime "):
            return float(line.split()[1])
    raise ObserveError("/proc/stat has no btime line, so start times of processes are not known")


def boot_id() -> str:
    """The kernel's random id of this boot; raises ObserveError."""
    return _read("/proc/sys/kernel/random/boot_id").decode("ascii", "replace").strip()


def parse_stat(line: bytes, boot: float) -> Process | None:
    """One /proc/PID/stat line; None if it is malformed. The comm may hold spaces, parentheses and newlines."""
    left, right = line.find(b"("), line.rfind(b")")
    if left < 0 or right < left:
        return None
    rest = line[right + 2 :].split(b" ", 20)
    if len(rest) < 21:  # incomplete: even the last number that we read may lack digits
        return None
    try:
        start_ticks = int(rest[19])
        return Process(
            pid=int(line[:left]),
            ppid=int(rest[1]),
            comm=line[left + 1 : right].decode("utf-8", "replace"),
            state=rest[0].decode("ascii"),
            started=boot + start_ticks / _TICKS,
            start_ticks=start_ticks,
        )
    except (ValueError, IndexError):
        return None


class Scanned:
    """The processes of one user at one moment, as `identity.ProcessTree` takes them. Raises ObserveError."""

    def __init__(self, uid: int) -> None:
        self._found = scan(uid)

    def processes(self) -> Mapping[int, Process]:
        return self._found

    def cmdline(self, pid: int) -> tuple[str, ...]:
        return cmdline(pid)


def scan(uid: int, lines: dict[int, bytes] | None = None) -> dict[int, Process]:
    """Every process whose effective user is `uid`, by pid; raises ObserveError if /proc itself cannot be read.
    `lines`: where to keep the lines of `/proc/PID/stat`, for a caller that needs more of them."""
    boot = boot_time()
    found: dict[int, Process] = {}
    try:
        root = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ObserveError(f"/proc cannot be read: {error.strerror}") from error
    try:
        for name in os.listdir(root):
            if not name.isdigit():
                continue
            try:
                # The owner of the folder, not of the file in it: the files of a process that has made itself
                # undumpable (codex does) belong to root, but the folder always to the process's user.
                if os.stat(name, dir_fd=root).st_uid != uid:
                    continue
                stat = os.open(name + "/stat", os.O_RDONLY | os.O_CLOEXEC, dir_fd=root)
                try:
                    line = os.read(stat, _STAT_MAX)
                finally:
                    os.close(stat)
            except OSError:
                continue  # it ended while we looked
            process = parse_stat(line, boot)
            if process is not None:
                found[process.pid] = process
                if lines is not None:
                    lines[process.pid] = line
    except OSError as error:
        raise ObserveError(f"/proc cannot be listed: {error.strerror}") from error
    finally:
        os.close(root)
    if os.getuid() == uid and os.getpid() not in found:
        raise ObserveError("/proc does not show this very process; is it mounted, and with which hidepid option?")
    return found


def cmdline(pid: int) -> tuple[str, ...]:
    """The argument list; empty for a process that has ended, and for a zombie."""
    try:
        raw = _bytes(f"/proc/{pid}/cmdline", _CMDLINE_MAX)
    except (FileNotFoundError, ProcessLookupError):
        return ()
    except OSError as error:
        raise ObserveError(f"/proc/{pid}/cmdline cannot be read: {error.strerror}") from error
    if not raw:
        return ()
    return tuple(part.decode("utf-8", "replace") for part in raw.rstrip(b"\0").split(b"\0"))


def environment(pid: int) -> dict[str, str] | None:
    """The environment that a process was started with; None if it has ended or cannot be read. Omits later changes."""
    try:
        words = _bytes(f"/proc/{pid}/environ", 1 << 20).split(b"\0")
    except OSError:
        return None
    pairs = (word.decode("utf-8", "surrogateescape").partition("=") for word in words if word)
    return {name: value for name, _, value in pairs}


def unit_of(pid: int) -> str:
    """The innermost folder of a process's control group in systemd's own hierarchy, `-.slice` for its top; "" for a
    process that has ended."""
    raw = _cgroup(pid)
    if raw.startswith(b"0::") and raw.count(b"\n") == 1:  # the usual case, for many processes
        return raw[3:-1].rpartition(b"/")[2].decode("utf-8", "replace") or "-.slice"
    path = parse_control_group(raw, unified=bool(unified_mounts()))
    return (path.rpartition("/")[2] or "-.slice") if path else ""


def control_groups(pid: int) -> dict[str, str]:
    """A process's control groups by controller of version 1, and under "" that of the unified hierarchy; empty for a
    process that has ended."""
    return {
        controller: path
        for names, path in _lines(_cgroup(pid)).items()
        for controller in ([""] if names == UNIFIED else names.split(","))
    }


def parse_control_group(raw: bytes, *, unified: bool) -> str:
    """The path in systemd's own hierarchy, from the content of a /proc/PID/cgroup. If systemd uses the `unified` one,
    that line decides, whatever lines of version 1 come first; "" if there is none."""
    at = raw.find(b"\n0::") + 1
    if unified and (at or raw.startswith(b"0::")):
        return raw[at + 3 :].partition(b"\n")[0].decode("utf-8", "replace")
    paths = _lines(raw)
    order = (UNIFIED, "name=systemd") if unified else ("name=systemd", UNIFIED)
    return next((paths[one] for one in order if one in paths), "")


def _cgroup(pid: int) -> bytes:
    try:
        return _record(f"/proc/{pid}/cgroup", _CGROUP_MAX)
    except (FileNotFoundError, ProcessLookupError):
        return b""
    except OSError as error:
        raise ObserveError(f"/proc/{pid}/cgroup cannot be read: {error.strerror}") from error


def _lines(raw: bytes) -> dict[str, str]:
    paths: dict[str, str] = {}
    for line in raw.decode("utf-8", "replace").split("\n"):
        hierarchy, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        if colon:
            paths[UNIFIED if hierarchy == "0" else controllers] = path
    return paths


@cache
def unified_mounts() -> tuple[str, ...]:
    """The mount point of the unified hierarchy: version 2 alone, or beside version 1; empty if systemd uses only
    version 1."""
    return tuple(top for top in MOUNTS if os.path.exists(f"{top}/cgroup.procs"))


def cwd(pid: int) -> str:
    """The working directory of a process, as the kernel names it: with " (deleted)" appended if it is gone. "" for a
    process that has ended or cannot be examined. Never waits for the file system of that folder."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def start_ticks(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat right now; None if there is no such process."""
    try:
        process = parse_stat(_bytes(f"/proc/{pid}/stat", _STAT_MAX), 0.0)
    except OSError:
        return None
    return None if process is None else process.start_ticks


def listens_at(pid: int) -> frozenset[str]:
    """Paths of the Unix sockets that a process of ours holds, also of those whose file was deleted since.

    Empty for a process that has ended, or that lives in another user namespace (a container) and cannot be examined.
    """
    try:
        inodes = set()
        for number in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{number}")
            except OSError:
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        # The process's own table: a server may live in another network namespace than we do.
        table = _bytes(f"/proc/{pid}/net/unix", 1 << 24).decode("utf-8", "replace").splitlines()
    except OSError:
        return frozenset()
    rows = (line.split(None, 7) for line in table[1:])
    return frozenset(row[7] for row in rows if len(row) == 8 and row[6] in inodes)


def head(path: str, limit: int) -> bytes:
    """The first `limit` bytes of a kernel file; raises ObserveError."""
    try:
        return _record(path, limit)
    except OSError as error:
        raise ObserveError(f"{path} cannot be read: {error.strerror}") from error


def _read(path: str) -> bytes:
    try:
        return _bytes(path, 1 << 22)
    except OSError as error:
        raise ObserveError(f"{path} cannot be read: {error.strerror}") from error


def _record(path: str, limit: int) -> bytes:
    """A kernel file that is written as one record, such as `stat`, `cgroup` or an account: one read returns all of it,
    up to the limit."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, limit)
    finally:
        os.close(fd)


def _bytes(path: str, limit: int) -> bytes:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts, size = [], 0
        while size < limit and (part := os.read(fd, min(1 << 18, limit - size))):
            parts.append(part)
            size += len(part)
        return b"".join(parts)
    finally:
        os.close(fd)
