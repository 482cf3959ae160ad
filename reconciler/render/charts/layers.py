"""The layout of a layered graph, boxes and edges, from left to right with few crossings; the same graph gives the same
layout. Pure.

An edge that passes over layers gets a place in each of them, so that it is led between the boxes and not behind them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from specs.dataclass import dataclass

SWEEPS = 8
GAP_X, GAP_Y, LANE = 48, 14, 6  # pixels: between columns, between boxes, and the height of an edge that passes by

# A box by its name; an edge in a layer that it passes over by its two ends and that layer.
LayerSlot = str | tuple[str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """`layer` counts from 0; `after` are the boxes that edges come from, each in an earlier layer."""

    name: str
    layer: int
    width: int
    height: int
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """Corners by name, top left, and for each edge the points that it goes through. The left and the upper margin are
    the caller's."""

    corners: Mapping[str, tuple[int, int]]
    ways: Mapping[tuple[str, str], tuple[tuple[int, int], ...]]
    width: int
    height: int


def lay_out(boxes: Sequence[Box]) -> Drawing:
    """Boxes of one layer stand below each other, in about the order in which they are given."""
    known = {box.name: box for box in boxes}
    columns: list[list[LayerSlot]] = [[] for _ in range(max((box.layer for box in boxes), default=-1) + 1)]
    chains: dict[tuple[str, str], list[LayerSlot]] = {}
    for box in boxes:
        columns[box.layer].append(box.name)
    for box in boxes:
        for other in dict.fromkeys(box.after):
            between: list[LayerSlot] = [(other, box.name, at) for at in range(known[other].layer + 1, box.layer)]
            for at, slot in enumerate(between, known[other].layer + 1):
                columns[at].append(slot)
            chains[other, box.name] = [other, *between, box.name]
    before: dict[LayerSlot, list[LayerSlot]] = {slot: [] for column in columns for slot in column}
    after: dict[LayerSlot, list[LayerSlot]] = {slot: [] for column in columns for slot in column}
    for chain in chains.values():
        for one, two in pairwise(chain):
            before[two].append(one)
            after[one].append(two)
    columns = _ordered(columns, before, after)
    heights = {slot: known[slot].height if isinstance(slot, str) else LANE for column in columns for slot in column}
    middles = _middles(columns, before, after, heights)
    widths = [max(known[slot].width if isinstance(slot, str) else 0 for slot in column) for column in columns]
    lefts = [sum(widths[:at]) + at * GAP_X for at in range(len(columns))]
    ways: dict[tuple[str, str], tuple[tuple[int, int], ...]] = {}
    for ends, chain in chains.items():
        points = []
        for at, slot in enumerate(chain, known[ends[0]].layer):
            middle, left = round(middles[slot]), lefts[at]
            right = left + (known[slot].width if isinstance(slot, str) else widths[at])
            points += [(right, middle)] if slot == ends[0] else [(left, middle), (right, middle)]
        ways[ends] = tuple(points[:-1])
    corners = {box.name: (lefts[box.layer], round(middles[box.name]) - box.height // 2) for box in boxes}
    height = max((corners[box.name][1] + box.height for box in boxes), default=0)
    lowest = max([height, *(y for way in ways.values() for _, y in way)])
    return Drawing(corners=corners, ways=ways, width=max(0, sum(widths) + GAP_X * (len(widths) - 1)), height=lowest)


def _ordered(
    columns: Sequence[Sequence[LayerSlot]],
    before: Mapping[LayerSlot, list[LayerSlot]],
    after: Mapping[LayerSlot, list[LayerSlot]],
) -> list[list[LayerSlot]]:
    """Each slot near the middle of those that it is joined to; the best of some sweeps, and of equals the first."""
    best = now = [list(column) for column in columns]
    least = _crossings(best, after)
    for sweep in range(SWEEPS):
        if not least:
            break
        joined = before if sweep % 2 == 0 else after
        now = [list(column) for column in now]
        for at in range(len(now)) if joined is before else reversed(range(len(now))):
            near = at - 1 if joined is before else at + 1
            places = {slot: place for place, slot in enumerate(now[near])} if 0 <= near < len(now) else {}
            now[at] = _by_middle(now[at], joined, places)
        crossings = _crossings(now, after)
        if crossings < least:
            best, least = now, crossings
    return best


def _by_middle(
    column: Sequence[LayerSlot], joined: Mapping[LayerSlot, list[LayerSlot]], places: Mapping[LayerSlot, int]
) -> list[LayerSlot]:
    """Slots that are joined to nothing keep their places, and the others share the rest."""
    moving = [slot for slot in column if joined[slot] and places]
    weights = {slot: sum(places[one] for one in joined[slot]) / len(joined[slot]) for slot in moving}
    inorder = iter(sorted(moving, key=weights.__getitem__))
    return [next(inorder) if slot in weights else slot for slot in column]


def _crossings(columns: Sequence[Sequence[LayerSlot]], after: Mapping[LayerSlot, list[LayerSlot]]) -> int:
    """How many pairs of edges cross, counted as inversions of a merge sort would be."""
    found = 0
    for column, following in pairwise(columns):
        places = {slot: place for place, slot in enumerate(following)}
        counts = [0] * (len(following) + 1)  # a Fenwick tree of the ends that were met
        met = 0
        for slot in column:
            ends = sorted(places[one] for one in after[slot])
            for end in ends:
                found += met - _below(counts, end + 1)
            for end in ends:
                met += 1
                at = end + 1
                while at < len(counts):
                    counts[at] += 1
                    at += at & -at
    return found


def _below(counts: Sequence[int], at: int) -> int:
    total = 0
    while at:
        total += counts[at]
        at -= at & -at
    return total


def _middles(
    columns: Sequence[Sequence[LayerSlot]],
    before: Mapping[LayerSlot, list[LayerSlot]],
    after: Mapping[LayerSlot, list[LayerSlot]],
    heights: Mapping[LayerSlot, int],
) -> dict[LayerSlot, float]:
    """The height at which the middle of each slot is: in line with what it is joined to, as far as there is room."""
    middles: dict[LayerSlot, float] = {}
    for column in columns:
        top = 0.0
        for slot in column:
            middles[slot] = top + heights[slot] / 2
            top += heights[slot] + GAP_Y
    for sweep in range(SWEEPS):
        joined = before if sweep % 2 == 0 else after
        for column in columns if joined is before else reversed(columns):
            wanted = [
                sum(middles[one] for one in joined[slot]) / len(joined[slot]) if joined[slot] else middles[slot]
                for slot in column
            ]
            middles |= zip(column, _apart(wanted, [heights[slot] for slot in column]), strict=True)
    highest = min((middles[slot] - heights[slot] / 2 for slot in middles), default=0.0)
    return {slot: middle - highest for slot, middle in middles.items()}


def _apart(wanted: Sequence[float], heights: Sequence[int]) -> list[float]:
    """As near to what is wanted as the order and the gaps allow: the mean of pushing down and of pushing up."""
    needed = [(one + two) / 2 + GAP_Y for one, two in pairwise(heights)]
    down = list(wanted)
    for at, gap in enumerate(needed, 1):
        down[at] = max(down[at], down[at - 1] + gap)
    up = list(wanted)
    for at in range(len(needed) - 1, -1, -1):
        up[at] = min(up[at], up[at + 1] - needed[at])
    return [(one + two) / 2 for one, two in zip(down, up, strict=True)]
