"""Screens that no program has shown: real ones with rows lost, doubled, moved or replaced, and the cursor anywhere."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tests.programs.captures import frames

if TYPE_CHECKING:
    from providers.screen import Screen

_SGR = re.compile(r"\x1b\[[0-9;:]*m")
_NOISE = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        (
            "─" * 80,
            "━" * 80,
            "┃",
            "  ┃  △ ",
            "  ╹" + "▀" * 9,
            "  ╹",
            "\x1b[7m \x1b[0m",
            "\x1b[7m",
            "\x1b[38;2;1m",
            "\x1b]8;;",
        )
    ),
)


@st.composite
def mutations(draw: st.DrawFn, program: str) -> Screen:
    seen = draw(st.sampled_from(frames(program))).screen
    styled = list(seen.styled)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(styled)))
        match draw(st.sampled_from(("lose", "double", "replace", "cut"))):
            case "lose":
                del styled[at : at + draw(st.integers(1, 20))]
            case "double":
                styled[at:at] = styled[at : at + 2]
            case "replace":
                styled[at : at + 1] = [draw(_NOISE)]
            case _:
                styled[at : at + 1] = [line[: draw(st.integers(0, 60))] for line in styled[at : at + 1]]
    lines = tuple(_SGR.sub("", line).rstrip() for line in styled)
    if draw(st.booleans()):
        lines = lines[: draw(st.integers(0, len(lines)))]
    cursor = draw(st.one_of(st.just(seen.cursor), st.tuples(st.integers(-1, 99), st.integers(-1, 40))))
    return replace(seen, styled=tuple(styled), lines=lines, cursor=cursor)
