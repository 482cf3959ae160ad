"""One golden file: a heading for each situation, and below it exactly what a person reads in it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "texts"
HEADING = "######## "


@dataclass(frozen=True, slots=True)
class Text:
    """What is read in one situation. The situation is a few words, once in a file."""

    situation: str
    text: str


def file_of(path: tuple[str, ...]) -> Path:
    """Where the texts of a command are: `("mosaic", "fleet", "ps")` has mosaic-fleet-ps.txt."""
    return FOLDER / f"{'-'.join(path)}.txt"


def laid_out(path: tuple[str, ...], texts: Iterable[Text]) -> str:
    """Raises ValueError if two texts are of one situation, or one would be taken for a heading."""
    blocks = [f"What people read of `{' '.join(path)}`. Written by `./dev golden`: change the code, not this file.\n"]
    seen: set[str] = set()
    for one in texts:
        if one.situation in seen:
            raise ValueError(f"{' '.join(path)}: two texts are of the situation {one.situation!r}")
        if any(line.startswith(HEADING) for line in one.text.splitlines()):
            raise ValueError(f"{' '.join(path)}: a line of {one.situation!r} looks like a heading")
        seen.add(one.situation)
        blocks.append(f"{HEADING}{one.situation}\n\n{one.text.rstrip(chr(10))}\n")
    return "\n".join(blocks)


def difference(path: tuple[str, ...], texts: Iterable[Text]) -> str:
    """What is read now against what the file has, as a unified diff; "" where both are the same."""
    file = file_of(path)
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    now = laid_out(path, texts)
    lines = difflib.unified_diff(before.splitlines(), now.splitlines(), f"golden/{file.name}", "now", lineterm="")
    return "\n".join(lines)


def write(path: tuple[str, ...], texts: Iterable[Text]) -> None:
    FOLDER.mkdir(exist_ok=True)
    file_of(path).write_text(laid_out(path, texts), encoding="utf-8")
