"""The mission on a host: `$MOSAIC_HOME/fleet/NORTH_STAR.md`, equal to the mission of the commit in force.

People and agents read it. No agent waits for it and no change of it disturbs anyone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from providers.base import Health, Kind, Present, Resource, ResourceKey, Verb
from providers.evidence import FileEvidence
from providers.fields import CONTENT, MODE, ODD
from providers.launch import environment
from providers.material import FileMaterial, digest, writing
from specs.mission.projection import FILE, is_intact, is_projection

if TYPE_CHECKING:
    from providers.base import Action
    from providers.host import HostFacts, Look
    from providers.steps import Step
    from specs.compiled import Fleet

_MODE = 0o644


class ProjectionProvider:
    """One resource, named by its path, for a fleet that has a mission."""

    kind = Kind.PROJECTION

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        if not fleet.mission:
            return ()
        fields = {CONTENT: digest(fleet.mission), MODE: f"{_MODE:04o}"}
        key = _key(facts)
        material = FileMaterial(path=key.name, content=fleet.mission, mode=_MODE)
        return (Resource(key=key, agent=None, fields=fields, material=material),)

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        """A file that does not say that it was generated is somebody's own; an empty one is left by a full disk."""
        key = _key(facts)
        file = look.file(key.name)
        if file is None:
            return {}
        if file.odd is not None:
            return {key: Present(key=key, agent=None, ours=False, fields={ODD: file.odd})}
        ours = is_projection(file.content) or not file.content.strip()
        present = Present(
            key=key,
            agent=None,
            ours=ours and not _of_another_fleet(look, fleet, facts),
            fields={CONTENT: digest(file.content), MODE: f"{file.mode:04o}"},
            evidence=FileEvidence(intact=is_intact(file.content)),
        )
        return {key: present}

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        from providers.steps import DeleteFile

        del facts  # the path is the name of the resource
        if action.verb is Verb.DELETE:
            return (DeleteFile(path=action.key.name),)
        return (writing(action),)

    def health(self, seen: Present) -> Health:
        return Health.HEALTHY if seen.ours else Health.UNKNOWN


def _key(facts: HostFacts) -> ResourceKey:
    return ResourceKey(Kind.PROJECTION, f"{facts.mosaic_home}/fleet/{FILE}")


def _of_another_fleet(look: Look, fleet: Fleet, facts: HostFacts) -> bool:
    """The mission itself names no fleet; the holder's settings, which always exist, do."""
    holder = look.file(environment.holder_path(facts))
    return holder is not None and environment.generated_for(holder.content) not in (None, fleet.name)
