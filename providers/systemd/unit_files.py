"""The files that affect our units, in every folder that systemd reads: ours, and those that somebody added.

One pass over the folders, however many agents there are; it reads only drop-ins, which are few. A process that we may
leave behind looks at what may not answer, behind a link or on another machine's disk.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial

from providers.filesystem.guarded_read import kind_of, read_regular
from providers.filesystem.mounts import Mounts
from providers.host import UnitFile
from providers.names import UNIT_SUFFIXES
from specs.dataclass import replace

_PREFIX = "mosaic-"
_FOR_ALL = "service.d"  # drop-ins for every service
_MAX_BYTES = 1 << 16
_NULL = os.makedev(1, 3)
_Plain = tuple[object, ...]  # of a UnitFile: what one process may hand to another
_Question = Callable[[], list[UnitFile]]
_PutOff = Callable[[UnitFile, _Question], bool]  # whether another process will ask that later


def scan(unit_path: Sequence[str], own_folder: str) -> tuple[UnitFile, ...]:
    """`own_folder`: where the framework's units are. A folder that cannot be read counts as empty: systemd, as the same
    user, cannot read it either. A file that gives no answer is in the result with `unseen`; a folder has no `unit`."""
    return _Scan(own_folder).all(unit_path)


class _Scan:
    def __init__(self, own_folder: str) -> None:
        self._own_folder, self._mounts = own_folder, Mounts()
        self._own_is_far = self._mounts.far(own_folder) is not None
        self._found: list[UnitFile] = []
        self._asked: dict[str, tuple[UnitFile, _Question]] = {}  # with what is known before the answer

    def all(self, unit_path: Sequence[str]) -> tuple[UnitFile, ...]:
        for rank, folder in enumerate(unit_path):
            if self._mounts.far(folder) is None:
                own = not self._own_is_far and _same(folder, self._own_folder)
                self._found.extend(_folder(folder, rank, own, self._is_put_off))
            else:
                known = UnitFile(path=folder, unit="", rank=rank)
                self._asked[folder] = known, partial(_far_folder, folder, rank, self._own_folder)
        if self._asked:
            self._found.extend(_answers(self._asked))
        return tuple(self._found)

    def _is_put_off(self, known: UnitFile, question: _Question) -> bool:
        """Whether it may give no answer; then it is asked later, together with all others like it."""
        if self._mounts.far(known.path) is None:
            return False
        self._asked[known.path] = known, question
        return True


def _answers(asked: Mapping[str, tuple[UnitFile, _Question]]) -> Iterator[UnitFile]:
    from providers.filesystem.bounded_look import NoAnswerError, ask

    def plain(question: _Question) -> list[_Plain]:
        from dataclasses import astuple

        return [astuple(one) for one in question()]

    found = ask({path: partial(plain, question) for path, (_, question) in asked.items()})
    for path, (known, _) in asked.items():
        said = found[path]
        if isinstance(said, NoAnswerError):
            yield replace(known, unseen=str(said.strerror))
        elif not isinstance(said, OSError):
            yield from (UnitFile(**dict(zip(UnitFile.__slots__, one, strict=True))) for one in said)  # type: ignore[arg-type]  # as `plain` has made it


def _never(_known: UnitFile, _question: _Question) -> bool:
    return False


def _far_folder(folder: str, rank: int, own_folder: str) -> list[UnitFile]:
    return list(_folder(folder, rank, _same(folder, own_folder), _never))


def _folder(folder: str, rank: int, own: bool, put_off: _PutOff) -> Iterator[UnitFile]:
    for entry in _entries(folder):
        if _is_ours(entry.name):
            known = UnitFile(path=entry.path, unit=entry.name, rank=rank, own_folder=own)
            if not put_off(known, partial(_file, known)):
                yield from _file(known)
        elif entry.name == _FOR_ALL or (_is_ours(entry.name.removesuffix(".d")) and entry.name.endswith(".d")):
            known = UnitFile(path=entry.path, unit=entry.name.removesuffix(".d"), rank=rank, drop_in=True)
            if not put_off(known, partial(_drop_ins, known)):
                yield from _drop_ins(known, put_off)


def _drop_ins(folder: UnitFile, put_off: _PutOff = _never) -> list[UnitFile]:
    found: list[UnitFile] = []
    for entry in _entries(folder.path):
        if entry.name.endswith(".conf"):
            known = replace(folder, path=entry.path)
            if not put_off(known, partial(_file, known)):
                found.extend(_file(known))
    return found


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


def _file(known: UnitFile) -> list[UnitFile]:
    path = known.path
    with suppress(OSError):  # gone since, or a link to nowhere: systemd does not read it
        info, itself = os.stat(path), os.lstat(path)
        if stat.S_ISDIR(info.st_mode):
            return []
        null = stat.S_ISCHR(info.st_mode) and info.st_rdev == _NULL
        regular = stat.S_ISREG(info.st_mode)
        found = replace(
            known,
            masked=null if known.drop_in else stat.S_ISCHR(info.st_mode) or info.st_size == 0,
            leads_to=os.path.realpath(path) if known.own_folder or stat.S_ISLNK(itself.st_mode) else path,
            sets=tuple(_sets(_text(path))) if known.drop_in and regular else (),
            stamp=f"{info.st_mtime_ns}:{info.st_size}:{itself.st_ino}",
            odd="" if regular or null else kind_of(info.st_mode),
        )
        return [found]
    return []


def _text(path: str) -> str:
    return read_regular(path, limit=_MAX_BYTES, cut=True).decode("utf-8", "replace")


def _sets(text: str) -> Iterable[str]:
    """Names of a drop-in's settings, each once. A setting that only empties a list of conditions is left out."""
    names: dict[str, None] = {}
    for line in text.replace("\\\n", " ").splitlines():
        key, equals, value = line.strip().partition("=")
        name = key.strip()
        empties = not value.strip() and name.startswith(("Condition", "Assert"))
        if equals and not empties and not name.startswith(("#", ";")):
            names[name] = None
    return names
