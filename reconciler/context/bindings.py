"""Bindings: which fleet a repository is, on this host.

The state folder is named after the fleet, and the repository contains the fleet's name. So the name is read once, from
the first commit seen, and kept: a later commit that changes it would make every session on the host look like somebody
else's, and is rejected instead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from providers.filesystem.guarded_read import read_regular
from providers.host import HostFacts
from reconciler.git.location import RepositoryLocation
from reconciler.helpers.atomic_files import parse_json, read_optional, write_cache
from specs.dataclass import dataclass, field

INDEX = "sources.json"
_VERSION = 2  # earlier versions of the file had only the names


@dataclass(frozen=True, slots=True)
class Bindings:
    """`names`: fleet names by the source's key (see `RepositoryLocation.key`). `repositories`: the location of each
    fleet's repository at its last run, by the fleet's name; none with credentials in its URL."""

    path: Path
    names: Mapping[str, str]
    repositories: Mapping[str, str] = field(default_factory=dict)

    def bind(self, place: RepositoryLocation, name: str) -> Bindings:
        """Save the name of a source, and its location; raises OSError."""
        where = self.repositories.get(name, "") if place.shown != place.url else place.url
        if self.names.get(place.key) == name and self.repositories.get(name, "") == where:
            return self
        names = {**self.names, place.key: name}
        repositories = {**self.repositories, name: where} if where else dict(self.repositories)
        document = {"version": _VERSION, "names": names, "repositories": repositories}
        write_cache(self.path, json.dumps(document, indent=1, sort_keys=True) + "\n")
        return Bindings(self.path, names, repositories)


def read_bindings(facts: HostFacts) -> Bindings:
    """The bindings of this host. Nothing in a damaged file is believed: then each fleet's own record of its source
    names its repository."""
    path = Path(facts.state_home, "mosaic", INDEX)
    raw: object = None
    with suppress(OSError, ValueError):
        data = read_optional(path)
        raw = parse_json(data) if data is not None else {}
    if not isinstance(raw, dict):
        return Bindings(path, _remembered(path.parent))
    if raw.get("version") != _VERSION:
        return Bindings(path, _strings(raw))
    return Bindings(path, _strings(raw.get("names")), _strings(raw.get("repositories")))


def _strings(raw: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in raw.items()} if isinstance(raw, dict) else {}


def _remembered(folder: Path) -> dict[str, str]:
    names = {}
    for record in sorted(folder.glob("*/source.json")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            names[str(parse_json(read_optional(record) or b"{}")["key"])] = record.parent.name
    return names


def must_be_alone(name: str, facts: HostFacts) -> None:
    """One user, one fleet: two would share units, the holder and the kill switch. Raises Refused for a second one while
    the first has agents here, before anything of it is written."""
    from providers.launch.environment import generated_for, holder_path
    from reconciler.errors import Refused
    from reconciler.state.store import Store

    try:
        owner = generated_for(read_regular(holder_path(facts)).decode())
    except (OSError, UnicodeDecodeError):
        return
    if owner in (None, name):
        return
    there = Store.open(facts, str(owner), read_only=True).load_inventory().agents
    if there:
        raise Refused(
            f'fleet "{owner}" runs here already, and fleet "{name}" would share its units and its tmux holder',
            help=f"give {name} a user of its own, or remove the {len(there)} agent(s) of {owner} from this host first",
        )
