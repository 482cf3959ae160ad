"""The text of `mosaic fleet org`: ASCII, folded at 80 columns."""

from __future__ import annotations

from collections.abc import Sequence

from providers.base import Json
from reconciler.helpers.words import Paint, count, data, no_paint
from specs.organisation.org import Member, Org, Post

WIDTH = 80


def org_text(org: Org, *, paint: Paint = no_paint) -> str:
    """The tree, a class on each line with the agents in its seats; then agents that have no seat in it."""
    head = (
        f"{data(org.fleet)}: {data(org.title)} ({org.type_id})" if org.fleet else f"{data(org.title)} ({org.type_id})"
    )
    counts = [count(org.members, "agent")] if org.fleet else [count(org.open, "seat")]
    if org.fleet and org.open:
        counts.append(f"{count(org.open, 'seat')} open")
    lines = [*_folded("", "", f"{head}: {', '.join(counts)}".split()), ""]
    lines += _tree(org.head, "", "", alone=not org.fleet)
    if org.beside:
        lines += ["", *_folded("no seat of the type: ", " " * 4, _joined([_beside(one) for one in org.beside]))]
    text = "\n".join(lines)
    head_line, _, rest = text.partition("\n")
    return f"{paint(head_line, 'bold')}\n{rest}\n"


def _tree(post: Post, first: str, rest: str, *, alone: bool) -> list[str]:
    """`first` stands before the post's own line, `rest` before those below it."""
    below = [(one, one is post.below[-1]) for one in post.below]
    stem = rest + ("|   " if below else "    ")
    lines = _folded(f"{first}{data(post.agent_class)}: ", f"{stem}  ", _joined(_names(post, alone=alone)))
    for one, last in below:
        lines += _tree(one, rest + ("`-- " if last else "|-- "), rest + ("    " if last else "|   "), alone=alone)
    return lines


def _names(post: Post, *, alone: bool) -> list[str]:
    if alone:
        return [count(post.seats, "seat")]
    names = [f"{data(one.name)}{_state(one)}" for one in post.members]
    return names + (["(open)"] if post.open == 1 else [f"({post.open} open)"] if post.open else [])


def _state(one: Member) -> str:
    if one.state == "running":
        return ""
    return " (left empty)" if one.state == "absent" else f" ({data(one.state)})"


def _beside(one: Member) -> str:
    return f"{data(one.name)} ({data(one.agent_class)}{', stopped' if one.state == 'stopped' else ''})"


def _joined(names: Sequence[str]) -> list[str]:
    """As words that are not broken, with commas."""
    return [f"{name}," for name in names[:-1]] + list(names[-1:])


def _folded(first: str, rest: str, words: Sequence[str]) -> list[str]:
    """A word that is longer than a line has one to itself."""
    lines, line, empty = [], first, True
    for word in words:
        if not empty and len(line) + 1 + len(word) > WIDTH:
            lines.append(line.rstrip())
            line, empty = rest, True
        line += word if empty else f" {word}"
        empty = False
    return [*lines, line.rstrip()]


def org_document(org: Org, source: str) -> dict[str, Json]:
    """`seats` in the order of the tree, each with its depth. `source`: shipped, changed or own."""

    def member(one: Member) -> dict[str, Json]:
        return {"name": one.name, "class": one.agent_class, "runtime": one.runtime, "state": one.state}

    above: dict[str, str | None] = {org.head.agent_class: None}
    for _, post in org.posts:
        above |= dict.fromkeys((one.agent_class for one in post.below), post.agent_class)
    return {
        "apiVersion": "mosaic.fleet/v1",
        "kind": "Org",
        "fleet": org.fleet or None,
        "type": org.type_id,
        "title": org.title,
        "source": source,
        "lead": org.head.agent_class,
        "open": org.open,
        "seats": [
            {
                "class": post.agent_class,
                "depth": depth,
                "reports_to": above[post.agent_class],
                "multiplicity": post.seats,
                "open": post.open,
                "agents": [member(one) for one in post.members],
            }
            for depth, post in org.posts
        ],
        "beside": [member(one) for one in org.beside],
    }
