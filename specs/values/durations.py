"""Durations and points in time as an operator writes them; inside, everything is seconds."""

from __future__ import annotations

import math
import re
from datetime import datetime

LONGEST = 366 * 86400.0

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|s|m|h|d|w)")


def parse_duration(value: str | float) -> float:
    """Seconds of `15s`, `5m`, `2h`, `1h30m` or a number. Raises ValueError with the end of a sentence."""
    if isinstance(value, str):
        parts = _PART.findall(value)
        if not parts or "".join(number + unit for number, unit in parts) != value:
            raise ValueError("must be a duration such as 15s, 5m, 2h or 1h30m, or a number of seconds")
        seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    else:
        seconds = float(value)
    if not math.isfinite(seconds) or seconds <= 0:
        raise ValueError("must be longer than zero")
    if seconds > LONGEST:
        raise ValueError("must not be longer than a year")
    return seconds


def parse_moment(value: str) -> float:
    """Unix seconds of an RFC 3339 time with a zone. Raises ValueError with the end of a sentence."""
    message = "must be a time with a zone such as 2030-01-31T09:00:00Z"
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}", value):
        raise ValueError(message)
    try:
        moment = datetime.fromisoformat(value.replace("z", "Z").replace("t", "T"))
        if moment.tzinfo is None:
            raise ValueError(message)
        return moment.timestamp()
    except (ValueError, OverflowError) as error:
        raise ValueError(message) from error
