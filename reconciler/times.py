"""Times and durations as people and documents write them. Inside the program a time is Unix seconds, 0 is "never"."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
LONGEST = 3650 * 86400.0


def rfc3339(when: float) -> str:
    """UTC with whole seconds: `2025-11-20T03:16:00Z`. Times outside of what a calendar holds are clamped to it."""
    return datetime.fromtimestamp(min(max(when, 0.0), 253402300799.0), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_or_none(when: float | None) -> str | None:
    """As `rfc3339`; None for None and for 0, "never"."""
    return rfc3339(when) if when else None


def parse_rfc3339(text: str) -> float:
    """Unix seconds. Raises ValueError unless the text is a date and time with an offset."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return parsed.timestamp()


def parse_duration(text: str) -> float:
    """Seconds of `90`, `90s`, `5m`, `2h`, `1h30m`, `7d`, `1w`. Raises ValueError with a sentence for people."""
    written = text.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", written):
        seconds = float(written)
    elif _DURATION.fullmatch(written):
        seconds = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(written))
    else:
        raise ValueError(f"{text!r} is not a duration; write for example 90s, 5m, 2h, 1h30m or 7d")
    if seconds > LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return seconds


def spell_duration(seconds: float) -> str:
    """At most two units, rounded down: `0s`, `42s`, `3m 5s`, `2h`, `1d 4h`."""
    whole = max(0, int(seconds))
    sizes = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    for index, (unit, size) in enumerate(sizes):
        if whole >= size:
            count, rest = divmod(whole, size)
            if index + 1 < len(sizes):
                smaller, smaller_size = sizes[index + 1]
                if rest // smaller_size:
                    return f"{count}{unit} {rest // smaller_size}{smaller}"
            return f"{count}{unit}"
    return "0s"
