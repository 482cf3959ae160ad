"""The text of a message: what is sent, and how to recognise it on a screen and in a program's own record. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

from reconciler.errors import Usage

MAX_BYTES = 256 * 1024  # of a message, as UTF-8
_LABEL_MAX = 100
_HEAD, _PART = 24, 16  # letters: of a message after its preamble, and of a part long enough to recognise it

# Colours, titles and links go whole, or their visible rest would remain. Of anything else only the escape goes.
_ESCAPES = re.compile(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-B]")
_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LABEL = re.compile(r"[A-Za-z0-9_.:/@+=,%-]+")
# How programs show a paste that they have collapsed.
_FOLDED = re.compile(r"\[(?:Pasted|paste)\b[^\[\]]*\]")
# In some programs a last word that begins like this opens a menu, which would take the Enter for itself.
_OPENS_MENU = re.compile(r"(?:^|\s)[@/#$!:+][^\s]*\Z")


def clean(text: str) -> str:
    """The text without control characters and escape sequences (line ends and tabs stay) and without trailing line
    ends. Raises Usage if the rest is empty, is not Unicode, or is longer than MAX_BYTES."""
    text = _CONTROL.sub("", _LINE_ENDS.sub("\n", _ESCAPES.sub("", text))).rstrip("\n")
    if not text.strip():
        raise Usage("the message is empty", help="give it with -m TEXT, -f FILE or on standard input")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise Usage("the message is not UTF-8 text") from error
    if size > MAX_BYTES:
        raise Usage(
            f"the message has {size} bytes, and {MAX_BYTES} is the most that is sent",
            help="put it into a file that the agent may read, and send it the path",
        )
    return text


def label(text: str) -> str:
    """The sender's name in the form that a preamble allows. Raises Usage."""
    if not _LABEL.fullmatch(text) or len(text) > _LABEL_MAX:
        raise Usage(
            f"{text[:_LABEL_MAX]!r} cannot be the label of a sender",
            help=f"letters, digits and . _ : / @ + = , % - and no spaces, at most {_LABEL_MAX}: build-1:operator",
        )
    return text


def compose(text: str, *, sender: str, recipient: str) -> str:
    """What is pasted: `[sender -> recipient] text`, where the text is `clean`."""
    return f"[{sender} -> {recipient}] {text}"


def submittable(text: str) -> str:
    """The text, with a space after an end that would change the submit key: a backslash before it continues the line in
    some programs, and a last word like `@file` opens a menu that Enter answers."""
    return text + " " if text.endswith("\\") or _OPENS_MENU.search(text) else text


def letters(text: str) -> str:
    """The letters and digits of a text: they survive wrapping, margins and frames."""
    return "".join(char for char in unicodedata.normalize("NFKC", text) if char.isalnum())


def matches(draft: str, text: str) -> Literal["whole", "part", "no"]:
    """Whether a draft on the screen is the text, or a part of it that is long enough to recognise it."""
    seen, wanted = letters(draft), letters(text)
    if not wanted or not seen:  # a text without letters: then every character but white space counts
        return "whole" if draft.split() and "".join(draft.split()) == "".join(text.split()) else "no"
    if seen == wanted:
        return "whole"
    return "part" if len(seen) >= _PART and seen in wanted else "no"


def at_cursor(lines: Sequence[str], width: int, cursor: tuple[int, int], text: str) -> Literal["ours", "more", "no"]:
    """Whether the end of a text is on the cursor's line, before the cursor: typed, and not submitted. "more": followed
    by something else. `cursor`: column and row from 0; wrapped lines count as one."""
    column, row = cursor
    if not 0 <= row < len(lines):
        return "no"
    before = lines[row].ljust(column)[:column]
    while row > 0 and len(lines[row - 1]) >= width:
        row -= 1
        before = lines[row] + before
    last = text.rstrip().rpartition("\n")[2]
    seen, wanted = letters(before), letters(last)
    if not wanted:  # only signs
        seen, wanted = "".join(before.split()), "".join(last.split())
    if seen.endswith(wanted) or (len(seen) >= _PART and wanted.endswith(seen)):
        return "ours"
    return "more" if wanted in seen else "no"


def same(record: str, text: str) -> bool:
    """Whether a program's record names the text: programs change white space, and join queued messages."""
    return "".join(text.split()) in "".join(record.split())


def shown(lines: Sequence[str], text: str) -> tuple[int, int]:
    """How often the beginning of the text is on a screen, and how often its end: the beginning of a long text has left
    the screen when the end appears."""
    head, _, rest = text.partition("] ")
    begin, everything = letters(head) + letters(rest)[:_HEAD], letters(text)
    end = everything[-2 * _HEAD :] if len(everything) > 4 * _HEAD else ""
    seen = letters("".join(lines))
    return seen.count(begin) if begin else 0, seen.count(end) if end else 0


def begins(queued: str, text: str) -> bool:
    """Whether an entry of a program's own queue is the text; the entry may show only its beginning."""
    seen, wanted = letters(queued), letters(text)
    return seen == wanted or (len(seen) >= _PART and seen[: 2 * _PART] in wanted) if seen else False


def folded(lines: Iterable[str]) -> Counter[str]:
    """The placeholders of collapsed pastes on a screen."""
    return Counter(found for line in lines for found in _FOLDED.findall(line))
