"""Convert state to JSON and back, with strict types, so that a damaged file is noticed and not believed. Pure.

A state file is one JSON object of two lines: a head (format number, checksum) and the body. The checksum covers the
body as written, so a file that was cut short, mixed up or edited is recognised as damaged before it is parsed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from providers.base import Json, Parsed
from providers.evidence import KeptTrouble
from reconciler.helpers.sealed_json import Damaged
from reconciler.model import AgentHistory, History, Inventory, Owned
from specs.compiled import Suspension


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_times(value: object) -> bool:
    return type(value) is list and all(_is_time(item) for item in value)


def _is_trouble(value: object) -> bool:
    """As `KeptTrouble` is written: a list, by older versions without its last field."""
    fields = len(KeptTrouble._fields)
    if type(value) is not list or len(value) not in (fields - 1, fields):
        return False
    kind, since, life, until, until_at, reported, session, *over = value
    texts = all(map(_is_text, (kind, life, until, session)))
    return texts and all(map(_is_time, (since, until_at, *over))) and type(reported) is bool


FieldCheck = Callable[[object], bool]

_AGENT_HISTORY: Mapping[str, FieldCheck] = {
    "launch_digest": _is_text,
    "attempts": _is_count,
    "delay": _is_time,
    "last_start": _is_time,
    "starts": _is_times,
    "quarantined_since": _is_time,
    "healthy_since": _is_time,
    "waiting_since": _is_time,
    "restarts": _is_count,
    "in_sync_since": _is_time,
    "relaunch_pid": _is_count,
    "relaunch_started": _is_time,
    "resumed_pid": _is_count,
    "resumed_started": _is_time,
    "mission_since": _is_time,
    "mission_told": _is_text,
    "mission_reset": _is_text,
    "losses_let": _is_text,
    "forced_pid": _is_count,
    "forced_started": _is_time,
    "forced_for": _is_text,
    "forced_by": _is_text,
    "forced_from": _is_text,
    "trouble": _is_trouble,
    "limit_nudged": _is_text,
}
_HISTORY: Mapping[str, FieldCheck] = {
    "agents": lambda value: type(value) is dict,
    "heals": _is_times,
    "holder_release": _is_text,
    "clock_offset": _is_time,
    "clock_boot": _is_text,
    "clock_set_at": _is_time,
    "reload_due": lambda value: type(value) is bool,
    "unit_files": _is_text,
}
_OWNED: Mapping[str, FieldCheck] = {
    "agent_class": _is_text,
    "socket": _is_text,
    "launch_digest": _is_text,
    "launch": lambda value: type(value) is dict,
    "depends_on": lambda value: type(value) is list and all(type(item) is str for item in value),
}
_INVENTORY: Mapping[str, FieldCheck] = {
    "agents": lambda value: type(value) is dict,
    "files": lambda value: type(value) is list and all(type(item) is str for item in value),
    "floor": lambda value: value in ("two-agent", "none"),
}
_SUSPENSION: Mapping[str, FieldCheck] = {
    "reason": _is_text,
    "by": _is_text,
    "until": lambda value: value is None or _is_time(value),
}


def _checked(raw: object, checks: Mapping[str, FieldCheck], what: str) -> dict[str, Parsed]:
    """The known fields of an object; a missing field takes its default, a newer version's field is ignored."""
    if type(raw) is not dict:
        raise Damaged(f"{what} is not an object")
    known = {name: raw[name] for name in checks if name in raw}
    for name, value in known.items():
        if not checks[name](value):
            raise Damaged(f"{what}: {name} makes no sense")
    return known


def history_to_json(history: History) -> dict[str, Json]:
    """Fields that have their default are left out: most agents never had trouble."""
    return {
        "agents": {name: _fields(agent, _AGENT_HISTORY, _CALM) for name, agent in history.agents.items()},
        "heals": list(history.heals),
        "holder_release": history.holder_release,
        "clock_offset": history.clock_offset,
        "clock_boot": history.clock_boot,
        "clock_set_at": history.clock_set_at,
        "reload_due": history.reload_due,
        "unit_files": history.unit_files,
    }


_CALM = AgentHistory()


def _fields(value: object, names: Mapping[str, FieldCheck], default: object) -> dict[str, Json]:
    pairs = ((name, getattr(value, name), getattr(default, name)) for name in names)
    return {name: item for name, item, usual in pairs if item != usual}


def history_from_json(raw: object) -> History:
    """Raises Damaged."""
    top = _checked(raw, _HISTORY, "history")
    agents = {}
    for name, one in top.get("agents", {}).items():
        fields = _checked(one, _AGENT_HISTORY, f"history of {name}")
        if "starts" in fields:
            fields["starts"] = tuple(fields["starts"])
        if "trouble" in fields:
            fields["trouble"] = KeptTrouble(*fields["trouble"])
        agents[name] = AgentHistory(**fields)
    return History(**{**top, "agents": agents, "heals": tuple(top.get("heals", ()))})


def inventory_to_json(inventory: Inventory) -> dict[str, Json]:
    """Files are sorted: the same inventory gives the same bytes."""
    return {
        "agents": {
            name: {
                "agent_class": owned.agent_class,
                "socket": owned.socket,
                "launch_digest": owned.launch_digest,
                "launch": dict(owned.launch),
                "depends_on": list(owned.depends_on),
            }
            for name, owned in inventory.agents.items()
        },
        "files": sorted(inventory.files),
        "floor": inventory.floor,
    }


def inventory_from_json(raw: object) -> Inventory:
    """Raises Damaged."""
    top = _checked(raw, _INVENTORY, "inventory")
    agents = {}
    for name, one in top.get("agents", {}).items():
        fields = _checked(one, _OWNED, f"inventory of {name}")
        if not {"agent_class", "socket"} <= fields.keys():
            raise Damaged(f"inventory of {name} is not complete")
        agents[name] = Owned(**{**fields, "depends_on": tuple(fields.get("depends_on", ()))})
    return Inventory(agents=agents, files=frozenset(top.get("files", ())), floor=top.get("floor", "none"))


def suspensions_to_json(suspended: Mapping[str, Suspension]) -> dict[str, Json]:
    return {name: {"reason": one.reason, "by": one.by, "until": one.until} for name, one in suspended.items()}


def suspensions_from_json(raw: object) -> dict[str, Suspension]:
    """Raises Damaged."""
    if type(raw) is not dict:
        raise Damaged("the suspensions are not an object")
    found = {}
    for name, one in raw.items():
        fields = _checked(one, _SUSPENSION, f"suspension of {name}")
        if fields.keys() != _SUSPENSION.keys():
            raise Damaged(f"suspension of {name} is not complete")
        found[name] = Suspension(**fields)
    return found
