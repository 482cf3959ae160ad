"""The tree of a fleet as a drawing, from left to right: the same bytes for the same fleet, with its text in words."""

from __future__ import annotations

from collections.abc import Mapping
from xml.sax.saxutils import escape

from reconciler.helpers.words import count
from specs.organisation.org import Member, Org, Post

# Pixels. A letter of the font is 60 % of its size wide, whatever font of that kind a reader has.
SIZE, LETTER, LINE = 12, 7.5, 16
PAD, GAP_X, GAP_Y, MARGIN = 8, 36, 10, 12
_STYLE = (
    "text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:#1f2328}"
    ".c{font-weight:bold}rect{fill:#f6f8fa;stroke:#57606a}.o{stroke-dasharray:4 3}path{fill:none;stroke:#57606a}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}rect{fill:#161b22;stroke:#8b949e}path{stroke:#8b949e}}"
)


def org_svg(org: Org) -> str:
    """A box for each class with the agents in its seats; one with an open seat has a broken line."""
    posts = org.posts
    rows = {id(post): _rows(post, alone=not org.fleet) for _, post in posts}
    widths: dict[int, int] = {}
    for depth, post in posts:
        longest = max(len(row) for row in rows[id(post)])
        widths[depth] = max(widths.get(depth, 0), round(longest * LETTER) + 2 * PAD)
    lefts = {depth: MARGIN + sum(widths[one] + GAP_X for one in range(depth)) for depth in widths}
    tops: dict[int, int] = {}
    end = _place(org.head, rows, tops, MARGIN)
    beside = [f"{one.name} ({one.agent_class})" for one in org.beside]
    foot = [f"no seat of the type: {name}" for name in beside]
    width = max(lefts[max(lefts)] + widths[max(widths)], *(round(len(one) * LETTER) + MARGIN for one in ("", *foot)))
    height = end - GAP_Y + len(foot) * LINE + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + MARGIN} {height}" width="{width + MARGIN}" '
        f'height="{height}" role="img" aria-labelledby="t d">',
        f'<title id="t">{_safe(_title(org))}</title>',
        f'<desc id="d">{_safe(_description(org))}</desc>',
        f"<style>{_STYLE}</style>",
    ]
    for depth, post in posts:
        left, top = lefts[depth], tops[id(post)]
        lines = rows[id(post)]
        dashed = ' class="o"' if post.open and org.fleet else ""
        parts.append(f'<rect{dashed} x="{left}" y="{top}" width="{widths[depth]}" height="{_height(lines)}" rx="4"/>')
        for number, row in enumerate(lines):
            kind = ' class="c"' if number == 0 else ""
            parts.append(f'<text{kind} x="{left + PAD}" y="{top + PAD + SIZE - 1 + number * LINE}">{_safe(row)}</text>')
        start = left + widths[depth]
        for one in post.below:
            middle, goal = top + _height(lines) // 2, tops[id(one)] + _height(rows[id(one)]) // 2
            parts.append(f'<path d="M{start} {middle}H{start + GAP_X // 2}V{goal}H{lefts[depth + 1]}"/>')
    for number, row in enumerate(foot):
        parts.append(f'<text x="{MARGIN}" y="{end + SIZE + number * LINE}">{_safe(row)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _rows(post: Post, *, alone: bool) -> list[str]:
    if alone:
        return [post.agent_class + (f" x {post.seats}" if post.seats > 1 else "")]
    return [post.agent_class, *map(_name, post.members), *["(open)"] * post.open]


def _name(one: Member) -> str:
    return one.name + {"running": "", "absent": " (left empty)"}.get(one.state, f" ({one.state})")


def _height(rows: list[str]) -> int:
    return 2 * PAD + (len(rows) - 1) * LINE + SIZE


def _place(post: Post, rows: Mapping[int, list[str]], tops: dict[int, int], top: int) -> int:
    """Where each box begins: in the middle of those below it, and never above `top`. Returns where the next may
    begin."""
    own = _height(rows[id(post)])
    if not post.below:
        tops[id(post)] = top
        return top + own + GAP_Y
    at = top
    for one in post.below:
        at = _place(one, rows, tops, at)
    first, last = post.below[0], post.below[-1]
    middle = (tops[id(first)] + tops[id(last)] + _height(rows[id(last)])) // 2
    tops[id(post)] = max(top, middle - own // 2)
    return max(at, tops[id(post)] + own + GAP_Y)


def _title(org: Org) -> str:
    return f"Who reports to whom in {org.fleet}" if org.fleet else f"Who reports to whom: {org.title}"


def _description(org: Org) -> str:
    """The tree in words."""
    said = []
    for _, post in org.posts:
        who = ", ".join([*map(_name, post.members), *([f"{count(post.open, 'seat')} open"] if post.open else [])])
        below = f"; reporting to it: {', '.join(one.agent_class for one in post.below)}" if post.below else ""
        said.append(f"{post.agent_class} ({who}){below}.")
    return " ".join(said)


def _safe(text: str) -> str:
    return escape("".join(char if char.isprintable() else "?" for char in text), {'"': "&quot;"})
