"""Times and durations as people and documents write them. Inside the program a time is Unix seconds, 0 is "never"."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

_LAST = 253402300799  # 9999-12-31T23:59:59Z


def rfc3339(when: float) -> str:
    """UTC with whole seconds: `2025-11-20T03:16:00Z`. Times outside of what a calendar holds are clamped to it."""
    return _written(int(min(max(when, 0.0), _LAST)))


@lru_cache(maxsize=512)  # a thousand agents share a few moments
def _written(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_or_none(when: float | None) -> str | None:
    """As `rfc3339`; None for None and for 0, "never"."""
    return rfc3339(when) if when else None


@lru_cache(maxsize=512)
def parse_rfc3339(text: str) -> float:
    """Unix seconds. Raises ValueError unless the text is a date and time with an offset."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"no time zone in {text!r}")
    return parsed.timestamp()


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
