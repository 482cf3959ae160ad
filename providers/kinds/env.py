"""The launch environment of each agent: `$MOSAIC_HOME/fleet/agents/NAME.env`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from providers.base import Health, Kind, ObserveError, Present, Resource, ResourceKey, Verb, rest_of, unclear
from providers.evidence import FileEvidence
from providers.fields import MODE, ODD, TEXT, VARIABLES
from providers.launch import environment
from providers.launch.conversations import once_path, record_path
from providers.material import FileMaterial, writing

if TYPE_CHECKING:
    from providers.base import Action, Json
    from providers.host import FileState, HostFacts, Look
    from providers.steps import Step
    from specs.compiled import Agent, Fleet

_MODE = 0o600
_NAMED = frozenset({"ENV", "ENV_FROM", "ENV_FILE", "PROP", "ADD_ENV"})  # keys with a name in their value
_LISTED = frozenset({"ARG", "PATHDIR", "ADD_ARG", "ADD_TEXT", "?"})  # keys that may occur several times
_HIDDEN = "(set)"  # a file that was edited by hand may hold a secret
_EDITED = "(edited by hand)"


class DesiredOnce:
    """What `make` gives for each agent that is running or stopped and whose entry is good. One run asks several times,
    so it is made once for a fleet and its host."""

    def __init__(self, make: Callable[[Agent, Fleet, HostFacts], Resource]) -> None:
        self._make = make
        self._last: tuple[Fleet, HostFacts, tuple[Resource, ...]] | None = None

    def __call__(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        if self._last is None or self._last[0] is not fleet or self._last[1] != facts:
            wanted = (agent for agent in fleet.agents if agent.state != "absent" and agent.held is None)
            self._last = (fleet, facts, tuple(self._make(agent, fleet, facts) for agent in wanted))
        return self._last[2]


class EnvProvider:
    """One file for each agent that is running or stopped: somebody may start a stopped one by hand.

    An agent whose entry is held back is neither desired nor mentioned: its file stays as it is.
    """

    kind = Kind.ENV

    def __init__(self) -> None:
        self._desired = DesiredOnce(_resource)

    def desired(self, fleet: Fleet, facts: HostFacts) -> tuple[Resource, ...]:
        return self._desired(fleet, facts)

    def observe(self, look: Look, fleet: Fleet, facts: HostFacts) -> Mapping[ResourceKey, Present]:
        desired = {resource.key.name: resource for resource in self.desired(fleet, facts)}
        held = {agent.name for agent in fleet.agents if agent.held is not None}
        seen = {}
        names, rest = listed(look, self.kind, facts, ".env", desired)
        for name in names - held:
            key = ResourceKey(Kind.ENV, name)
            try:
                file = look.file(environment.env_path(name, facts))
            except ObserveError as error:
                seen[key] = unclear(key, name, str(error))
                continue
            if file is not None:  # None: it disappeared between the listing and the reading
                seen[key] = _present(key, file, desired.get(name), fleet.name)
        return seen | rest

    def steps(self, action: Action, facts: HostFacts) -> tuple[Step, ...]:
        from providers.steps import DeleteFile

        if action.verb is Verb.DELETE:
            # Its last heartbeat and its conversations go with it, or a later agent of that name would have them.
            name = action.key.name
            said = tuple(DeleteFile(path=f"{facts.run_dir}/{name}.{suffix}") for suffix in ("hb", "turn"))
            had = tuple(DeleteFile(path=path(name, facts)) for path in (record_path, once_path))
            return (*said, *had, DeleteFile(path=environment.env_path(name, facts)))
        return (writing(action),)

    def health(self, seen: Present) -> Health:
        return Health.HEALTHY if seen.ours else Health.UNKNOWN


def listed(
    look: Look, kind: Kind, facts: HostFacts, suffix: str, desired: Iterable[str]
) -> tuple[set[str], dict[ResourceKey, Present]]:
    """The agents with files in the folder of launch environments, and what could not be listed. If the folder itself
    cannot be listed, the wanted agents can still be looked at one by one."""
    try:
        entries = look.listing(facts.agents_dir)
    except ObserveError as error:
        key = rest_of(kind)
        return set(desired), {key: unclear(key, None, str(error))}
    size = len(suffix)
    return {entry[:-size] for entry in entries if entry.endswith(suffix) and len(entry) > size}, {}


def of_another_fleet(name: str, fleet: Fleet, look: Look, facts: HostFacts) -> bool:
    """Whether the agent of this name on this host is another fleet's: its launch environment says so. Units and scopes
    carry no mark of their own, and all fleets of a user share them. Raises ObserveError."""
    file = look.file(environment.env_path(name, facts))
    return file is not None and environment.generated_for(file.content) not in (None, fleet.name)


def _resource(agent: Agent, fleet: Fleet, facts: HostFacts) -> Resource:
    pairs = environment.env_pairs(agent, fleet, facts)
    variables = _variables(pairs)
    return Resource(
        key=ResourceKey(Kind.ENV, agent.name),
        agent=agent.name,
        fields={MODE: f"{_MODE:04o}", VARIABLES: variables},
        material=FileMaterial(
            path=environment.env_path(agent.name, facts),
            content=environment.render_pairs(agent, fleet, pairs),
            mode=_MODE,
            variables=variables,
        ),
    )


def _present(key: ResourceKey, file: FileState, desired: Resource | None, fleet: str) -> Present:
    if file.odd is not None:
        return Present(key=key, agent=key.name, ours=False, fields={ODD: file.odd}, evidence=FileEvidence(odd=file.odd))
    mode = f"{file.mode:04o}"
    known = FileMaterial.of(desired)
    if desired is not None and known is not None and file.content == known.content:
        fields = desired.fields if mode == desired.fields[MODE] else {**desired.fields, MODE: mode}
        return Present(key=key, agent=key.name, ours=True, fields=fields, evidence=FileEvidence(intact=True))
    pairs = environment.read_pairs(file.content)
    live = _variables(pairs)
    intact = environment.intact(pairs)
    wanted = known.variables if known is not None else {}
    shown = {name: _shown(value, wanted.get(name), intact=intact) for name, value in live.items()}
    fields = {MODE: mode, VARIABLES: shown}
    if shown == wanted:  # comments, or the order of lines
        fields[TEXT] = _EDITED
    ours = environment.generated_for(file.content) == fleet or environment.left_by_a_crash(
        file.content, known.content if known is not None else ""
    )
    return Present(key=key, agent=key.name, ours=ours, fields=fields, evidence=FileEvidence(intact=intact))


def _variables(pairs: tuple[environment.Pair, ...]) -> dict[str, Json]:
    """By name: `ENV NAME` for a variable, the key itself for the rest; a list for a key that may occur several
    times."""
    found: dict[str, Json] = {}
    lists: dict[str, list[Json]] = {}
    for key, value in pairs:
        if key in _NAMED:
            name, _, rest = value.partition("=")
            found[f"{key} {name}"] = rest
        elif key in _LISTED:
            found[key] = lists.setdefault(key, [])
            lists[key].append(value)
        else:
            found[key] = value
    return found


def _shown(value: Json, wanted: Json, *, intact: bool) -> Json:
    """A value as a diff may show it. All values of an intact file were in git; others may be anything."""
    if value == wanted or (intact and wanted is not None):
        return value
    return _HIDDEN if wanted is None else _EDITED
