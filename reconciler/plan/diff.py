"""The diff: compare desired with observed by the truth table of the architecture page. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from providers.base import FieldChange, Json, Kind, Parsed, Present, Resource, ResourceKey
from reconciler.model import Change, Inventory, Observation, Verdict
from specs.compiled import Fleet

OBSERVED_ONLY = (Kind.HEARTBEAT, Kind.PLACE)


def diff(
    desired: Iterable[Resource], observation: Observation, inventory: Inventory, fleet: Fleet
) -> tuple[Change, ...]:
    """Every thing that needs a change, sorted by key. What is right, or not ours, is left out. A thing that we own and
    that is no longer declared is a DELETE."""
    wanted = {resource.key: resource for resource in desired}
    held = {agent.name for agent in fleet.agents if agent.held is not None}
    found = [
        _one(want, observation.present.get(key), key, observation, inventory, fleet) for key, want in wanted.items()
    ]
    for key in observation.present.keys() - wanted.keys():
        seen = observation.present[key]
        if seen.agent not in held:  # their entry is wrong: what they should be is unknown, so they stay as they are
            found.append(_one(None, seen, key, observation, inventory, fleet))
    # A healthy host has thousands of things and no change, so the changes are sorted, and not the things.
    return tuple(sorted((change for change in found if change is not None), key=lambda change: change.key))


def _one(
    want: Resource | None,
    seen: Present | None,
    key: ResourceKey,
    observation: Observation,
    inventory: Inventory,
    fleet: Fleet,
) -> Change | None:
    agent = want.agent if want is not None else seen.agent if seen is not None else None
    if why := observation.hidden(key):
        return Change(verdict=Verdict.HOLD, key=key, agent=agent, desired=want, present=None, fields=(), why=why)
    if want is None:
        if seen is None or key.kind in OBSERVED_ONLY or not _owned(seen, inventory, fleet):
            return None
        fields = tuple(FieldChange(path=p, live=v, desired=None) for p, v in _leaves("", seen.fields))
        return Change(verdict=Verdict.DELETE, key=key, agent=agent, desired=None, present=seen, fields=fields)
    if seen is None:
        fields = tuple(FieldChange(path=p, live=None, desired=v) for p, v in _leaves("", want.fields))
        return Change(verdict=Verdict.CREATE, key=key, agent=agent, desired=want, present=None, fields=fields)
    if not seen.ours:
        return Change(verdict=Verdict.CONFLICT, key=key, agent=agent, desired=want, present=seen, fields=())
    if seen.fields == want.fields:
        return None
    fields = field_changes(seen.fields, want.fields)
    return Change(verdict=Verdict.UPDATE, key=key, agent=agent, desired=want, present=seen, fields=fields)


def _owned(seen: Present, inventory: Inventory, fleet: Fleet) -> bool:
    """Whether we may delete it: it carries our mark, and this host's inventory or a declaration in git lists it."""
    if not seen.ours:
        return False
    if seen.key.kind in (Kind.FRAMEWORK, Kind.PROJECTION):
        return seen.key.name in inventory.files
    if seen.key.kind is Kind.RESPONDER:
        return True
    if seen.agent is None:
        return False
    return seen.agent in inventory.agents or any(agent.name == seen.agent for agent in fleet.agents)


def field_changes(live: Mapping[str, Json], desired: Mapping[str, Json]) -> tuple[FieldChange, ...]:
    """The fields that differ, by dotted path, sorted. Call it only for things that do differ: importing DeepDiff costs
    more than a whole run that finds nothing to do, and asking it a hundred times as much as comparing single values."""
    found: dict[str, FieldChange] = {}
    if _compared("", live, desired, found):
        return tuple(found[path] for path in sorted(found))
    from deepdiff import DeepDiff

    found.clear()
    tree = DeepDiff(dict(live), dict(desired), view="tree", verbose_level=0, threshold_to_diff_deeper=0)
    for changes in tree.values():
        for change in changes:
            path = ".".join(str(part) for part in change.path(output_format="list"))
            found[path] = FieldChange(path=path, live=_plain(change.t1), desired=_plain(change.t2))
    return tuple(found[path] for path in sorted(found))


def _compared(
    prefix: str, live: Mapping[str, Json], desired: Mapping[str, Json], found: dict[str, FieldChange]
) -> bool:
    """Fill `found` if both have the same names and differ in single values of one type only; otherwise False."""
    if live.keys() != desired.keys():
        return False
    for name, one in live.items():
        other = desired[name]
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            if not _compared(f"{prefix}{name}.", one, other, found):
                return False
        elif not (type(one) is type(other) and isinstance(one, str | bool | int)):
            if one is not other:
                return False
        elif one != other:
            found[f"{prefix}{name}"] = FieldChange(path=f"{prefix}{name}", live=one, desired=other)
    return True


def _plain(value: Parsed) -> Json:
    """Convert a value of DeepDiff: a part of what it was given, or its mark for a missing one."""
    gone = type(value).__name__ == "NotPresent"
    return None if gone else cast("Json", value)


def _leaves(prefix: str, fields: Mapping[str, Json]) -> list[tuple[str, Json]]:
    leaves: list[tuple[str, Json]] = []
    for name in sorted(fields):
        value = fields[name]
        if isinstance(value, Mapping):
            leaves.extend(_leaves(f"{prefix}{name}.", value))
        else:
            leaves.append((f"{prefix}{name}", value))
    return leaves
