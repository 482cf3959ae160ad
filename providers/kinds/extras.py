"""The files that an agent's launch adds: `$MOSAIC_HOME/fleet/agents/NAME.d/`, with what its program needs and its
contract.

A MANIFEST in that folder says whose the files are and what we last wrote. We own only the files that it lists or that
are wanted now; files that a program or a person has put there are not looked at and stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Health, Kind, ObserveError, Present, Resource, ResourceKey, Verb, unclear
from providers.evidence import FileEvidence
from providers.fields import CONTENT, MODE, ODD
from providers.kinds.env import DesiredOnce, listed, of_another_fleet
from providers.launch import additions, environment
from providers.launch.contract import compose, same_but_peers
from providers.material import NOTHING, FolderMaterial, digest

if TYPE_CHECKING:
    from providers.base import Action, Json
    from providers.host import FileState, HostFacts, Look
    from providers.steps import Step
    from specs.compiled import Agent, Fleet

MANIFEST = "MANIFEST"
_MODE = 0o600
_SUFFIX = ".d"
_INTACT = FileEvidence(intact=True)
_LINE = re.compile(r"(?P<digest>[0-9a-f]{12})  (?P<name>[A-Za-z0-9_][A-Za-z0-9_.-]*)")


class ExtrasProvider:
    """One resource for each agent that is running or stopped: its files, each by content and mode. They are read at a
    start, so a change of them disturbs no one."""

    kind = Kind.EXTRAS

    def __init__(self) -> None:
        self._desired = DesiredOnce(_resource)

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        return self._desired(fleet, facts)

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        desired = {resource.key.name: resource for resource in self.desired(fleet, facts)}
        held = {agent.name for agent in fleet.agents if agent.held is not None}
        found = {}
        names, rest = listed(look, self.kind, facts, _SUFFIX, desired)
        for name in names - held:
            try:
                present = _present(name, look, desired.get(name), fleet, facts)
            except ObserveError as error:
                present = unclear(ResourceKey(self.kind, name), name, str(error))
            if present is not None:
                found[present.key] = present
        return found | rest

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        """The manifest goes last, whether it is written or removed: until then, we own what it lists."""
        from providers.steps import DeleteFile, WriteFile

        folder = additions.folder(action.key.name, facts)
        live = action.present.fields if action.present is not None else {}
        wanted = action.desired.fields if action.desired is not None else {}
        if action.verb is Verb.DELETE:
            names = [*sorted(live.keys() - {MANIFEST}), MANIFEST]
            return tuple(DeleteFile(path=f"{folder}/{name}", folder=name == MANIFEST) for name in names)
        if (wanted_texts := FolderMaterial.of(action.desired)) is None:
            raise ValueError(f"{action.id}: nothing to write")
        texts = wanted_texts.texts
        writes = [name for name in [*sorted(wanted.keys() - {MANIFEST}), MANIFEST] if live.get(name) != wanted[name]]
        return (
            *(DeleteFile(path=f"{folder}/{name}") for name in sorted(live.keys() - wanted.keys())),
            *(WriteFile(path=f"{folder}/{name}", content=texts[name], mode=_MODE) for name in writes),
        )

    def health(self, seen: Present) -> Health:
        return Health.HEALTHY if seen.ours else Health.UNKNOWN


def _resource(agent: Agent, fleet: Fleet, facts: HostFacts) -> Resource:
    content = dict(additions.extra_of(agent, facts).files) | {additions.CONTRACT: compose(fleet, agent, facts)}
    lines = [f"{digest(text)}  {name}" for name, text in sorted(content.items())]
    if not all(_LINE.fullmatch(line) for line in lines):
        raise ValueError(f"{agent.runtime} adds a file to agent {agent.name} whose name is not a plain one")
    content[MANIFEST] = "\n".join([environment.mark(agent.name, fleet.name), *lines, ""])
    digests = {name: digest(text) for name, text in content.items()}
    return Resource(
        key=ResourceKey(Kind.EXTRAS, agent.name),
        agent=agent.name,
        fields={name: _field(digest, _MODE) for name, digest in digests.items()},
        material=FolderMaterial(texts=content, digests=digests),
    )


def _present(name: str, look: Look, desired: Resource | None, fleet: Fleet, facts: HostFacts) -> Present | None:
    """None: the folder holds nothing of ours."""
    folder = additions.folder(name, facts)
    key = ResourceKey(Kind.EXTRAS, name)
    place = look.file(folder)
    if place is not None and place.odd != "a folder":
        return Present(key=key, agent=name, ours=False, fields={ODD: place.odd or "a file"})
    manifest = look.file(f"{folder}/{MANIFEST}")
    wanted = FolderMaterial.of(desired) or NOTHING
    if (
        desired is not None
        and _is_wanted(manifest, wanted.texts[MANIFEST])
        and all(_is_wanted(look.file(f"{folder}/{one}"), text) for one, text in wanted.texts.items())
    ):  # the usual case: the manifest lists the wanted files, and they are there, so nothing else is left to compare
        return Present(key=key, agent=name, ours=True, fields=desired.fields, evidence=_INTACT)
    listed = _listed(manifest)
    names = {additions.CONTRACT, *listed, *(desired.fields if desired is not None else ())} - {MANIFEST}
    files = {MANIFEST: manifest, **{one: look.file(f"{folder}/{one}") for one in names}}
    there = {one: file for one, file in files.items() if file is not None}
    if not there:
        return None
    odd = {one: file.odd for one, file in there.items() if file.odd is not None}
    if odd:
        return Present(key=key, agent=name, ours=False, fields=odd)
    owner = environment.generated_for(manifest.content) if manifest is not None else None
    digests = {
        one: wanted.digests[one] if file.content == wanted.texts.get(one) else digest(file.content)
        for one, file in there.items()
    }
    intact = manifest is not None and set(listed) == there.keys() - {MANIFEST}
    intact = intact and all(listed[one] == digests[one] for one in listed)
    return Present(
        key=key,
        agent=name,
        ours=not of_another_fleet(name, fleet, look, facts) if owner is None else owner == fleet.name,
        fields={one: _field(digests[one], file.mode) for one, file in there.items()},
        evidence=FileEvidence(intact=intact, only_peers=_only_peers(there, desired)),
    )


def _is_wanted(file: FileState | None, text: str) -> bool:
    return file is not None and file.content == text and file.mode == _MODE and file.odd is None


def _only_peers(there: Mapping[str, FileState], desired: Resource | None) -> bool:
    """Whether the files are as wanted, but for what the contract says of the peers."""
    texts = (FolderMaterial.of(desired) or NOTHING).texts
    live, wanted = there.get(additions.CONTRACT), texts.get(additions.CONTRACT)
    if live is None or wanted is None or live.content == wanted or not same_but_peers(live.content, wanted):
        return False
    changed = {additions.CONTRACT, MANIFEST}
    return there.keys() == texts.keys() and all(there[one].content == texts[one] for one in texts.keys() - changed)


def _listed(manifest: FileState | None) -> dict[str, str]:
    """Digests by name, as the manifest lists them."""
    lines = manifest.content.split("\n") if manifest is not None and manifest.odd is None else []
    return {found["name"]: found["digest"] for line in lines if (found := _LINE.fullmatch(line)) is not None}


def _field(digest: str, mode: int) -> Json:
    return {CONTENT: digest, MODE: f"{mode:04o}"}
