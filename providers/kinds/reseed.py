"""The framework files in `$MOSAIC_HOME`: as the installed version ships them, without losing the operator's own.

A file is outdated if it still is what the manifest says was installed: then it is overwritten. Any other file that
differs is somebody's edit: a copy is kept beside the new file first, and a text added at the end of a file with an
overlay becomes that overlay. A file that the version no longer ships is removed unless somebody has edited it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from providers.base import Health, HeldReason, Kind, ObserveError, Present, Resource, ResourceKey
from providers.evidence import NO_RESEED, ReseedEvidence
from providers.fields import VERSION
from providers.host import Overlay
from providers.launch.contract import plain
from providers.material import FolderMaterial
from providers.shipped import manifest
from providers.shipped.layouts import is_older, layout_of
from providers.shipped.manifest import Manifest
from providers.shipped.release import LAYOUT, Release, release
from specs.dataclass import dataclass, field, replace

if TYPE_CHECKING:
    from providers.base import Action, Json
    from providers.host import FileState, HostFacts, Look
    from providers.steps import Step
    from specs.compiled import Fleet

KEY = ResourceKey(Kind.RESEED, "framework")
KEPT = ".pre-constitution"
MOST_KEPT = 99  # copies of one file; an operator with that many should find out what edits it
# Operators add to these in a file of its own, which no upgrade touches and every agent is given.
OVERLAYS = {"STANDARDS.md": "STANDARDS.local.md"}
_MODE = 0o644
_PRIVATE = 0o600  # the operator's texts, and our own notes
_SEEDED = "the operator's"


@dataclass(slots=True)
class _Seen:
    """The result of one look. `fields` has the same keys as the resource's; see `_Sorter` for the rest."""

    fields: dict[str, Json] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)  # of the files that may be overwritten or removed
    kept: dict[str, str] = field(default_factory=dict)  # edited by hand: where each is kept
    moved: dict[str, str] = field(default_factory=dict)  # the text that goes into its overlay
    blocked: dict[str, str] = field(default_factory=dict)  # something else is in its place, or it could not be read
    unread: list[str] = field(default_factory=list)  # those that could not be read


class ReseedFiles(Protocol):
    """The part of a look that this module needs."""

    def file(self, path: str) -> FileState | None: ...


