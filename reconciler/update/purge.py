"""Purge: everything that Mosaic Fleet has put on this host for this user, and how to remove it.

Nothing of the operator's goes: not the fleet's repository, no text that somebody has written or edited, no settings of
other programs. And no conversation: while an agent lives, nothing is taken away at all.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.filesystem import files
from providers.kinds.framework import MARK, RECONCILER_UNITS, UNITS
from providers.kinds.reseed import KEPT, OVERLAYS
from providers.launch.environment import holder_path, read_pairs
from providers.names import HOLDER_UNIT, agent_of_scope, agent_of_unit
from providers.shipped import manifest
from providers.shipped.manifest import Manifest
from providers.shipped.release import release
from reconciler.errors import MosaicError, Refused, Unavailable
from reconciler.loop import host_guard
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.host import HostFacts, Look

SLICES = ("mosaic-panes.slice", "mosaic.slice")
_OWN = ("tmux.conf",)  # of `$MOSAIC_HOME/fleet`: what an operator may have written
_ENDED = ("inactive", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Purge:
    """`units` are loaded or enabled, and are stopped and disabled; `slices` only stopped. `links`, `files` and whole
    `folders` are removed (paths, sorted); `left` are paths of the operator's, with what each is."""

    units: tuple[str, ...]
    slices: tuple[str, ...]
    links: tuple[str, ...]
    files: tuple[str, ...]
    folders: tuple[str, ...]
    left: tuple[tuple[str, str], ...]

    @property
    def empty(self) -> bool:
        return not (self.units or self.slices or self.links or self.files or self.folders)


def sockets_of(facts: HostFacts) -> tuple[str, ...]:
    """The tmux servers that the holder holds here; none if it was never set up. Raises MosaicError."""
    try:
        state = files.state(holder_path(facts))
    except ObserveError as error:
        raise MosaicError(str(error), help="make it readable, then try again") from error
    pairs = read_pairs(state.content) if state is not None else ()
    return tuple(dict.fromkeys(value for key, value in pairs if key == "MOSAIC_TMUX_SOCKET"))


def must_be_quiet(look: Look, sockets: Iterable[str]) -> None:
    """Raises Refused while an agent lives here, and Unavailable if that cannot be seen."""
    try:
        alive = sorted(_alive(look, sockets))
    except ObserveError as error:
        text = f"whether an agent lives here cannot be seen, so nothing is removed: {error}"
        raise Unavailable(text, help="mosaic doctor says what is wrong") from error
    if alive:
        names = " ".join(alive)
        raise Refused(
            f"{len(alive)} agent(s) run here, and a purge ends no conversation: {', '.join(alive)}",
            help=f"mosaic fleet stop {names}; when `mosaic fleet ps` shows them as stopped, do this again",
        )


def inspect(facts: HostFacts, look: Look) -> Purge:
    """What there is to be taken away, and what is left. Raises MosaicError for what cannot be read."""
    try:
        loaded = sorted(look.units())
        units = [unit for unit in loaded if not unit.endswith((".slice", ".scope"))]
        links = list(_links(facts))
        ours, theirs = _unit_files(facts, look)
        own, left = _home(facts)
    except ObserveError as error:
        raise Unavailable(str(error), help="mosaic doctor says what is wrong") from error
    except OSError as error:
        text = f"{error.filename} cannot be read: {error.strerror}"
        raise MosaicError(text, help="make it yours and readable") from error
    settings = [Path(facts.config_home, "mosaic", name) for name in ("reconcile.toml", host_guard.FILE)]
    trees = [
        Path(facts.config_home, "mosaic", "ledger"),
        Path(facts.state_home, "mosaic"),
        Path(facts.runtime_dir, "mosaic"),
    ]
    linked = {os.path.basename(link) for link in links}
    return Purge(
        units=tuple(sorted({*units, *linked})),
        slices=SLICES if any(unit.endswith((".slice", ".scope")) for unit in loaded) or units else (),
        links=tuple(links),
        files=tuple(sorted([*ours, *own, *(str(path) for path in settings if os.path.lexists(path))])),
        folders=tuple(str(path) for path in trees if os.path.lexists(path)),
        left=tuple(sorted([*theirs, *left])),
    )


def take_away(found: Purge, facts: HostFacts) -> None:
    """Remove the links, files and folders, and every folder of ours that is empty then. Never follows a link. Raises
    MosaicError with the path; what is gone by then is gone, and the next call does the rest."""
    home = Path(facts.mosaic_home)
    try:
        for path in (*found.links, *found.files):
            files.delete(path)
        for tree in found.folders:
            _remove_tree(Path(tree))
        for folder in sorted({Path(path).parent for path in (*found.links, *found.files)}, reverse=True):
            _remove_empty(folder, until={home.parent, Path(facts.unit_dir).parent})
    except OSError as error:
        text = f"{error.filename} cannot be removed: {error.strerror}"
        raise MosaicError(text, help="fix that, then run it again") from error


