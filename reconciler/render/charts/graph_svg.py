"""Goals as a drawing, from left to right: the same bytes for the same goals, with their text in words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from reconciler.helpers.words import count
from reconciler.render.charts.layers import Box, Drawing, lay_out
from reconciler.render.fleet_files.goals_text import MARKS
from reconciler.render.fold import columns, folded
from specs.mission.goals import Standing

MOST, MOST_PLACES = 500, 10_000  # goals, and places that arrows pass by: more of them are not a drawing any more
TITLE = 28  # letters of a title in a line
# Pixels. A letter of the font is 60 % of its size wide, whatever font of that kind a reader has.
SIZE, LETTER, LINE, PAD, MARGIN = 12, 7.5, 16, 8, 12
_STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}.i{font-weight:bold}"
    "rect{fill:#f6f8fa;stroke:#57606a}.done rect{fill:#dafbe1}.ready rect{stroke:#0969da;stroke-width:2}"
    "path{fill:none;stroke:#8c959f}#a path{fill:#8c959f;stroke:none}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#161b22;stroke:#8b949e}.done rect{fill:#12331d}"
    ".ready rect{stroke:#58a6ff}}"
)


def drawable(standing: Sequence[Standing]) -> bool:
    """Whether it is not too much to be drawn, or to be looked at."""
    layers = {one.goal.id: one.layer for one in standing}
    places = sum(one.layer - layers[other] - 1 for one in standing for other in set(one.goal.depends_on))
    return len(standing) <= MOST and places <= MOST_PLACES


def graph_svg(standing: Sequence[Standing]) -> str:
    """A box for each goal, and an arrow from each that comes before it."""
    rows = {one.goal.id: _rows(one) for one in standing}
    boxes = [
        Box(
            name=one.goal.id,
            layer=one.layer - 1,
            width=round(max(columns(row) for row in rows[one.goal.id]) * LETTER) + 2 * PAD,
            height=2 * PAD + (len(rows[one.goal.id]) - 1) * LINE + SIZE,
            after=one.goal.depends_on,
        )
        for one in standing
    ]
    drawing = lay_out(boxes)
    empty = [] if standing else [f'<text x="{MARGIN}" y="{MARGIN + SIZE}">no goals yet</text>']
    width, height = max(drawing.width, 0 if standing else 100) + 2 * MARGIN, max(drawing.height, SIZE) + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" aria-labelledby="t d">',
        f'<title id="t">{count(len(standing), "goal")}, and what comes before each</title>',
        f'<desc id="d">{_safe(_description(standing))}</desc>',
        f"<style>{_STYLE}</style>",
        '<marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0L8 4L0 8z"/></marker>',
        *empty,
        *(f'<path d="{_curve(way)}" marker-end="url(#a)"/>' for way in drawing.ways.values()),
        *(_box(one, box, rows[box.name], drawing) for one, box in zip(standing, boxes, strict=True)),
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _rows(one: Standing) -> list[str]:
    title = folded("", "", one.goal.title.split(), width=TITLE)
    return [f"{MARKS[one.state]} {' '.join(one.goal.id.split())}", *(row for row in title if row)]


def _box(one: Standing, box: Box, rows: Sequence[str], drawing: Drawing) -> str:
    left, top = (at + MARGIN for at in drawing.corners[box.name])
    lines = ""
    for number, row in enumerate(rows):
        kind = "" if number else ' class="i"'
        lines += f'<text{kind} x="{left + PAD}" y="{top + PAD + SIZE - 1 + number * LINE}">{_safe(row)}</text>'
    frame = f'<rect x="{left}" y="{top}" width="{box.width}" height="{box.height}" rx="4"/>'
    return f'<g class="{one.state}">{frame}{lines}</g>'


def _curve(way: Sequence[tuple[int, int]]) -> str:
    """Level where it leaves and where it arrives."""
    points = [(x + MARGIN, y + MARGIN) for x, y in way]
    path = f"M{points[0][0]} {points[0][1]}"
    for (x, y), (to, down) in pairwise(points):
        middle = (x + to) // 2
        path += f"H{to}" if y == down else f"C{middle} {y} {middle} {down} {to} {down}"
    return path


def _description(standing: Sequence[Standing]) -> str:
    said = []
    for one in standing:
        after = f", after {', '.join(one.goal.depends_on)}" if one.goal.depends_on else ""
        said.append(f"{one.goal.id} ({one.state}{after}): {one.goal.title}.")
    return " ".join(said)


def _safe(text: str) -> str:
    return escape("".join(char if char.isprintable() else "?" for char in text), {'"': "&quot;"})
