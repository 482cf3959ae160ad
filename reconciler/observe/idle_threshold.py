"""The idle threshold: how long an agent must be quiet to be idle; the environment may override it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from specs.compiled import Fleet
from specs.dataclass import replace
from specs.values.durations import parse_duration

VARIABLE = "MOSAIC_HEARTBEAT_IDLE_THRESHOLD"


def with_idle_threshold(fleet: Fleet, environ: Mapping[str, str]) -> tuple[Fleet, str]:
    """The fleet with `idle_after` from the variable (seconds, or 90s, 5m), and a sentence for people if it cannot be
    read: then git's value holds, since a typo must not end a run of the timer."""
    text = environ.get(VARIABLE, "").strip()
    if not text:
        return fleet, ""
    try:
        seconds = parse_duration(float(text) if text.replace(".", "", 1).isdecimal() else text)
    except ValueError as error:
        return fleet, f"{VARIABLE} {error}: {fleet.heartbeats.idle_after:.0f} s holds, as the fleet says"
    return replace(fleet, heartbeats=replace(fleet.heartbeats, idle_after=seconds)), ""
