"""A case as a document and back: in lists, in the status, and in what this host remembers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Literal

from providers.base import Json, Parsed
from providers.programs.base import Choice
from reconciler.attention.case import AttentionCase, AttentionKind
from reconciler.helpers.sealed_json import Damaged
from reconciler.helpers.times import parse_rfc3339, rfc3339, rfc3339_or_none

_MEANS: Mapping[str, Literal["", "allow", "deny"]] = {"": "", "allow": "allow", "deny": "deny"}


def case_document(case: AttentionCase) -> dict[str, Json]:
    """Times are RFC 3339 with whole seconds. What is typed to choose is left out: `answered_by` has the commands."""
    return {
        "case": case.id,
        "agent": case.agent,
        "kind": str(case.kind),
        "since": rfc3339(case.since),
        "question": case.question,
        "choices": [{"label": one.label, "means": one.means or None} for one in case.choices],
        "answered_by": list(case.answered_by),
        "until": case.until or None,
        "until_at": rfc3339_or_none(case.until_at),
        "suspended": case.suspended,
        "life": case.life,
    }


def case_from_document(raw: Parsed) -> AttentionCase:
    """Raises Damaged. The choices have no keys: whoever answers looks at the screen again."""
    try:
        return AttentionCase(
            id=_text(raw["case"]),
            agent=_text(raw["agent"]),
            kind=AttentionKind(raw["kind"]),
            life=_text(raw["life"]),
            since=moment(raw["since"]),
            question=_text(raw["question"]),
            choices=tuple(_choice(one) for one in raw["choices"]),
            answered_by=tuple(_text(one) for one in raw["answered_by"]),
            until=_text(raw["until"] or ""),
            until_at=moment(raw["until_at"] or 0.0),
            suspended=raw["suspended"] is True,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(f"a case makes no sense: {error}") from error


def moment(value: Parsed) -> float:
    """Unix seconds from either form. Raises ValueError, TypeError."""
    if isinstance(value, str):
        return parse_rfc3339(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"not a time: {value!r}")
    return float(value)


def _choice(raw: Mapping[str, Parsed]) -> Choice:
    return Choice(label=_text(raw["label"]), means=_MEANS[raw["means"] or ""])


def _text(value: Parsed) -> str:
    if not isinstance(value, str):
        raise ValueError(f"not a text: {value!r}")
    return value