class ReseedProvider:
    """All files are one resource, with a field for each."""

    kind = Kind.RESEED

    def __init__(self, shipped: Release | None = None) -> None:
        self._shipped = shipped
        self._order: list[str] = []
        self._made: tuple[Release, Manifest, str, Resource] | None = None

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        del fleet, facts  # the same on every host of every fleet
        return (self._make()[3],)

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        del fleet
        return self.read(look, facts.mosaic_home)

    def would_change(self, look: ReseedFiles, home: str) -> bool:
        """Whether a run would write anything, judged by the files alone. Somebody else's file in the place of one of
        ours is left alone, and so changes nothing. Raises ObserveError."""
        seen = self.read(look, home).get(KEY)
        return seen is None or (seen.ours and dict(seen.fields) != dict(self._make()[3].fields))

    def read(self, look: ReseedFiles, home: str) -> Mapping[ResourceKey, Present]:
        """`observe`, for a caller that has files and no look. Raises ObserveError."""
        shipped, wanted, text, resource = self._make()
        listed = look.file(f"{home}/{manifest.NAME}")
        if listed is not None and listed.odd is not None:
            return {KEY: Present(key=KEY, agent=None, ours=False, fields={manifest.NAME: listed.odd})}
        asis = listed is not None and listed.content == text
        known = wanted if asis else manifest.read(listed.content) if listed is not None else Manifest()
        seen = _Seen()
        if listed is not None:
            seen.fields[manifest.NAME] = resource.fields[manifest.NAME] if asis else known.version or "damaged"
            seen.fields[VERSION] = known.version
        sorter = _Sorter(look, home, shipped, known, resource, seen)
        for path in self._order:
            sorter.file(path)
        for path in sorted(known.files.keys() - shipped.files.keys()):
            sorter.obsolete(path)
        for path in shipped.seeds:
            sorter.seed(path)
        held = _held(look, home, known, shipped.version)
        if not seen.fields and held is None:
            return {}
        evidence = ReseedEvidence(
            digests=seen.digests,
            kept=seen.kept,
            moved=seen.moved,
            blocked=seen.blocked,
            unread=frozenset(seen.unread),
            held=held,
            drift=bool(seen.kept or seen.moved) or known.version == shipped.version,
        )
        return {KEY: Present(key=KEY, agent=None, ours=True, fields=seen.fields, evidence=evidence)}

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        """The manifest goes last: until then, the old one says whose each file is. If there is none, one that lists
        nothing goes first, so that the files of a killed run are not taken for an install from before manifests."""
        from providers.steps import DeleteFile, KeepFile, WriteFile

        material = FolderMaterial.of(action.desired)
        if action.desired is None or material is None:
            raise ValueError(f"{action.id}: nothing to write")
        home, content = facts.mosaic_home, material.texts
        wanted = action.desired.fields
        live = action.present.fields if action.present is not None else {}
        seen = ReseedEvidence.of(action.present) or NO_RESEED
        digests, kept = seen.digests, seen.kept
        target = f"{home}/{manifest.NAME}"
        begun = manifest.render(Manifest(layout=LAYOUT))
        steps: list[Step] = []
        if manifest.NAME not in live:
            steps.append(WriteFile(path=target, content=begun, mode=_PRIVATE, known=()))
        for path in sorted(content.keys() - {manifest.NAME}):
            if live.get(path) == wanted[path]:
                continue
            target, known = f"{home}/{path}", (digests[path],) if path in digests else ()
            if path in kept:
                steps.append(KeepFile(path=target, kept=f"{home}/{kept[path]}", digest=digests[path]))
            if path in seen.moved:
                overlay = f"{home}/{OVERLAYS[path]}"
                steps.append(WriteFile(path=overlay, content=seen.moved[path], mode=_PRIVATE, known=()))
            mode = _PRIVATE if wanted[path] == _SEEDED else _MODE
            steps.append(WriteFile(path=target, content=content[path], mode=mode, known=known))
        for path in sorted(live.keys() - wanted.keys()):
            folder = path.startswith("runtime/")
            steps.append(DeleteFile(path=f"{home}/{path}", folder=folder, known=(digests[path],)))
        if live.get(manifest.NAME) != wanted[manifest.NAME]:
            steps.append(WriteFile(path=f"{home}/{manifest.NAME}", content=content[manifest.NAME], mode=_PRIVATE))
        return tuple(steps)

    def health(self, seen: Present) -> Health:
        return Health.HEALTHY if seen.ours else Health.UNKNOWN

    def _make(self) -> tuple[Release, Manifest, str, Resource]:
        if self._made is None:
            shipped = self._shipped or release()
            wanted = manifest.of_release(shipped)
            text = manifest.render(wanted)
            fields: dict[str, Json] = {path: one.digest[:12] for path, one in wanted.files.items()}
            fields |= dict.fromkeys(shipped.seeds, _SEEDED)
            fields |= {manifest.NAME: manifest.digest(text.encode())[:12], VERSION: shipped.version}
            content = {**shipped.files, **shipped.seeds, manifest.NAME: text}
            material = FolderMaterial(texts=content)
            self._order = sorted(shipped.files)
            self._made = (shipped, wanted, text, Resource(key=KEY, agent=None, fields=fields, material=material))
        return self._made


def facts_after(facts: HostFacts, seen: Present | None) -> HostFacts:
    """The facts as they will be once the files of `seen` are put back, with the resulting overlays. So a text composed
    of overlays is right in the same run, and its preview shows it."""
    reseed = ReseedEvidence.of(seen)
    if seen is None or not seen.ours or reseed is None or reseed.held is not None or not reseed.moved:
        return facts
    there = {one.name for one in facts.overlays}
    new = {OVERLAYS[path]: text for path, text in sorted(reseed.moved.items())}
    made = (Overlay(name=name, text=plain(text)) for name, text in new.items() if name not in there)
    return replace(facts, overlays=(*facts.overlays, *made))


