"""Which file systems a path crosses, from the kernel's table of mounts, without asking one that may hang.

Links are followed here one by one, and only on file systems of this machine's own memory and disks.
"""

from __future__ import annotations

import os
from errno import EINVAL

from specs.dataclass import dataclass

_TABLE = "/proc/self/mountinfo"
_LINKS_MAX = 40  # as the kernel writes it
_KERNELS = (b"/proc/", b"/sys/", b"/dev/")  # nobody keeps files below these; systemd mounts an autofs there
# A program or another machine serves the others, and may stop answering. From the kernel's fs/ folder.
_NEAR = frozenset(
    (
        "bcachefs", "binfmt_misc", "bpf", "btrfs", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs",
        "efivarfs", "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fusectl", "hugetlbfs", "iso9660", "jfs",
        "mqueue", "msdos", "nilfs2", "nsfs", "ntfs", "ntfs3", "overlay", "proc", "pstore", "ramfs", "reiserfs",
        "rootfs", "rpc_pipefs", "securityfs", "selinuxfs", "squashfs", "sysfs", "tmpfs", "tracefs", "udf", "vfat",
        "xfs", "zfs",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A file system that may hang. `kind` as in the table: nfs4, fuse.sshfs, ..."""

    point: str
    kind: str

    def __str__(self) -> str:
        return f"the file system at {self.point} ({self.kind})"


class Mounts:
    """The table as it is now. Never raises: without a table no path is known to be far."""

    def __init__(self, table: bytes | None = None) -> None:
        self._kinds: dict[str, str] = {}  # those that may hang, by their mount points
        for line in (_read() if table is None else table).splitlines():
            left, _, right = line.partition(b" - ")
            fields = left.split(b" ")
            if len(fields) > 4 and right and not fields[4].startswith(_KERNELS):  # the fifth is the mount point
                kind = right.split(b" ", 1)[0].decode("utf-8", "surrogateescape")
                if kind not in _NEAR:
                    self._kinds[os.fsdecode(_plain(fields[4]))] = kind
        self.any_far = bool(self._kinds)

    def far(self, path: str) -> Mount | None:
        """The first file system on the way to an absolute path that may hang; None if there is none."""
        if not self.any_far:
            return None
        todo = path.split("/")[::-1]
        at, links = "", 0
        while todo:
            part = todo.pop()
            if part in ("", "."):
                continue
            if part == "..":
                at = at.rpartition("/")[0]
                continue
            there = f"{at}/{part}"
            if (kind := self._kinds.get(there)) is not None:
                return Mount(point=there, kind=kind)
            try:
                target = os.readlink(there)
            except ValueError:  # a NUL: no such path exists
                return None
            except OSError as error:
                if error.errno != EINVAL:  # it does not exist, or is not a folder: nothing is behind it
                    return None
                at = there
                continue
            links += 1
            if links > _LINKS_MAX:
                return None
            at = "" if target.startswith("/") else at
            todo.extend(target.split("/")[::-1])
        return None


def _read() -> bytes:
    try:
        with open(_TABLE, "rb") as table:
            return table.read()
    except OSError:
        return b""


def _plain(field: bytes) -> bytes:
    """The table writes blanks and backslashes as octal numbers."""
    for code, char in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        field = field.replace(code, char)
    return field
