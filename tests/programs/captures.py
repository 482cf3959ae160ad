"""Recorded screens of the real programs, one folder for each program and version, with what they are read as.

`NAME.txt` is the screen as `tmux capture-pane -e -p` prints it, with ESC stored as its picture; its first line is the
cursor's column and row, the width and height, and the title. `NAME.json` beside it is the expected Reading, without the
fields that have their default.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

from providers.programs.base import Choice, Reading
from providers.screen import Screen

FOLDER = Path(__file__).with_name("screens")
_SGR = re.compile(r"\x1b\[[0-9;:]*m")
_ESC, _PICTURE = "\x1b", "\N{SYMBOL FOR ESCAPE}"


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One recorded screen."""

    program: str
    version: str
    name: str
    folder: Path = FOLDER

    @property
    def path(self) -> Path:
        return self.folder / self.program / self.version / f"{self.name}.txt"

    @property
    def screen(self) -> Screen:
        return _screen(self.path)

    @property
    def reading(self) -> Reading:
        return reading_of(json.loads(self.path.with_suffix(".json").read_text()))

    def write(self, screen: Screen, reading: Reading) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        head = " ".join([*map(str, (*screen.cursor, screen.width, screen.height)), screen.title])
        self.path.write_text("\n".join([head, *screen.styled]).replace(_ESC, _PICTURE) + "\n")
        self.path.with_suffix(".json").write_text(json.dumps(document(reading), indent=1, ensure_ascii=False) + "\n")

    def __str__(self) -> str:
        return f"{self.program}-{self.version}-{self.name}"


@cache
def _screen(path: Path) -> Screen:
    head, *styled = path.read_text().replace(_PICTURE, _ESC).split("\n")
    column, row, width, height, title = head.split(" ", 4)
    drawn = tuple([*styled[: int(height)], *[""] * int(height)][: int(height)])
    return Screen(
        lines=tuple(_SGR.sub("", line).rstrip() for line in drawn),
        styled=drawn,
        cursor=(int(column), int(row)),
        title=title,
        width=int(width),
        height=int(height),
    )


@cache
def frames(program: str = "*") -> list[Frame]:
    """All that are recorded, of one program or of all."""
    found = sorted(FOLDER.glob(f"{program}/*/*.txt"))
    return [Frame(program=path.parts[-3], version=path.parts[-2], name=path.stem) for path in found]


def screen(name: str) -> Screen:
    """By program, name and width (`claude.idle.80`): of the oldest version that is recorded."""
    program, _, rest = name.partition(".")
    return next(frame.screen for frame in frames(program) if frame.name == rest)


def plain(*lines: str, title: str = "") -> Screen:
    """A screen without any style."""
    return Screen(lines=lines, styled=lines, cursor=(0, 0), title=title, width=80, height=len(lines))


def document(reading: Reading) -> dict[str, object]:
    """Without the fields that have their default."""
    found = {key: value for key, value in asdict(reading).items() if value != getattr(Reading(), key)}
    blank = asdict(Choice(label=""))
    if reading.choices:
        found["choices"] = [
            {key: value for key, value in asdict(choice).items() if value != blank[key]} for choice in reading.choices
        ]
    return found


def reading_of(found: dict[str, object]) -> Reading:
    """The reverse. Raises TypeError for a field that there is not."""
    choices = found.get("choices")
    made = {**found, "queued": tuple(_list(found.get("queued"))), "choices": tuple(map(_choice, _list(choices)))}
    names = {one.name for one in fields(Reading)}
    if unknown := made.keys() - names:
        raise TypeError(f"no field of a reading: {unknown}")
    return Reading(**made)  # type: ignore[arg-type]


def _choice(found: object) -> Choice:
    made = dict(found) if isinstance(found, dict) else {}
    return Choice(**{**made, "keys": tuple(_list(made.get("keys")))})


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
