"""The text of `mosaic fleet persona`: the classes, one contract, and a comparison. ASCII but for what the contracts
themselves have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import unified_diff

from providers.base import Json
from reconciler.helpers.redact import plain
from reconciler.helpers.words import Paint, Tint, count, data, no_paint
from reconciler.render.fleet_files.diff_text import diff_text
from reconciler.render.fold import folded
from reconciler.render.table import table
from specs.organisation.classes import KnownClass
from specs.personas.diff import Part
from specs.personas.files import role_path
from specs.personas.persona import Persona

_WHAT = {
    "as-shipped": "yours says nothing of it",
    "shipped-changed": "the shipped one changed; yours says nothing of it, so the new one is in force",
    "same": "yours says what is shipped now, and may leave it out",
    "overridden": "yours is in force",
    "added": "only yours has it",
    "kept-old": "the shipped one changed; yours still says the old one, which is in force",
    "conflict": "the shipped one changed, and so did yours, which is in force",
}
_TINTS: Mapping[str, Tint] = {"conflict": "red", "kept-old": "yellow", "shipped-changed": "yellow"}


def list_text(found: Sequence[KnownClass], without: Mapping[str, Sequence[str]], *, paint: Paint = no_paint) -> str:
    """A line for each class; below it who has which."""
    rows = [
        (
            data(one.name),
            data(one.persona.domain if one.persona else "-"),
            persistence(one.persona),
            one.source + (" (outdated)" if one.outdated else ""),
            str(len(one.agents) or "-"),
            data(one.persona.purpose) if one.persona else "",
        )
        for one in found
    ]
    tints: list[Tint | None] = [
        "red" if one.source == "invalid" else "yellow" if one.outdated else None for one in found
    ]
    head = ("CLASS", "DOMAIN", "PERSISTENT", "FROM", "AGENTS", "PURPOSE")
    lines = table(head, rows, tints, paint) or ["no class is like that"]
    having = [(one.name, one.agents) for one in found if one.agents]
    if having or without:
        lines.append("")
    for name, agents in having:
        lines += _names(f"{data(name)}: ", agents)
    for name, others in without.items():
        lines += _names(f"{data(name)} (no contract): ", others)
    return "\n".join(lines)


def _names(first: str, agents: Sequence[str]) -> list[str]:
    words = [f"{data(name)}," for name in agents[:-1]] + [data(name) for name in agents[-1:]]
    return folded(first, "    ", words)


def persistence(persona: Persona | None) -> str:
    """Whether the conversation is kept between tasks."""
    if persona is None:
        return "-"
    return {True: "yes", False: "no", "semi": "semi", None: "no"}[persona.persistent]


def diff_of(
    name: str, parts: Sequence[Part], own: Persona, shipped: Persona, *, known: bool, paint: Paint = no_paint
) -> str:
    """Every piece in one line, then the changes of those where anything differs."""
    over = f"was written over {data(own.base)}" if own.base else "does not say over what it was written"
    lines = [paint(f"{role_path(data(name))} {over}; {shipped.digest} ships", "bold")]
    if not known:
        lines.append("what shipped then is not known, so changes to the shipped contract cannot be shown")
    lines.append("")
    rows = [(one.name if one.of != "section" else f"## {one.name}", one.state, _WHAT[one.state]) for one in parts]
    cells = [tuple(data(cell) for cell in row) for row in rows]
    lines += table(("PART", "STATE", "WHAT IT MEANS"), cells, [_TINTS.get(one.state) for one in parts], paint)
    for one in parts:
        where = data(one.name)
        if known and (one.base or "") != (one.shipped or ""):
            lines += _changes(f"{where}, shipped then", f"{where}, shipped now", one.base, one.shipped, paint)
        start = one.base if known else one.shipped
        if one.own is not None and one.own != (start or ""):
            then = "shipped then" if known else "shipped now"
            lines += _changes(f"{where}, {then}", f"{where}, yours", start, one.own, paint)
    clashes = sum(one.state == "conflict" for one in parts)
    if clashes:
        lines += ["", f"{count(clashes, 'conflict')}: yours is in force until you change it"]
    return "\n".join(lines)


def _changes(old: str, new: str, before: str | None, after: str | None, paint: Paint) -> list[str]:
    rows = unified_diff(plain(before or "").splitlines(), plain(after or "").splitlines(), old, new, lineterm="")
    return ["", diff_text("\n".join(rows), paint=paint)]


def part_document(one: Part) -> dict[str, Json]:
    """A piece of a contract as documents have it."""
    return {
        "name": one.name,
        "of": one.of,
        "state": one.state,
        "base": one.base,
        "shipped": one.shipped,
        "own": one.own,
    }


def class_document(one: KnownClass) -> dict[str, Json]:
    """A class as documents have it, without its contract."""
    persona = one.persona
    return {
        "class": one.name,
        "domain": persona.domain if persona else None,
        "persistent": (persona.persistent or False) if persona else None,
        "purpose": persona.purpose if persona else None,
        "source": one.source,
        "outdated": one.outdated,
        "aliases": list(one.aliases),
        "agents": list(one.agents),
    }
