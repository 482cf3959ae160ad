"""What has changed in a mission, in words. ASCII, with long texts before and after on lines of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from providers.base import Json
from reconciler.helpers.words import Paint, count, data, no_paint
from specs.mission.diff import SECTIONS, Difference, FieldDifference, GoalValue

_LISTS = {"depends_on": ("after", "no longer after"), "serves": ("serves", "no longer serves")}
_TEXTS = ("text", "note")  # these are long
_ONE_OF_EACH = ("mission", "substrate", "spend")


def mission_diff_text(found: Sequence[Difference], *, paint: Paint = no_paint) -> str:
    """A line for each thing, and below it what a long text was and is."""
    if not found:
        return "the mission is the same\n"
    lines = [paint(count(len(found), "change"), "bold"), ""]
    for one in found:
        lines.append(sentence(one))
        for field in one.fields:
            if field.name in _TEXTS and one.change == "changed":
                lines += [paint(f"  - {data(part)}", "red") for part in _parts(field.before)]
                lines += [paint(f"  + {data(part)}", "green") for part in _parts(field.after)]
    return "\n".join(lines) + "\n"


def sentence(one: Difference) -> str:
    """One thing on one line: `goal G-2: priority should-have -> must-have; after G-3`."""
    noun = SECTIONS[one.section]
    if one.change == "reordered":
        return f"{one.section}: in another order"
    name = noun if one.section in _ONE_OF_EACH else f"{noun} {data(one.id)}"
    if one.change == "changed":
        return f"{name}: {'; '.join(_said(one.fields))}"
    title = f": {data(one.title)}" if one.title else ""
    rest = [*_had(tuple(field for field in one.fields if field.name not in ("title", *_TEXTS)))]
    texts = [data(part) for field in one.fields if field.name in _TEXTS for part in _parts(_there(field))]
    about = f" ({'; '.join(rest)})" if rest else ""
    return f"{name} {one.change}{title}{about}" + (f": {' '.join(texts)}" if texts else "")


def difference_document(one: Difference) -> dict[str, Json]:
    """A difference as documents have it."""
    return {
        "section": one.section,
        "id": one.id or None,
        "change": one.change,
        "title": one.title or None,
        "fields": [
            {"name": each.name, "before": _json(each.before), "after": _json(each.after)} for each in one.fields
        ],
        "text": sentence(one),
    }


def _said(fields: Sequence[FieldDifference]) -> Iterator[str]:
    for field in fields:
        before, after = field.before, field.after
        if field.name in _TEXTS:
            yield f"{field.name} changed" if before and after else f"{field.name} {'added' if after else 'removed'}"
        elif field.name == "state" and before is not None and after is not None:
            yield "done" if after == "done" else "open again"
        elif field.name in _LISTS:
            yield from _list(field, *_LISTS[field.name])
        elif before is None:
            yield f"{field.name} {_value(after)}"
        elif after is None:
            yield f"{field.name} was {_value(before)}"
        else:
            yield f"{field.name} {_value(before)} -> {_value(after)}"


def _had(fields: Sequence[FieldDifference]) -> Iterator[str]:
    """Of a thing that came or went: what it has, or had."""
    for field in fields:
        word = _LISTS[field.name][0] if field.name in _LISTS else field.name
        yield f"{word} {_value(_there(field))}"


def _list(field: FieldDifference, more: str, less: str) -> Iterator[str]:
    before, after = _names(field.before), _names(field.after)
    new, gone = [one for one in after if one not in before], [one for one in before if one not in after]
    if new:
        yield f"{more} {', '.join(map(data, new))}"
    if gone:
        yield f"{less} {', '.join(map(data, gone))}"


def _names(value: GoalValue) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _there(field: FieldDifference) -> GoalValue:
    return field.before if field.after is None else field.after


def _parts(value: GoalValue) -> list[str]:
    """A text's paragraphs, each on a line."""
    parts = (" ".join(part.split()) for part in str(value or "").split("\n\n"))
    return [part for part in parts if part]


def _value(value: GoalValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return data(", ".join(value) if isinstance(value, tuple) else value)


def _json(value: GoalValue) -> Json:
    return list(value) if isinstance(value, tuple) else value
