"""Compare an operator's contract with the shipped one, as it was then and as it is now. Pure."""

from __future__ import annotations

from typing import Literal

from specs.dataclass import dataclass
from specs.personas.persona import Persona

SectionState = Literal["as-shipped", "shipped-changed", "same", "overridden", "added", "kept-old", "conflict"]
Of = Literal["front-matter", "title", "introduction", "section"]
STATES: tuple[SectionState, ...] = (
    "as-shipped",  # the override says nothing of it, and the shipped one is as it was
    "shipped-changed",  # the override says nothing of it, so the new shipped one is in force
    "same",  # the override says what is shipped now
    "overridden",  # the override says something else, and the shipped one is as it was
    "added",  # only the override has it
    "kept-old",  # the override still says what was shipped then
    "conflict",  # both have changed it; the override is in force
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One piece of a contract. `own` is None where the override says nothing of it, and "" where it leaves it out;
    `base` and `shipped` are None where there is no such piece."""

    name: str  # of a section: its heading
    of: Of
    base: str | None
    shipped: str | None
    own: str | None
    state: SectionState

    @property
    def in_force(self) -> str:
        """What an agent reads; "" if there is nothing of it."""
        return (self.shipped if self.own is None else self.own) or ""


def compare(shipped: Persona, own: Persona, base: Persona | None) -> tuple[Part, ...]:
    """Every piece that any of them has: front matter, title and introduction, then the sections in the order of the
    shipped contract. `base`: the shipped one that `own` was written over; None if nobody knows it, and then no change
    of the shipped one can be seen."""
    found = [
        _part(name, of, _said(base, name) if base else None, _said(shipped, name), _said(own, name), known=bool(base))
        for name, of in _WHOLE
    ]
    headings: dict[str, str] = {}
    for persona in (shipped, own, *([base] if base else [])):
        for section in persona.sections:
            headings.setdefault(section.heading.casefold(), section.heading)
    for key, heading in headings.items():
        texts = [_section(one, key) if one else None for one in (base, shipped, own)]
        found.append(_part(heading, "section", *texts, known=bool(base)))
    return tuple(one for one in found if (one.base, one.shipped, one.own) != (None, None, None))


_WHOLE: tuple[tuple[str, Of], ...] = (
    ("domain", "front-matter"),
    ("persistent_persona", "front-matter"),
    ("purpose", "front-matter"),
    ("title", "title"),
    ("introduction", "introduction"),
)


def _said(persona: Persona, name: str) -> str | None:
    if name == "persistent_persona":
        return None if persona.persistent is None else str(persona.persistent).lower()
    values = {"domain": persona.domain, "purpose": persona.purpose, "title": persona.title}
    return values.get(name, persona.intro) or None


def _section(persona: Persona, key: str) -> str | None:
    """Of two sections with one heading the last counts, as where one is laid over the other."""
    return next((one.text for one in reversed(persona.sections) if one.heading.casefold() == key), None)


def _part(name: str, of: Of, base: str | None, shipped: str | None, own: str | None, *, known: bool) -> Part:
    return Part(name=name, of=of, base=base, shipped=shipped, own=own, state=_state(base, shipped, own, known=known))


def _state(base: str | None, shipped: str | None, own: str | None, *, known: bool) -> SectionState:
    moved = known and (base or "") != (shipped or "")
    if own is None:
        return "shipped-changed" if moved else "as-shipped"
    if own == (shipped or ""):
        return "same"
    if moved:
        return "kept-old" if own == (base or "") else "conflict"
    return "overridden" if shipped else "added"
