"""Screens of any kind: words that programs show, between styles and noise."""

# ruff: noqa: RUF001 - the marks are the programs' own

from __future__ import annotations

import re

from hypothesis import strategies as st

from providers.screen import Screen

_ESCAPES = re.compile(r"\x1b\[[0-9;:]*m")
_WORDS = st.sampled_from(
    (
        "─" * 80, "──────── name ──", "❯ ", "  ❯ ", "› ", "    ", "  ↳ ", "! ", "a draft", "esc to interrupt",
        "• Queued follow-up inputs", "  enter select · esc back", "Esc to cancel", "Do you want to proceed?",
        "[Pasted text #1 +3 lines]", "[Pasted Content 9 chars]", "Not logged in", "  chosen · ~/project",
        "\x1b[2m", "\x1b[0m", "\x1b[1;7m", "\x1b[38;2;1", "\x1b[38;5;246m", "\x1b[48;2;1;2;3m",
        "\x1b[m", "\x1b", "\x1b[22;27m",
    )
)  # fmt: skip
_LINES = st.lists(st.one_of(_WORDS, st.text(max_size=8)), max_size=5).map("".join)


@st.composite
def screens(draw: st.DrawFn) -> Screen:
    """`lines` need not fit `styled`, nor the cursor the screen."""
    styled = tuple(draw(st.lists(_LINES, max_size=12)))
    lines = tuple(_ESCAPES.sub("", line).rstrip() for line in styled)
    if draw(st.booleans()):
        lines = tuple(draw(st.lists(_LINES, max_size=12)))
    return Screen(
        lines=lines,
        styled=styled,
        cursor=(draw(st.integers(-1, 300)), draw(st.integers(-1, 100))),
        title=draw(
            st.one_of(st.sampled_from(("✳ x", "⠂ x", "[ . ] Action Required | x", "project", "")), st.text(max_size=5))
        ),
        width=80,
        height=24,
    )
