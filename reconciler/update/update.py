"""Update the framework files in `$MOSAIC_HOME`, or undo that: what `mosaic update` does to files itself.

Whatever it changes is one small file at a time, and written whole. The files of the framework are put in place by a run
of the reconciler, as always.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.filesystem import files
from providers.filesystem.guarded_read import read_regular
from providers.kinds.reseed import KEPT, MOST_KEPT, ReseedProvider
from providers.shipped import manifest
from providers.shipped.layouts import OLDER, is_older, layout_of
from providers.shipped.manifest import Manifest
from providers.shipped.release import LAYOUT, release
from reconciler.errors import MosaicError, Refused
from reconciler.helpers.atomic_files import write_atomic
from reconciler.state.store import write_failure
from reconciler.update import snapshots
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.host import FileState, HostFacts
    from reconciler.update.snapshots import Snapshot

_MODE = 0o644


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledRelease:
    """What is in `$MOSAIC_HOME`. `layout` 0: nothing yet. `hold`: why its files are to stay as they are, "" if not."""

    layout: int
    manifest: Manifest
    hold: str
    differs: bool  # whether a run would change something

    @property
    def what(self) -> str:
        """In words."""
        if is_older(self.layout):
            return f"an install of an older layout: {OLDER[self.layout]}"
        if self.manifest.version:
            return f"version {self.manifest.version}"
        return "one that was not finished" if self.layout else "nothing"


def installed(facts: HostFacts) -> InstalledRelease:
    """Raises MosaicError for what cannot be read."""
    there = _reader(facts)
    try:
        listed, hold = there(manifest.NAME), there(manifest.HOLD)
        known = manifest.read(listed.content) if listed is not None and listed.odd is None else Manifest()
        layout = layout_of(there, known)
        differs = ReseedProvider().would_change(_Files(), facts.mosaic_home)
    except ObserveError as error:
        raise MosaicError(str(error), help="the files of the framework must be yours and readable") from error
    return InstalledRelease(
        layout=layout,
        manifest=known,
        hold="" if hold is None else hold.content.strip().split("\n")[0] or "somebody asked for it",
        differs=differs,
    )


def make_way(facts: HostFacts, before: InstalledRelease, *, now: float) -> Snapshot | None:
    """Keep a snapshot of what a run is going to change, then let it: an older layout is marked as one that goes on from
    here, files of a newer version are taken for ours, and no hold stands any longer. None: nothing would change.

    Raises MosaicError. Killed at any point, the next call does the rest.
    """
    if before.layout > LAYOUT:
        raise Refused(
            f"the files are of a newer layout ({before.layout}) than this program knows ({LAYOUT})",
            help="install the newer version of the program, or `mosaic update --rollback`",
        )
    made = None
    if before.differs:
        made = snapshot(facts, before, f"before an update from {before.what}", now=now)
    path = Path(facts.mosaic_home, manifest.NAME)
    shipped = release().version
    if is_older(before.layout):
        _write(path, manifest.render(Manifest(layout=LAYOUT)))
    elif manifest.newer(before.manifest.version, shipped):
        _write(path, manifest.render(replace(before.manifest, version=shipped)))
    try:
        snapshots.forget_pending(snapshots.root_of(facts.state_home))
        files.delete(f"{facts.mosaic_home}/{manifest.HOLD}")
    except OSError as error:
        raise write_failure(Path(facts.mosaic_home), error) from error
    return made


def hold(facts: HostFacts, why: str) -> None:
    """From now on the framework's files stay as they are, until the next update."""
    _write(Path(facts.mosaic_home, manifest.HOLD), f"{why}\n")


def snapshot(
    facts: HostFacts, before: InstalledRelease, why: str, *, now: float, target: Snapshot | None = None
) -> Snapshot:
    """Of everything that is, or was, the framework's, and of what putting `target` back would change. Raises
    MosaicError."""
    paths = {*_ours(before), *(target.paths if target is not None else ())}
    root, back_to = snapshots.root_of(facts.state_home), target.name if target is not None else ""
    return snapshots.take(Path(facts.mosaic_home), root, paths, why, now=now, back_to=back_to)


def roll_back(facts: HostFacts, *, now: float) -> tuple[Snapshot, list[str]]:
    """Put the newest snapshot back; what is there now is kept as another one first, so that this can be taken back,
    too. The framework's files are then held as they are. Which snapshot, and what was changed. Raises MosaicError.

    What somebody has edited is kept beside, as by a reseed. What the framework does not own any more stays, if it is
    there: by now it is somebody's own."""
    root, home = snapshots.root_of(facts.state_home), Path(facts.mosaic_home)
    target = snapshots.newest(root)
    snapshots.begin(target, home, root)
    before = installed(facts)
    if snapshots.snapshots(root)[-1].back_to != target.name:  # else one that was killed has made it
        snapshot(facts, before, f"before going back to {target.name}", now=now, target=target)
    hold(facts, f"they were put back as of {target.made_at}")

    def leave(path: str) -> bool:
        there = os.path.lexists(home / path)
        if there and path not in _ours(before):
            return True
        if there and path != manifest.NAME:
            _set_aside(home, path, before)
        return False

    return target, snapshots.put_back(target, home, root, leave=leave)


def _ours(before: InstalledRelease) -> frozenset[str]:
    return frozenset((*release().files, *before.manifest.files, manifest.NAME))


def _set_aside(home: Path, path: str, before: InstalledRelease) -> None:
    """Give what is there a second name, unless the framework has put it there. Raises OSError, MosaicError."""
    is_link = (home / path).is_symlink()
    found = os.readlink(home / path).encode() if is_link else read_regular(home / path)
    shipped, known = release().files.get(path), before.manifest.files.get(path)
    if not is_link and (found == (shipped or "").encode() or (known and manifest.digest(found) == known.digest)):
        return
    for number in range(1, MOST_KEPT + 1):
        kept = home / f"{path}{KEPT}{'' if number == 1 else f'.{number}'}.bak"
        if is_link:
            if kept.is_symlink() and os.readlink(kept).encode() == found:
                return
            if not os.path.lexists(kept):
                kept.symlink_to(os.fsdecode(found))
                return
        elif not os.path.lexists(kept) or (kept.is_file() and not kept.is_symlink() and read_regular(kept) == found):
            files.keep(str(home / path), str(kept), manifest.digest(found))
            return
    raise MosaicError(f"{path} was edited, and {MOST_KEPT} copies of it are kept already", help="remove some of them")


class _Files:
    """The files as they are now: there is no look to be shared here."""

    def file(self, path: str) -> FileState | None:
        return files.state(path)


def _reader(facts: HostFacts) -> Callable[[str], FileState | None]:
    return lambda path: files.state(f"{facts.mosaic_home}/{path}")


def _write(path: Path, text: str) -> None:
    try:
        write_atomic(path, text, mode=_MODE)
    except OSError as error:
        raise write_failure(path, error) from error
