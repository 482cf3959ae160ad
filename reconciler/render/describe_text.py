"""The text of `mosaic agent status`."""

from __future__ import annotations

from providers.evidence import RawEvidence
from reconciler.helpers.times import parse_rfc3339, spell_duration
from reconciler.helpers.words import Paint, Tint, data, no_paint, value, when
from reconciler.inspection.describe import Description
from reconciler.listing.row import Row
from reconciler.render.ps_text import cpu, heading, length, size

_AGE = len("23h 59m ago")


def describe_text(described: Description, *, paint: Paint = no_paint) -> str:
    """Who it is, its conditions, every observation with source and age, what comes next, what happened, and the last
    lines of a crash."""
    row, now = described.row, described.row.observed_at
    blocks = [
        heading(described.listing)[:1],
        _who(row, paint),
        _block("conditions", [_condition(one.type, one.status, one.message, one.since, now)
                              for one in described.conditions], paint),
        _block("evidence", _evidence(row), paint),
        _block("next", [data(one.what) + (f": {when(one.at, now)}" if one.at else "")
                        for one in described.next], paint),
        _block("events (oldest first)", [
            f"{_when(one.get('ts', ''), now)}  {data(one.get('type', ''))}  {data(one.get('message', ''))}".rstrip()
            for one in described.events
        ], paint),
    ]  # fmt: skip
    if described.crash is not None:
        title = "the dead pane's last lines" if described.crash_now else "last lines of its last crash"
        blocks.append(_block(title, [line or "" for line in described.crash], paint))
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _who(row: Row, paint: Paint) -> list[str]:
    known = ", ".join(data(word) for word in (row.runtime, row.agent_class) if word)
    head = paint(f"agent {data(row.name)}", "bold") + (f" ({known})" if known else "")
    if row.kind != "agent":
        head += f", {row.kind}: git does not declare it"
    tint: Tint | None = "red" if row.wrong else "yellow" if row.notes else None
    why = data(row.why)
    declared = "not declared" if row.desired == "undeclared" else f"declared {row.desired}"
    because = f": {data(row.readiness_why)}" if row.readiness_why else ""
    lines = [head, f"  {data(row.shown_state)}, {row.sync}, {declared}{because}"]
    lines += [f"  {paint(why, tint) if tint else why}"] if why else []
    if row.kind != "unmanaged":
        stop = "may be stopped now" if row.may_stop else f"may not be stopped now: {data(row.may_stop_why)}"
        lines.append(f"  {stop}")
    parts = [
        (word, text)
        for word, text in (
            ("up", length(row.up)), ("idle", length(row.idle)), ("restarts", str(row.restarts)),
            ("cpu", cpu(row.cpu_s)), ("memory", size(row.memory)),
        )
        if text
    ]  # fmt: skip
    return [*lines, "  " + ", ".join(f"{word} {text}" for word, text in parts)]


def _condition(kind: str, status: str, message: str, since: float, now: float) -> str:
    text = f"{kind:<13}{status:<8}{data(message)}"
    return (text + (f" (for {spell_duration(now - since)})" if since else "")).rstrip()


def _when(stamp: object, now: float) -> str:
    """The age of an event, which was written down as a time."""
    try:
        return when(parse_rfc3339(str(stamp)), now).ljust(_AGE)
    except ValueError:
        return data(stamp).ljust(_AGE)


def _evidence(row: Row) -> list[str]:
    rows = [(one.source, one.what, _shown(one), _age(one, row.observed_at)) for one in row.evidence]
    widths = [max((len(cells[column]) for cells in rows), default=0) for column in range(3)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(cells, (*widths, 0), strict=True)).rstrip() for cells in rows
    ]


def _shown(one: RawEvidence) -> str:
    if one.value is None:
        return "-"
    if one.what == "memory" and isinstance(one.value, int):
        return size(one.value)
    return value(one.value)


def _age(one: RawEvidence, now: float) -> str:
    if one.at is None:
        return ""
    return "now" if now - one.at < 1.0 else f"{spell_duration(now - one.at)} ago"


def _block(title: str, rows: list[str], paint: Paint) -> list[str]:
    return [paint(title, "bold"), *(f"  {row}".rstrip() for row in rows)] if rows else []
