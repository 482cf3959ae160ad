"""Space on the disks, who else may touch our files, and the kernel's limit for watching them. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Literal

from reconciler.doctor.check import Check, CheckResult, Unseen, unseen, worst
from specs.dataclass import dataclass

MIB = 1 << 20
# Bytes below which a folder's disk fails, and below which it is worth a word. The runtime folder holds few and small
# files, but an agent whose hand-over does not fit cannot be started.
ROOM = {"state": (32 * MIB, 512 * MIB), "runtime": (MIB, 8 * MIB), "home": (32 * MIB, 512 * MIB)}
INODES = (200, 5000)
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """The file system that a folder is on; `what` is a key of ROOM. Some count no inodes: `inodes` is None then."""

    what: str
    path: str
    free: int  # bytes that this user may still write
    inodes: int | None
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Loose:
    """A file or folder of ours with permissions that are not its own. `harm`: another user may change it, or may read
    it, or it belongs to somebody else."""

    path: str
    permissions: str
    harm: Literal["write", "read", "owner"]
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """What was found among so many files; `unread` are folders that could not be looked through."""

    looked_at: int
    loose: tuple[Loose, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatFacts:
    """The folder of the heartbeats. `trouble` says why nothing can be written there."""

    path: str
    there: bool
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watches:
    """inotify instances of this user."""

    limit: int
    used: int


def judge_disks(disks: Sequence[Disk | Unseen]) -> list[Check]:
    """One check for each folder."""
    return [unseen("disk", "files", disk) if isinstance(disk, Unseen) else _disk(disk) for disk in disks]


def _disk(disk: Disk) -> Check:
    name = f"disk-{disk.what}"
    look = (f"df -h {shlex.quote(disk.path)}", f"df -i {shlex.quote(disk.path)}")
    if disk.read_only:
        return Check(
            name=name, group="files", result="fail", found=f"the file system of {disk.path} is read-only", mend=look[:1]
        )
    low, tight = ROOM[disk.what]
    by_room: CheckResult = "fail" if disk.free < low else "warn" if disk.free < tight else "ok"
    by_inodes: CheckResult = "ok"
    if disk.inodes is not None:
        by_inodes = "fail" if disk.inodes < INODES[0] else "warn" if disk.inodes < INODES[1] else "ok"
    result = worst((by_room, by_inodes))
    left = _size(disk.free) + ("" if disk.inodes is None else f" and {disk.inodes} inodes")
    return Check(
        name=name,
        group="files",
        result=result,
        found=f"{disk.path}: {left} are left",
        mend=() if result == "ok" else (*look[:1], *(look[1:] if by_inodes != "ok" else ())),
        advice="" if result == "ok" else "make room there: what cannot be written down is not done",
    )


def _size(count: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", MIB), ("KiB", 1 << 10)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def judge_modes(modes: Modes | Unseen) -> Check:
    """Files that others may change are dangerous, files that others may read are worth a word."""
    name = "file-modes"
    if isinstance(modes, Unseen):
        return unseen(name, "files", modes)
    if modes.loose:
        result: CheckResult = "warn" if all(one.harm == "read" for one in modes.loose) else "fail"
        return Check(
            name=name,
            group="files",
            result=result,
            found=_loose(modes.loose),
            mend=tuple(_fix(one) for one in modes.loose),
        )
    if modes.unread:
        return unseen(name, "files", Unseen(why=f"cannot be looked through: {', '.join(modes.unread[:_SHOWN])}"))
    found = f"{modes.looked_at} files and folders, yours alone" if modes.looked_at else "nothing has been written yet"
    return Check(name=name, group="files", result="ok", found=found)


def _loose(loose: Sequence[Loose]) -> str:
    words = {"write": "others may change it", "read": "others may read it"}
    shown = [
        f"{one.path} belongs to {one.owner}"
        if one.harm == "owner"
        else f"{one.path} ({one.permissions}): {words[one.harm]}"
        for one in loose[:_SHOWN]
    ]
    more = f"; and {len(loose) - _SHOWN} more" if len(loose) > _SHOWN else ""
    return "; ".join(shown) + more


def _fix(one: Loose) -> str:
    path = shlex.quote(one.path)
    if one.harm == "owner":
        return f'sudo chown "$(id -un)" {path}'
    return f"chmod go-w {path}" if one.harm == "write" else f"chmod go-rwx {path}"


def judge_heartbeats(heartbeats: HeartbeatFacts | Unseen, *, needed: bool) -> Check:
    """`needed`: an agent of this host should write there."""
    name = "heartbeat-folder"
    if isinstance(heartbeats, Unseen):
        return unseen(name, "files", heartbeats)
    if heartbeats.trouble:
        return Check(
            name=name,
            group="files",
            result="fail",
            found=f"{heartbeats.path}: {heartbeats.trouble}",
            mend=(f"ls -ld {shlex.quote(heartbeats.path)}",),
            advice="it has to be a folder of yours that you can write to",
        )
    if heartbeats.there:
        return Check(name=name, group="files", result="ok", found=f"{heartbeats.path} is there and can be written to")
    return Check(
        name=name,
        group="files",
        result="warn" if needed else "ok",
        found=f"{heartbeats.path} is not there" + ("" if needed else ", and no agent needs it yet"),
        mend=(f"mkdir -p -m 700 {shlex.quote(heartbeats.path)}",) if needed else (),
    )


def judge_watches(watches: Watches | Unseen, *, resident: bool) -> Check:
    """`resident`: the loop that watches files is installed here."""
    name = "inotify"
    if isinstance(watches, Unseen):
        return unseen(name, "files", watches)
    left = watches.limit - watches.used
    found = f"{watches.used} of {watches.limit} instances are in use by you"
    if left > 8:
        return Check(name=name, group="files", result="ok", found=found)
    return Check(
        name=name,
        group="files",
        result="fail" if resident and left <= 0 else "warn",
        found=f"{found}: commits and heartbeats are then seen late",
        mend=("sudo sysctl fs.inotify.max_user_instances=1024",),
    )
