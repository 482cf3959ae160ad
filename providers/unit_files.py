"""Which files decide about our units, in all folders that systemd looks in: theirs, and those that somebody has added.

One pass over the folders, however many agents there are; only drop-ins are read, of which there are few.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from providers.host import UnitFile
from providers.names import UNIT_SUFFIXES

_PREFIX = "mosaic-"
_FOR_ALL = "service.d"  # drop-ins for every service
_MAX_BYTES = 1 << 16
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def scan(unit_path: Sequence[str], own_folder: str) -> tuple[UnitFile, ...]:
    """`own_folder`: where the framework's units are. A folder that cannot be read counts as empty: systemd, as the same
    user, cannot read it either."""
    found: list[UnitFile] = []
    for rank, folder in enumerate(unit_path):
        own = _same(folder, own_folder)
        for entry in _entries(folder):
            if _is_ours(entry.name):
                found.extend(_file(entry.path, entry.name, rank, own=own))
            elif entry.name == _FOR_ALL or (_is_ours(entry.name.removesuffix(".d")) and entry.name.endswith(".d")):
                unit = entry.name.removesuffix(".d")
                for one in _entries(entry.path):
                    if one.name.endswith(".conf"):
                        found.extend(_file(one.path, unit, rank, drop_in=True))
    return tuple(found)


def _same(folder: str, other: str) -> bool:
    with suppress(OSError):
        return folder == other or os.path.samefile(folder, other)
    return False


def _is_ours(name: str) -> bool:
    return name.startswith(_PREFIX) and name.endswith(UNIT_SUFFIXES)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with suppress(OSError), os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)
    return []


def _file(path: str, unit: str, rank: int, *, drop_in: bool = False, own: bool = False) -> Iterator[UnitFile]:
    with suppress(OSError):  # gone since, or a link to nowhere: systemd does not read it
        info, itself = os.stat(path), os.lstat(path)
        if stat.S_ISDIR(info.st_mode):
            return
        masked = stat.S_ISCHR(info.st_mode) or (info.st_size == 0 and not drop_in)
        regular = stat.S_ISREG(info.st_mode)
        yield UnitFile(
            path=path,
            unit=unit,
            rank=rank,
            drop_in=drop_in,
            own_folder=own,
            masked=masked,
            leads_to=os.path.realpath(path) if own or stat.S_ISLNK(itself.st_mode) else path,
            sets=tuple(_sets(_text(path))) if drop_in and regular else (),
            stamp=f"{info.st_mtime_ns}:{info.st_size}:{itself.st_ino}",
        )


def _text(path: str) -> str:
    fd = os.open(path, _READ)
    try:
        return os.read(fd, _MAX_BYTES).decode("utf-8", "replace")
    finally:
        os.close(fd)


def _sets(text: str) -> Iterable[str]:
    """Names of what a drop-in sets, each once. One that only empties a list of conditions is left out."""
    names: dict[str, None] = {}
    for line in text.replace("\\\n", " ").splitlines():
        key, equals, value = line.strip().partition("=")
        name = key.strip()
        empties = not value.strip() and name.startswith(("Condition", "Assert"))
        if equals and not empties and not name.startswith(("#", ";")):
            names[name] = None
    return names
