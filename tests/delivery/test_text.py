"""What is sent of a text, and how it is known again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.delivery.text import (
    MAX_BYTES,
    begins,
    clean,
    compose,
    folded,
    label,
    letters,
    matches,
    same,
    shown,
    submittable,
)
from reconciler.errors import Usage

LONG = "\n".join(f"line {number} of a long message" for number in range(200))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("hello\n", "hello"),
        ("a\r\nb\rc\n\n", "a\nb\nc"),
        ("  indented\n\tand a tab", "  indented\n\tand a tab"),
        ("a\x1b[31mb\x1b[0m", "ab"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("end\x1b[201~\rmore", "end\nmore"),
        ("\x9b201~x", "x"),
        ("a\x1b]never closed", "a]never closed"),
        ("\x1bHello", "Hello"),
        ("a\x00b\x03c\x04d\x7fe\x85f", "abcde\nf"),
        ("\U0001f469\u200d\U0001f4bb e\u0301", "\U0001f469\u200d\U0001f4bb e\u0301"),
    ],
)
def test_clean(raw: str, text: str) -> None:
    assert clean(raw) == text


@pytest.mark.parametrize("raw", ["", "\n", " \t\n", "\x1b[0m", "\x00"])
def test_nothing_is_no_message(raw: str) -> None:
    with pytest.raises(Usage, match="empty"):
        clean(raw)


def test_a_message_is_bounded_and_unicode() -> None:
    assert len(clean("x" * MAX_BYTES)) == MAX_BYTES
    with pytest.raises(Usage, match=str(MAX_BYTES)):
        clean("\u00e9" * (MAX_BYTES // 2 + 1))
    with pytest.raises(Usage, match="UTF-8"):
        clean("\udcff")


@settings(deadline=None)  # the machine may be busy
@given(st.text())
def test_what_is_clean_stays_so_and_holds_no_control(raw: str) -> None:
    try:
        text = clean(raw)
    except Usage:
        return
    assert clean(text) == text
    assert not [char for char in text if (ord(char) < 32 and char not in "\n\t") or 0x7F <= ord(char) < 0xA0]
    assert not text.endswith("\n")


@pytest.mark.parametrize("good", ["build-1:operator", "build-1:coder0.2", "a/b@c+d=e,f%g", "x"])
def test_labels(good: str) -> None:
    assert label(good) == good


@pytest.mark.parametrize("bad", ["", "two words", "a]", "a\nb", "x" * 101, "\u00e9", "a\x1b"])
def test_what_is_no_label(bad: str) -> None:
    with pytest.raises(Usage):
        label(bad)


def test_the_preamble() -> None:
    assert compose("hello", sender="b:operator", recipient="b:coder0") == "[b:operator -> b:coder0] hello"


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("plain", "plain"),
        ("a\\", "a\\ "),
        ("see @src/x.py", "see @src/x.py "),
        ("a\n/model", "a\n/model "),
        ("mail a@b", "mail a@b"),
        ("costs $5 in all", "costs $5 in all"),
        ("#1", "#1 "),
    ],
)
def test_an_end_that_would_take_the_enter_gets_a_space(text: str, ends: str) -> None:
    assert submittable(text) == ends


@pytest.mark.parametrize(
    ("draft", "text", "is_it"),
    [
        ("hello", "hello", "whole"),
        ("hel\nlo wor\n  ld", "hello world", "whole"),
        ("line 7 of a long message\nline 8 of", LONG, "part"),
        ("line", LONG, "no"),
        ("hello and more", "hello", "no"),
        ("", "hello", "no"),
        ("!?!", "!?!", "whole"),
        ("!?", "!?!", "no"),
        ("\u2502 hello \u2502", "hello", "whole"),
    ],
)
def test_matches(draft: str, text: str, is_it: str) -> None:
    assert matches(draft, text) == is_it


@settings(deadline=None)  # the machine may be busy
@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "Z"]), min_size=1, max_size=200), st.integers(1, 40))
def test_a_wrapped_text_is_known(text: str, width: int) -> None:
    wrapped = "\n".join(text[at : at + width] for at in range(0, len(text), width))
    if text.strip():
        assert matches(wrapped, text) == "whole" or not letters(text)


def test_receipts_are_compared_but_for_white_space() -> None:
    assert same("hello\nworld", "hello world ")
    assert same("one\n\nhello", "hello")  # queued messages that were put together
    assert not same("hell", "hello")


def test_shown_counts_the_beginning_and_the_end() -> None:
    text = compose(LONG, sender="b:operator", recipient="b:coder0")
    whole = text.split("\n")
    assert shown(whole, text) == (1, 1)
    assert shown(whole[-5:], text) == (0, 1)
    assert shown(["> [b:operator ->", "  b:coder0] line 0 of a lo", "  ng message line 1 of"], text) == (1, 0)
    assert shown([], text) == (0, 0)
    short = compose("ok", sender="b:operator", recipient="b:coder0")
    assert shown([short, "ok"], short) == (1, 0)
    assert shown(["something else"], short) == (0, 0)


def test_an_entry_of_a_queue() -> None:
    text = compose("please look at the tests", sender="b:operator", recipient="b:coder0")
    assert begins(text, text)
    assert begins("[b:operator -> b:coder0] please lo...", text)
    assert not begins("please", text)
    assert not begins("", text)
    assert not begins("[b:operator -> b:coder1] please look at the tests", text)


def test_placeholders() -> None:
    lines = ["> [Pasted text #2 +31 lines]", "[Pasted Content 1500 chars] [paste #1 +9 lines]", "[b -> c] pasted"]
    assert sorted(folded(lines)) == ["[Pasted Content 1500 chars]", "[Pasted text #2 +31 lines]", "[paste #1 +9 lines]"]