class _Sorter:
    """Records in `seen` what each file is. Reads no file twice, and checks of a folder only that it is one."""

    def __init__(
        self, look: ReseedFiles, home: str, shipped: Release, known: Manifest, wanted: Resource, seen: _Seen
    ) -> None:
        self._look, self._home, self._shipped, self._known = look, home, shipped, known
        self._wanted, self._seen = wanted.fields, seen
        self._folders: dict[str, str | None] = {}

    def file(self, path: str) -> None:
        state, odd = self._state(path)
        if odd is not None:
            self._block(path, odd)
        elif state is not None and state.content == self._shipped.files[path] and state.raw is None:
            same = state.mode == _MODE
            self._seen.fields[path] = self._wanted[path] if same else f"mode {state.mode:04o}"
        elif state is not None:
            self._differs(path, state)

    def obsolete(self, path: str) -> None:
        """If it was edited, it is left to its owner: it stays, and the new manifest does not name it."""
        state, odd = self._state(path)
        if odd is None and state is not None and (found := manifest.digest(_bytes(state))) == self._installed(path):
            self._seen.fields[path], self._seen.digests[path] = found[:12], found

    def seed(self, path: str) -> None:
        """Whatever is there is the operator's; so is its absence, once it was there."""
        state, odd = self._file(path)
        if path in self._known.seeded or state is not None or odd is not None:
            self._seen.fields[path] = self._wanted[path]

    def _differs(self, path: str, state: FileState) -> None:
        found = manifest.digest(_bytes(state))
        if found == self._installed(path):
            self._seen.fields[path] = found[:12]
        elif (added := self._added(path, state)) is not None:
            self._seen.moved[path] = added
            self._seen.fields[path] = f"{found[:12]}: added to by hand; what was added goes to {OVERLAYS[path]}"
        elif (kept := self._kept(path, found)) is not None:
            self._seen.kept[path] = kept
            self._seen.fields[path] = f"{found[:12]}: edited by hand; kept as {kept}"
        else:
            self._block(path, f"edited by hand again, and {MOST_KEPT} copies of it are kept already")
            return
        self._seen.digests[path] = found

    def _added(self, path: str, state: FileState) -> str | None:
        """The text added at the end of a file with an overlay, if the overlay does not exist or has that text
        already."""
        installed = self._known.files.get(path)
        if path not in OVERLAYS or installed is None or state.raw is not None:
            return None
        data = _bytes(state)
        if len(data) <= installed.size or manifest.digest(data[: installed.size]) != installed.digest:
            return None
        added = data[installed.size :].decode()
        overlay, odd = self._file(OVERLAYS[path])
        free = odd is None and (overlay is None or _bytes(overlay) == added.encode())
        return added if free else None

    def _kept(self, path: str, found: str) -> str | None:
        """The first name that is free, or that already holds exactly this content."""
        for number in range(1, MOST_KEPT + 1):
            name = f"{path}{KEPT}{'' if number == 1 else f'.{number}'}.bak"
            there, odd = self._file(name)
            if odd is None and (there is None or manifest.digest(_bytes(there)) == found):
                return name
        return None

    def _installed(self, path: str) -> str:
        one = self._known.files.get(path)
        return one.digest if one is not None else ""

    def _block(self, path: str, why: str) -> None:
        self._seen.blocked[path] = why
        self._seen.fields[path] = self._wanted[path]  # held by name, so no reason to try anything

    def _state(self, path: str) -> tuple[FileState | None, str | None]:
        """The file, or why it may not be touched: we do not follow a link in place of one of our folders."""
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth])
            if folder not in self._folders:
                there, odd = self._file(folder)
                odd = None if odd == "a folder" else "a file" if there is not None and odd is None else odd
                unread = folder in self._seen.unread
                self._folders[folder] = odd if unread else odd and f"its folder {folder} is {odd}"
            if self._folders[folder] is not None:
                if folder in self._seen.unread:
                    self._seen.unread.append(path)
                return None, self._folders[folder]
        return self._file(path)

    def _file(self, path: str) -> tuple[FileState | None, str | None]:
        """The file, or why it is not a regular file that can be read."""
        try:
            state = self._look.file(f"{self._home}/{path}")
        except ObserveError as error:
            self._seen.unread.append(path)
            return None, str(error)
        return state, state.odd if state is not None else None


def _held(look: ReseedFiles, home: str, known: Manifest, shipped: str) -> tuple[HeldReason, str] | None:
    """Why none of the files may be touched now, with the reason of the closed list."""
    hold = look.file(f"{home}/{manifest.HOLD}")
    if hold is not None:
        why = hold.content.strip().split("\n")[0] or "somebody asked for it"
        return HeldReason.SUSPENDED, f"{why}; `mosaic update` lets it continue"
    layout = layout_of(lambda path: look.file(f"{home}/{path}"), known)
    if layout > LAYOUT or manifest.newer(known.version, shipped):
        message = f"the files are of version {known.version}, and this program is {shipped}: install the newer one"
        return HeldReason.DEPENDENCY, f"{message}, or go back to this one with `mosaic update`"
    if is_older(layout):
        message = "an install of an older layout is there: `mosaic update` keeps a snapshot, then brings it up to date"
        return HeldReason.DEPENDENCY, message
    return None


def _bytes(state: FileState) -> bytes:
    return state.raw if state.raw is not None else state.content.encode()
