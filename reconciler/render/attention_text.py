"""What needs a person, for people and for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.attention.document import case_document
from reconciler.helpers.times import rfc3339, spell_duration
from reconciler.helpers.words import Paint, count, data, no_paint
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.base import Json
    from reconciler.attention.register import OpenCase
    from specs.compiled import Fleet

API_VERSION = "mosaic.fleet/v1"
KIND = "AttentionList"
WIDTH = 80
_INDENT = "    "

CaseRow = Mapping[str, "Json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingRow:
    """A notifier whose last try failed, on which host, and since when (Unix seconds)."""

    notifier: str
    host: str
    since: float
    error: str


def case_rows(cases: Sequence[OpenCase], host: str, now: float) -> list[dict[str, Json]]:
    """The rows of one host, as the document has them."""
    return [
        {
            **case_document(one.case),
            "host": host,
            "age_s": round(max(0.0, now - one.case.since), 3),
            "notified": [{"notifier": name, "at": rfc3339(at)} for name, at in sorted(one.notified.items())],
        }
        for one in cases
    ]


def attention_document(
    fleet: Fleet, rows: Sequence[CaseRow], failing: Sequence[FailingRow], silent: Mapping[str, str], now: float
) -> dict[str, Json]:
    """The document of docs/schemas/attention.schema.json."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "fleet": fleet.name,
        "tenant_id": fleet.tenant_id,
        "host": fleet.host,
        "observed_at": rfc3339(now),
        "cases": [dict(row) for row in rows],
        "failing": [
            {"notifier": one.notifier, "host": one.host, "since": rfc3339(one.since), "error": one.error}
            for one in failing
        ],
        "silent": [{"host": host, "reason": why} for host, why in silent.items()],
    }


def attention_text(
    rows: Sequence[CaseRow], failing: Sequence[FailingRow], *, now: float, paint: Paint = no_paint
) -> str:
    """Each case with its question and the commands that answer it, then how many there are. A command is never
    broken."""
    hosts = {str(row["host"]) for row in rows}
    blocks = [_case(row, paint, host=len(hosts) > 1) for row in rows]
    tail = [f"{count(len(rows), 'thing')} {'needs' if len(rows) == 1 else 'need'} a person"]
    tail = tail if rows else ["nothing needs a person"]
    for one in failing:
        failed = f"{data(one.notifier)} has failed for {spell_duration(now - one.since)}"
        tail += _fold(f"{failed}: {data(one.error)}", WIDTH)
    return "\n\n".join("\n".join(block) for block in [*blocks, tail]) + "\n"


def _case(row: CaseRow, paint: Paint, *, host: bool) -> list[str]:
    age = row["age_s"]
    where = f" on {data(row['host'])}" if host else ""
    away = ", suspended" if row["suspended"] else ""
    head = f"{data(row['agent'])}{where}: {data(row['kind'])} for {spell_duration(float(age))}{away}"  # type: ignore[arg-type]  # a number, by the schema
    lines = [paint(head, "yellow")]
    for line in str(row["question"]).splitlines():
        lines += [_INDENT + part for part in _fold(data(line), WIDTH - len(_INDENT))] if line.strip() else [""]
    for at, one in enumerate(_items(row["choices"]), 1):
        lines.append(f"{_INDENT}  {at}. {data(one['label'])}")
    if row["until"]:
        lines.append(f"{_INDENT}ends by itself: {data(row['until'])}")
    commands = row["answered_by"]
    lines += [f"{_INDENT}$ {data(one)}" for one in (commands if isinstance(commands, Sequence) else ())]
    notified = [str(one["notifier"]) for one in _items(row["notified"])]
    return [*lines, f"{_INDENT}notified: {', '.join(map(data, notified))}"] if notified else lines


def _items(value: Json) -> list[Mapping[str, Json]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, Sequence) else []


def _fold(text: str, width: int) -> list[str]:
    """Long names, paths and commands stay whole."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [text]
