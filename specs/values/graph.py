"""Find circles in dependencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def cycles(edges: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Each circle that a depth-first walk meets first, as the names along it. Edges to unknown names are ignored."""
    found: list[tuple[str, ...]] = []
    finished: set[str] = set()
    for start in edges:
        if start in finished:
            continue
        path: list[str] = [start]
        on_path = {start: 0}
        rest = [iter(edges[start])]
        while path:
            following = next(rest[-1], None)
            if following is None:
                finished.add(path[-1])
                del on_path[path.pop()]
                rest.pop()
            elif following in on_path:
                found.append(tuple(path[on_path[following] :]))
            elif following in edges and following not in finished:
                on_path[following] = len(path)
                path.append(following)
                rest.append(iter(edges[following]))
    return found


def circle_text(names: Sequence[str]) -> str:
    """A circle as one reads it, not too long."""
    shown = names if len(names) <= 8 else (*names[:4], "...", *names[-3:])
    return " -> ".join((*shown, names[0]))