def _alive(look: Look, sockets: Iterable[str]) -> Iterator[str]:
    names = set()
    for unit, state in look.units().items():
        agent = agent_of_scope(unit)
        if agent is not None and state.active not in _ENDED:
            names.add(agent)
    for socket in sockets:
        server = look.tmux(socket)
        if server.state == "lost":
            raise ObserveError(f"the tmux server {server.pid} has lost its socket")
        names |= {pane.mark for pane in server.panes if pane.mark and not pane.dead}
    yield from names


def _links(facts: HostFacts) -> Iterator[str]:
    """What makes units of ours start, in the user's own unit folder."""
    for folder in ("default.target.wants", "timers.target.wants"):
        with suppress(FileNotFoundError):
            for name in sorted(os.listdir(f"{facts.unit_dir}/{folder}")):
                path = f"{facts.unit_dir}/{folder}/{name}"
                known = name in (*UNITS, *RECONCILER_UNITS["timer"], *RECONCILER_UNITS["watch"])
                if os.path.islink(path) and (known or agent_of_unit(name) is not None):
                    yield path


def _unit_files(facts: HostFacts, look: Look) -> tuple[list[str], list[tuple[str, str]]]:
    names = sorted({*UNITS, *RECONCILER_UNITS["timer"], *RECONCILER_UNITS["watch"]})
    ours, theirs = [], []
    for name in names:
        path = f"{facts.unit_dir}/{name}"
        state = look.file(path)
        if state is None:
            continue
        if state.odd is None and (MARK in state.content[:400] or not state.content.strip("\0 \n")):
            ours.append(path)
        else:
            theirs.append((path, "a unit that somebody else has put there"))
    return ours, theirs


def _home(facts: HostFacts) -> tuple[list[str], list[tuple[str, str]]]:
    """Files of `$MOSAIC_HOME`: those that are ours as they are, and those that somebody has written or edited."""
    home, shipped = facts.mosaic_home, release()
    ours: list[str] = []
    left: list[tuple[str, str]] = []
    for path in _walk(Path(home, "fleet")):
        name = os.path.relpath(path, f"{home}/fleet")
        if name in _OWN:
            left.append((path, "your settings of the fleet's tmux server"))
        else:
            ours.append(path)
    listed = files.state(f"{home}/{manifest.NAME}")
    known = manifest.read(listed.content) if listed is not None and listed.odd is None else Manifest()
    if listed is not None:
        ours.append(f"{home}/{manifest.NAME}")
    if os.path.lexists(f"{home}/{manifest.HOLD}"):
        ours.append(f"{home}/{manifest.HOLD}")
    for name in sorted({*known.files, *shipped.files}):
        installed = {known.files[name].digest} if name in known.files else set()
        if name in shipped.files:
            installed.add(manifest.digest(shipped.files[name].encode()))
        _sort(f"{home}/{name}", installed, ours, left, "edited by hand")
    for name, text in shipped.seeds.items():
        _sort(f"{home}/{name}", {manifest.digest(text.encode())}, ours, left, "yours")
    copies = [path for path in _walk(Path(home)) if KEPT in os.path.basename(path)]
    left += [(path, "a copy of what you had written into a file of the framework") for path in copies]
    for name in sorted({*OVERLAYS.values(), "SOUL.local.md", "USER.local.md"} - shipped.seeds.keys()):
        _sort(f"{home}/{name}", set(), ours, left, "yours")
    return ours, left


def _sort(path: str, digests: set[str], ours: list[str], left: list[tuple[str, str]], what: str) -> None:
    state = files.state(path)
    if state is None:
        return
    data = state.raw if state.raw is not None else state.content.encode()
    if state.odd is None and manifest.digest(data) in digests:
        ours.append(path)
    else:
        left.append((path, what if state.odd is None else f"{state.odd} that somebody has put there"))


def _walk(root: Path) -> Iterator[str]:
    """Everything below that is not a folder; links are not followed."""
    if not root.is_dir() or root.is_symlink():
        return
    for folder, folders, names in os.walk(root, onerror=_raise):
        yield from (os.path.join(folder, name) for name in sorted(names))
        yield from (os.path.join(folder, name) for name in folders if os.path.islink(os.path.join(folder, name)))


def _raise(error: OSError) -> None:
    raise error


def _remove_tree(root: Path) -> None:
    import shutil

    try:
        mode = root.lstat().st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        shutil.rmtree(root)
    else:
        root.unlink()


def _remove_empty(folder: Path, *, until: set[Path]) -> None:
    """This folder and those above it, as far as they are empty, below one of `until`."""
    while folder not in until and any(top in folder.parents for top in until):
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        folder = folder.parent


def order_of_end(units: Sequence[str]) -> list[str]:
    """What wakes the reconciler goes first, the holder last: until then it is what agents would be started by."""
    waking = {name for group in RECONCILER_UNITS.values() for name in group}
    return sorted(units, key=lambda unit: (unit == HOLDER_UNIT, unit not in waking, unit))
