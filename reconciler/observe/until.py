"""Read when a limit ends from what a screen says of it: "3pm (Europe/Berlin)", "in 2h 5m", an ISO time. Pure.

Programs write this for people, in the time zone of their own environment, and mostly without a date. What cannot be
read is no time, and stays a text.
"""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

MOST_S = 366 * 86400.0  # a limit that would last longer was misread
_MOST_CHARACTERS = 200
_UNIT_S = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_UNIT = r"(d|h|m|s)(?:ays?|ours?|rs?|in(?:ute)?s?|ec(?:ond)?s?)?(?![A-Za-z])"
_LENGTH = re.compile(rf"(?:in )?((?:\d{{1,5}}(?:\.\d+)? ?{_UNIT}(?:,? (?:and )?|(?=\d))?)+)\.?", re.IGNORECASE)
_PART = re.compile(rf"(\d{{1,5}}(?:\.\d+)?) ?{_UNIT}", re.IGNORECASE)
_EPOCH = re.compile(r"(?<!\d)(1\d{9})(\d{3})?(?!\d)")
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?: ?Z| ?UTC|[+-]\d\d:?\d\d)?", re.IGNORECASE)
_CLOCK = re.compile(
    r"(?<![\d:])(\d{1,2})(?::(\d\d))?(?::\d\d)? ?([ap])\.?m\b|(?<![\d:])(\d{1,2}):(\d\d)", re.IGNORECASE
)
_MONTHS = "|".join(calendar.month_abbr[1:])
_DATE = re.compile(rf"\b({_MONTHS})[a-z]*\.? (\d{{1,2}})(?:st|nd|rd|th)?\b(?:,? (20\d\d))?", re.IGNORECASE)
_DATE_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\.? ({_MONTHS})[a-z]*\b(?:,? (20\d\d))?", re.IGNORECASE)
_WEEKDAY = re.compile(rf"\b({'|'.join(calendar.day_abbr)})(?:day|sday|nesday|rsday|urday)?\b", re.IGNORECASE)
_ZONE = re.compile(r"\(([A-Za-z]+(?:[/_+-][A-Za-z0-9_+-]+)*)\)|\b(UTC|GMT)\b|(?<=\d)(Z)\b")


def until_at(text: str, now: float) -> float:
    """Unix seconds at which it ends, 0 if the text does not tell. `now`: when the screen said so, which is what a time
    without a date is counted from. A time without a zone is this host's. Never raises."""
    said = " ".join(text[:_MOST_CHARACTERS].split())
    for read in _FORMS:
        try:
            found = read(said, now)
        except (ValueError, OverflowError, OSError):
            continue
        if found is not None:
            return found if math.isfinite(found) and abs(found - now) <= MOST_S else 0.0
    return 0.0


def _iso(said: str, now: float) -> float | None:
    del now
    found = _ISO.search(said)
    if found is None:
        return None
    when = datetime.fromisoformat(re.sub(r" ?(?:UTC|Z)$", "+00:00", found[0], flags=re.IGNORECASE))
    return (when if when.tzinfo else when.replace(tzinfo=_zone(said))).timestamp()


def _epoch(said: str, now: float) -> float | None:
    del now
    found = _EPOCH.search(said)
    return None if found is None else int(found[1] + (found[2] or "")) / (1000 if found[2] else 1)


def _length(said: str, now: float) -> float | None:
    found = _LENGTH.search(said)
    if found is None:
        return None
    return now + sum(float(number) * _UNIT_S[unit.lower()] for number, unit in _PART.findall(found[1]))


def _clock(said: str, now: float) -> float | None:
    """A time of a day, if need be with the day."""
    found = _CLOCK.search(said)
    dated = _date(said)
    if found is None:
        if dated is None:
            return None
        hour, minute = 0, 0
    else:
        hour, minute = _hour(found)
    zone = _zone(said)
    here = datetime.fromtimestamp(now, zone or UTC)
    if zone is None:
        here = here.astimezone()  # this host's
    at = here.replace(hour=hour, minute=minute, second=0, microsecond=0, tzinfo=zone)
    if dated is not None:
        month, day, year = dated
        at = at.replace(year=year or here.year, month=month, day=day)
        if not year and at.timestamp() < now - MOST_S / 2:
            at = at.replace(year=here.year + 1)
        return at.timestamp()
    if weekday := _WEEKDAY.search(said):
        ahead = [day.lower() for day in calendar.day_abbr].index(weekday[1].lower()) - at.weekday()
        at += timedelta(days=ahead % 7)
        return (at if at.timestamp() > now else at + timedelta(days=7)).timestamp()
    if re.search(r"\btomorrow\b", said, re.IGNORECASE) or at.timestamp() <= now:
        at += timedelta(days=1)
    return at.timestamp()


def _hour(found: re.Match[str]) -> tuple[int, int]:
    if found[3]:
        hour = int(found[1])
        if not 1 <= hour <= 12:
            raise ValueError("no hour of a half day")
        return hour % 12 + (12 if found[3] in "pP" else 0), int(found[2] or 0)
    return int(found[4]), int(found[5])


def _date(said: str) -> tuple[int, int, int] | None:
    """Month, day, and the year or 0."""
    months = [name.lower() for name in calendar.month_abbr]
    if found := _DATE.search(said):
        return months.index(found[1][:3].lower()), int(found[2]), int(found[3] or 0)
    if found := _DATE_FIRST.search(said):
        return months.index(found[2][:3].lower()), int(found[1]), int(found[3] or 0)
    return None


def _zone(said: str) -> tzinfo | None:
    """The zone that the text names, None for this host's. Raises ValueError for a name that is no zone here."""
    for found in _ZONE.finditer(said):
        name = found[1] or found[2] or found[3]
        if name in ("Z", "UTC", "GMT"):
            return UTC
        try:
            return ZoneInfo(name)
        except (KeyError, OSError):
            raise ValueError(f"{name} is no time zone here") from None
    return None


_FORMS: tuple[Callable[[str, float], float | None], ...] = (_iso, _epoch, _length, _clock)
