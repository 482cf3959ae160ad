"""Patches for flow style, JSON among it; an entry on a line of its own keeps its line."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from specs.editing.block import Patch
from specs.yaml_text.lines import LineIndex
from specs.yaml_text.quoting import Style, YamlValue
from specs.yaml_text.tree import Node


def insert_pair(lines: LineIndex, mapping: Node, row: str, after: Collection[str]) -> list[Patch]:
    """A new key in a flow mapping, after the last of the keys `after`, else at its end."""
    known = [pair for pair in mapping.pairs if pair[0].text in after] or mapping.pairs[-1:]
    key, value = known[-1]
    is_last = value is mapping.pairs[-1][1]
    return _after(lines, key.start, value.end, row, is_last=is_last)


def add_item(lines: LineIndex, sequence: Node, entry: Mapping[str, YamlValue], style: Style) -> list[Patch]:
    """One more mapping at the end of a flow sequence that is not empty, laid out like its last one."""
    last = sequence.written[-1]
    written = style.flow(entry)
    if last.kind == "mapping" and last.flow and last.pairs and lines.first(last.pairs[0][0].start):
        keys = lines.indent(last.pairs[0][0].start)
        closing = lines.indent(last.end - 1) if lines.first(last.end - 1) else ""
        rows = f",{lines.eol}{keys}".join(style.pair(name, value) for name, value in entry.items())
        ending = f"{lines.eol}{closing}" if lines.first(last.end - 1) else ""
        written = f"{{{lines.eol}{keys}{rows}{ending}}}"
    return _after(lines, last.start, last.end, written, is_last=True)


def _after(lines: LineIndex, start: int, end: int, written: str, *, is_last: bool) -> list[Patch]:
    """Put something after what stands from `start` to `end`: on a line of its own if that is on one."""
    text = lines.text
    comma = _comma(lines, end)
    own_line = lines.first(start)
    if not own_line:
        if comma is not None and is_last:  # a comma that nothing follows
            return [(comma + 1, comma + 1, f" {written}")]
        return [(end, end, f", {written}")]
    indent = lines.indent(start)
    here = comma + 1 if comma is not None else end
    line_end = lines.end(here)
    rest = text[here:line_end].strip()
    if rest and not rest.startswith("#"):  # something else follows on this line
        line_end = here
    if comma is None:
        added = [(end, end, ","), (line_end, line_end, f"{lines.eol}{indent}{written}")]
        return added if line_end > end else [(end, end, f",{lines.eol}{indent}{written}")]
    return [(line_end, line_end, f"{lines.eol}{indent}{written}{'' if is_last else ','}")]


def remove_item(lines: LineIndex, sequence: Node, index: int) -> list[Patch]:
    """Without one item of several, and without the comma that it needed."""
    items, text = sequence.written, lines.text
    item = items[index]
    comma = _comma(lines, item.end)
    stop = item.end if comma is None else comma + 1
    patches: list[Patch] = []
    if comma is None:
        between = _comma(lines, items[index - 1].end)
        if between is not None:
            patches.append((between, between + 1, ""))
    rest = text[stop : lines.end(stop)].strip()
    if lines.first(item.start) and (not rest or rest.startswith("#")):
        patches.append((lines.start(item.start), lines.after(stop), ""))
    elif comma is None:
        patches.append((patches.pop()[0] if patches else items[index - 1].end, item.end, ""))
    else:
        while stop < len(text) and text[stop] in " \t":
            stop += 1
        patches.append((item.start, stop, ""))
    return patches


def _comma(lines: LineIndex, end: int) -> int | None:
    """The comma after what ends at `end`."""
    at = lines.gap(end)
    return at if lines.text[at : at + 1] == "," else None
