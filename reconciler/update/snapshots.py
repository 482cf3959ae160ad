"""Snapshots of the framework files in `$MOSAIC_HOME`, so that an update can be undone.

Each is a folder of `$XDG_STATE_HOME/mosaic/snapshots`, named by its time, and counts only once its list is written,
which is the last thing. Files keep their modes, links stay links. Putting one back is noted before it begins and until
it is done: what a killed one has left is gone on with.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

from providers.filesystem import files
from providers.filesystem.atomic_write import replace_link
from providers.filesystem.guarded_read import read_regular
from providers.shipped import manifest
from reconciler.errors import MosaicError, NotFound
from reconciler.helpers.atomic_files import make_folder, write_atomic
from reconciler.helpers.times import rfc3339
from reconciler.state.store import write_failure
from specs.dataclass import dataclass

KEEP = 10
_LIST = "snapshot.json"
_PENDING = "restoring"
_NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")
SnapshotKind = Literal["file", "link", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """`paths`: what stood at each of them, relative to `$MOSAIC_HOME`. Anything else there was not looked at.
    `back_to`: the snapshot that was to be put back then, "" for none."""

    name: str
    folder: Path
    why: str
    made_at: str
    paths: Mapping[str, SnapshotKind]
    back_to: str = ""


def root_of(state_home: str) -> Path:
    return Path(state_home, "mosaic", "snapshots")


def snapshots(root: Path) -> tuple[Snapshot, ...]:
    """Those that are whole, oldest first."""
    try:
        names = sorted((name for name in os.listdir(root) if _NAME.fullmatch(name)), key=_order)
    except FileNotFoundError:
        return ()
    return tuple(found for name in names if (found := _read(root / name)) is not None)


def take(home: Path, root: Path, paths: Iterable[str], why: str, *, now: float, back_to: str = "") -> Snapshot:
    """Copy what stands at these paths. Raises MosaicError; then there is no new snapshot, and nothing else has changed.

    The oldest ones are removed beyond `KEEP`, and so is what a killed one has left.
    """
    folder = _fresh(root, now)
    try:
        make_folder(folder)
        found: dict[str, SnapshotKind] = {path: _copy(home, path, folder / "files") for path in sorted(set(paths))}
        made = Snapshot(name=folder.name, folder=folder, why=why, made_at=rfc3339(now), paths=found, back_to=back_to)
        body = {"format": 1, "why": why, "made_at": made.made_at, "back_to": back_to, "paths": found}
        write_atomic(folder / _LIST, json.dumps(body, indent=1) + "\n")
    except OSError as error:
        raise write_failure(folder, error) from error
    _prune(root, made)
    return made


def newest(root: Path) -> Snapshot:
    """The one that a rollback takes: what was begun to be put back, else the newest. Raises NotFound."""
    known = snapshots(root)
    if not known:
        raise NotFound("there is no snapshot to go back to", help=f"mosaic update makes one each time, in {root}")
    begun = pending(root)
    return next((one for one in known if one.name == begun), known[-1])


def pending(root: Path) -> str:
    """The name of the snapshot that was begun to be put back, "" if there is none."""
    try:
        return read_regular(root / _PENDING).decode().strip()
    except FileNotFoundError:
        return ""


def forget_pending(root: Path) -> None:
    """What was begun to be put back is not gone on with. Raises OSError."""
    (root / _PENDING).unlink(missing_ok=True)


def begin(snapshot: Snapshot, home: Path, root: Path) -> None:
    """Note that it is to be put back. Raises MosaicError, with the names of what is in the way."""
    blocked = [path for path, what in snapshot.paths.items() if what != "absent" and not _may_stand(home, path)]
    if blocked:
        raise MosaicError(
            f"something that is not a file is in the place of one to restore: {', '.join(blocked)}",
            help="move it away, then try again",
        )
    try:
        write_atomic(root / _PENDING, f"{snapshot.name}\n")
    except OSError as error:
        raise write_failure(root, error) from error


def put_back(snapshot: Snapshot, home: Path, root: Path, *, leave: Callable[[str], bool]) -> list[str]:
    """Make every path of the snapshot as it was; the list of those that were changed. `leave` is asked before anything
    is changed, and says of a path whether it is to stay as it is. Raises MosaicError.

    The manifest goes last: until then, it says what is whose."""
    changed = []
    try:
        for path in sorted(snapshot.paths, key=lambda one: (one == manifest.NAME, one)):
            kept, what = snapshot.folder / "files" / path, snapshot.paths[path]
            if _is_so(kept, home / path, what) or _beyond_link(home, path) or leave(path):
                continue
            _restore(kept, home / path, what)
            changed.append(path)
        forget_pending(root)
    except OSError as error:
        raise write_failure(home, error) from error
    return changed


def _may_stand(home: Path, path: str) -> bool:
    """Whether what is there is a file, a link or nothing, or is not to be looked at."""
    try:
        mode = (home / path).lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return True
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode) or _beyond_link(home, path)


def _beyond_link(home: Path, path: str) -> bool:
    """Whether a folder on the way is a link: then it is somebody else's file."""
    return any((home / folder).is_symlink() for folder in list(Path(path).parents)[:-1])


