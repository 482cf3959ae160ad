"""The index of the shipped contracts in `docs/personas.md`: `python -m tests.personas.page` writes it anew."""

from __future__ import annotations

from specs.personas.persona import ALIASES, DOMAINS, shipped
from tests.hosts.namespace import CHECKOUT

PAGE = CHECKOUT / "docs" / "personas.md"
BEGIN = "<!-- made by `python -m tests.personas.page` from what ships; not edited by hand -->\n"
END = "<!-- until here -->\n"
_PERSISTENT = {True: "yes", False: "no", "semi": "semi"}


def index() -> str:
    """A table for each domain, in the order in which they are listed everywhere."""
    parts = []
    for domain in DOMAINS:
        rows = [one for _, one in sorted(shipped().items()) if one.domain == domain]
        if not rows:
            continue
        lines = [
            f"### {domain.capitalize()}",
            "",
            "| class | what for | persistent | older names |",
            "|---|---|---|---|",
        ]
        for one in rows:
            older = ", ".join(f"`{alias}`" for alias, meant in sorted(ALIASES.items()) if meant == one.name)
            persistent = _PERSISTENT[one.persistent if one.persistent is not None else False]
            lines.append(f"| `{one.name}` | {one.purpose} | {persistent} | {older} |")
        parts.append("\n".join(lines) + "\n")
    return "\n" + "\n".join(parts) + "\n"


def with_index(text: str) -> str:
    """The page with the index as it should be. Raises ValueError if it has no place for it."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{PAGE} has no place for the index")
    return before + begin + index() + end + after


if __name__ == "__main__":
    PAGE.write_text(with_index(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
