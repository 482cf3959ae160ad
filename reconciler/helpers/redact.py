"""Make a pane's content safe to keep: bounded, without control sequences, without anything that looks like a key."""

from __future__ import annotations

import re

MAX_LINES = 200
MAX_BYTES = 32 * 1024
HIDDEN = "[hidden]"

# As text, compiled when first used: what a quiet run says is plain already, and that is known without a pattern.
_ESCAPES = (
    r"\x1b\][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC: titles, links, the clipboard
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    r"|\x1b[ -/]*[0-~]?"  # the short ones
)
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"

_PEM = r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
_NAMED = (
    r"(?i)(?P<name>(?:token|secret|passw(?:or)?d|passphrase|credential|api[_-]?key|access[_-]?key|private[_-]?key)"
    r"[\w.-]*[\"']?\s*[=:]\s*)(?:\"[^\"\n]+\"|'[^'\n]+'|[^\s\"',;]+)"
)
_CARRIED = r"(?i)(?P<name>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}"


def plain(text: str) -> str:
    """Without terminal control sequences and control characters; line ends become newlines, tabs stay."""
    if text.isprintable():
        return text
    return re.sub(_CONTROL, "", re.sub(_ESCAPES, "", text.replace("\r\n", "\n").replace("\r", "\n")))


def one_line(text: str, limit: int = 0) -> str:
    """`plain`, on one line, for values that end up inside a sentence; with a limit, cut to that many characters."""
    line = " ".join(plain(text).split())
    return line if not limit or len(line) <= limit else line[: max(0, limit - 3)] + "..."


def hide_secrets(text: str) -> str:
    """`plain`, and without anything that is recognisable as a key or a password; for our own sentences, in which a
    commit id or a long name is not a secret."""
    if not text:
        return ""
    from specs.values.secrets import tokens

    text = _hide_named(plain(text))
    for start, end, _ in sorted(tokens(text), reverse=True):
        text = text[:start] + HIDDEN + text[end:]
    return text


def _hide_named(text: str) -> str:
    text = re.sub(_PEM, HIDDEN, text)
    for pattern in (_CARRIED, _NAMED):
        text = re.sub(pattern, lambda match: match["name"] + HIDDEN, text)
    return text


def redact(text: str, *, max_lines: int = MAX_LINES, max_bytes: int = MAX_BYTES) -> str:
    """The end of a captured pane: at most `max_lines` lines and `max_bytes` bytes of UTF-8, plain, secrets hidden."""
    from specs.values.secrets import mask_tokens

    # A bound before the patterns run keeps their cost bounded too; wide enough that no kept line is touched by it.
    kept = mask_tokens(_hide_named(plain(text[-8 * max_bytes :])))
    lines = [line.rstrip() for line in kept.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    kept = "\n".join(lines[-max_lines:])
    encoded = kept.encode()
    if len(encoded) > max_bytes:
        kept = encoded[-max_bytes:].decode("utf-8", "ignore")
        _, newline, rest = kept.partition("\n")
        kept = rest if newline else kept
    return kept
