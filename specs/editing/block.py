"""Patches for block style: whole lines are added or removed, and no other line changes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from specs.yaml_text.lines import LineIndex
from specs.yaml_text.quoting import Style, YamlValue
from specs.yaml_text.tree import Node

Patch = tuple[int, int, str]  # from, to (exclusive), and what stands there afterwards


def insert_pair(lines: LineIndex, mapping: Node, row: str, after: Collection[str]) -> list[Patch]:
    """A new line in a block mapping: below the last of the keys `after` whose value is on one line, else at the end."""
    indent = lines.indent(mapping.pairs[0][0].start)
    known = [value for key, value in mapping.pairs if key.text in after and _on_one_line(lines, value)]
    at = lines.end(known[-1].end) if known else lines.tail(mapping.pairs[-1][1].end, len(indent))
    return [(at, at, "".join(f"{lines.eol}{indent}{one}" for one in row.splitlines()))]


def _on_one_line(lines: LineIndex, value: Node) -> bool:
    return value.kind in ("scalar", "alias") and lines.end(value.start) >= value.end and value.style not in ("|", ">")


def replace_value(lines: LineIndex, key: Node, value: Node, written: str) -> list[Patch]:
    """Another value for a key. What is not on the key's line (a list in block style) is taken into it."""
    on_its_line = value.start < value.end <= lines.end(key.end) and value.style not in ("|", ">")
    if on_its_line or value.flow:
        return [(value.start, value.end, written)]
    colon = lines.text.index(":", key.end)
    return [(colon + 1, max(value.end, colon + 1), f" {written}")]


def add_item(lines: LineIndex, sequence: Node, entry: Mapping[str, YamlValue], style: Style) -> list[Patch]:
    """One more mapping at the end of a block sequence, laid out like its last one."""
    items = sequence.written
    last, dash = items[-1], lines.dash(items[-1].start)
    before = lines.indent(dash)
    if last.kind == "mapping" and not last.flow:
        first = lines.indent(last.pairs[0][0].start)
        lead = first[len(before) + 1 :] if lines.start(dash) == lines.start(last.pairs[0][0].start) else " "
        keys = before + " " + lead
        rows = [style.pair(name, value) for name, value in entry.items()]
        written = f"{before}-{lead}{rows[0]}" + "".join(f"{lines.eol}{keys}{row}" for row in rows[1:])
    else:
        written = f"{before}- {style.flow(entry)}"
    apart = len(items) > 1 and _blank_between(lines, items[-2].end, dash)
    at = lines.tail(last.end, len(before))
    return [(at, at, lines.eol * (2 if apart else 1) + written)]


def _blank_between(lines: LineIndex, start: int, end: int) -> bool:
    at = lines.after(start)
    while at < lines.start(end):
        if not lines.line(at).strip():
            return True
        at = lines.after(at)
    return False


def remove_item(lines: LineIndex, sequence: Node, index: int) -> list[Patch]:
    """Without one item of several, and without the comments that are its own."""
    item = sequence.written[index]
    dash = lines.dash(item.start)
    column = len(lines.indent(dash))
    return [_cut(lines, dash, lines.tail(item.end, column), leading=index == 0, last=item is sequence.written[-1])]


def remove_pair(lines: LineIndex, mapping: Node, key: Node, value: Node) -> list[Patch]:
    """Without a key of several and its value."""
    column = len(lines.indent(key.start))
    end = lines.tail(max(value.end, key.end), column)
    return [_cut(lines, key.start, end, leading=mapping.pairs[0][0] is key, last=False)]


def _cut(lines: LineIndex, start: int, end: int, *, leading: bool, last: bool) -> Patch:
    """The lines from `start` to `end` are to go, the first (`leading`) or the last ones of what they are in. A comment
    right above goes with them if it stands between them and a blank line, and nothing else follows before the next gap:
    then it is about nothing else. Of two gaps that meet, one goes too."""
    text, indent = lines.text, lines.indent(start)
    begin, stop = lines.start(start), lines.after(end)
    comment = begin
    while (above := lines.before(comment)) is not None and lines.line(above).startswith(f"{indent}#"):
        comment = above
    ends = last or stop >= len(text) or _blank(lines, stop)
    if comment < begin and _blank(lines, lines.before(comment)) and ends:
        begin = comment
    if _blank(lines, lines.before(begin)) and ends:
        while (above := lines.before(begin)) is not None and not lines.line(above).strip():
            begin = above
    elif leading:
        while stop < len(text) and _blank(lines, stop):
            stop = lines.after(stop)
    if stop >= len(text) and not text.endswith(("\n", "\r")):
        begin = max(0, begin - len(lines.eol))  # the text goes on to have no final line break
    return begin, stop, ""


def _blank(lines: LineIndex, at: int | None) -> bool:
    return at is not None and not lines.line(at).strip()