def _copy(home: Path, path: str, into: Path) -> SnapshotKind:
    """What is neither a file nor a link, or is beyond one, counts as absent: it is held, and never touched."""
    source, target = home / path, into / path
    try:
        seen = source.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return "absent"
    if _beyond_link(home, path):
        return "absent"
    if stat.S_ISLNK(seen.st_mode):
        make_folder(target.parent)
        target.symlink_to(source.readlink())
        return "link"
    if not stat.S_ISREG(seen.st_mode):
        return "absent"
    write_atomic(target, _content(source), mode=stat.S_IMODE(seen.st_mode))
    return "file"


def _is_so(kept: Path, path: Path, what: SnapshotKind) -> bool:
    """Whether nothing has to be changed."""
    if what == "absent":  # as it was taken: a folder is nothing that an update touches
        return not path.is_symlink() and not path.is_file()
    if what == "link":
        return path.is_symlink() and path.readlink() == kept.readlink()
    if path.is_symlink() or not path.is_file():
        return False
    same = stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(kept.stat().st_mode)
    return same and read_regular(path, follow=False) == read_regular(kept, follow=False)


def _restore(kept: Path, path: Path, what: SnapshotKind) -> None:
    if what == "absent":
        files.delete(str(path))
    elif what == "link":
        make_folder(path.parent)
        replace_link(str(path), os.readlink(kept))
    else:
        write_atomic(path, _content(kept), mode=stat.S_IMODE(kept.stat().st_mode))


def _content(path: Path) -> bytes:
    """Raises MosaicError: what cannot be read is not what cannot be written."""
    try:
        return read_regular(path, follow=False)
    except OSError as error:
        raise MosaicError(f"{path} cannot be read: {error.strerror or error}") from error


def _read(folder: Path) -> Snapshot | None:
    try:
        body = json.loads(read_regular(folder / _LIST))
        return Snapshot(
            name=folder.name,
            folder=folder,
            why=body["why"],
            made_at=body["made_at"],
            paths=dict(body["paths"]),
            back_to=body["back_to"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it was never finished


def _order(name: str) -> tuple[str, int]:
    stamp, _, number = name.partition("-")
    return stamp, int(number or 1)


def _fresh(root: Path, now: float) -> Path:
    stamp = re.sub(r"[-:]", "", rfc3339(now)).partition(".")[0].removesuffix("Z") + "Z"
    names = [stamp, *(f"{stamp}-{number}" for number in range(2, 100))]
    return next((root / name for name in names if not (root / name).exists()), root / f"{stamp}-100")


def _prune(root: Path, made: Snapshot) -> None:
    """Best effort: one too many is not a reason to stop an update."""
    whole = [one.name for one in snapshots(root)]
    kept = {made.name, pending(root), *whole[-KEEP:]}
    for name in os.listdir(root):
        if _NAME.fullmatch(name) and name not in kept:
            shutil.rmtree(root / name, ignore_errors=True)
