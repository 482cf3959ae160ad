"""Rosters as people write them: the same agents in block and flow style, with comments, gaps, quotes and line ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

NAMES = ("lead", "coder0", "coder1", "a.b", "x-y_z", "n0")
STATES = ("running", "stopped", "absent")


@dataclass(frozen=True)
class Written:
    """`agents` is what `text` says; `kept` are comments that no edit may lose."""

    text: str
    agents: list[dict[str, Any]]
    kept: tuple[str, ...]

    @property
    def raw(self) -> bytes:
        return self.text.encode()


@st.composite
def entries(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True))
    found = []
    for name in names:
        entry: dict[str, Any] = {"name": name, "runtime": draw(st.sampled_from(["stub", "claude"]))}
        if draw(st.booleans()):
            entry["class"] = "implementer"
        if draw(st.booleans()):
            entry["state"] = draw(st.sampled_from(STATES))
        if draw(st.booleans()):
            entry["generation"] = draw(st.integers(0, 9))
        if draw(st.booleans()):
            entry["env"] = {"COLOUR": "light blue", "N": "1"}
        if draw(st.booleans()):
            entry["depends_on"] = [other for other in names if other != name]
        found.append(entry)
    return found


@st.composite
def rosters(draw: st.DrawFn) -> Written:
    agents = draw(entries())
    kind = draw(st.sampled_from(["block", "flow items", "json", "compact"]))
    kept: list[str] = []
    if kind in ("json", "compact"):
        indent = draw(st.integers(1, 4)) if kind == "json" else None
        text = json.dumps({"version": 1, "agents": agents, "transport": "tmux"}, indent=indent)
    else:
        text = _block(draw, agents, kept, flow=kind == "flow items")
    if draw(st.booleans()):
        text += "\n"
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    return Written(("\ufeff" if draw(st.booleans()) else "") + text, agents, tuple(kept))


def _block(draw: st.DrawFn, agents: list[dict[str, Any]], kept: list[str], *, flow: bool) -> str:
    dash = " " * draw(st.sampled_from([0, 2, 4]))
    lead = " " * draw(st.integers(1, 3))
    apart = draw(st.booleans())
    rows = ["# head", "version: 1", "agents:  # all of them"]
    kept += ["# head", "# all of them"]
    for number, entry in enumerate(agents):
        if apart and number:
            rows.append("")
        if draw(st.booleans()):
            rows.append(f"{dash}# about {number}")
        if flow:
            rows.append(f"{dash}-{lead}{_one_line(draw, entry)}{draw(st.sampled_from(['', '  # said']))}")
            continue
        inner = dash + " " + lead
        lines = [line for key, value in entry.items() for line in _pair(draw, key, value)]
        if draw(st.booleans()):
            rows += [f"{dash}-", *(inner + line for line in lines)]
        else:
            rows += [f"{dash}-{lead}{lines[0]}", *(inner + line for line in lines[1:])]
        if draw(st.booleans()):
            rows.append(f"{inner}# below {number}")
    if draw(st.booleans()):
        rows += ["transport: tmux"]
        if draw(st.booleans()):
            rows += ["# the end"]
            kept.append("# the end")
    return "\n".join(rows)


def _pair(draw: st.DrawFn, key: str, value: object) -> list[str]:
    remark = draw(st.sampled_from(["", "  # why"]))
    if isinstance(value, dict):
        if draw(st.booleans()):
            return [f"{key}:{remark}", *(f"  {name}: {json.dumps(one)}" for name, one in value.items())]
        return [f"{key}: {json.dumps(value)}{remark}"]
    if isinstance(value, list):
        if draw(st.booleans()):
            return [f"{key}:{remark}", *(f"  - {one}" for one in value)]
        return [f"{key}: [{', '.join(value)}]{remark}"]
    if isinstance(value, str):
        return [f"{key}: {draw(st.sampled_from([value, json.dumps(value), repr(value)]))}{remark}"]
    return [f"{key}: {value}{remark}"]


def _one_line(draw: st.DrawFn, entry: dict[str, Any]) -> str:
    comma = draw(st.sampled_from(["", ","]))
    return "{" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in entry.items()) + comma + "}"
