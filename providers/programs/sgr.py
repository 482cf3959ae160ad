"""Styled rows as tmux prints them, completed so that each stands alone. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_TEXT_COLOUR, _BACK_COLOUR = re.compile(r"(3|9)[0-9]"), re.compile(r"(4[0-9]|10[0-7])")


def self_contained(lines: Sequence[str]) -> tuple[str, ...]:
    """tmux writes a style once and lets it continue in the next lines: here each line begins with the styles in
    force."""
    found = []
    holds: dict[str, str] = {}
    for line in lines:
        found.append("".join(holds.values()) + line)
        for words in _SGR.findall(line):
            if words.partition(";")[0] in ("", "0"):
                holds.clear()
            kind = "text" if _TEXT_COLOUR.match(words) else "back" if _BACK_COLOUR.match(words) else words
            holds.pop(kind, None)
            holds[kind] = f"\x1b[{words}m"
    return tuple(found)
