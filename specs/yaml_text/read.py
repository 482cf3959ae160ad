"""From the bytes of a file to text that a YAML parser accepts, and to a tree."""

from __future__ import annotations

import re

from specs.values import names, secrets
from specs.values.problems import Problem, SourceFile, Span
from specs.yaml_text.parser import parse
from specs.yaml_text.tree import Node

LARGEST = 1024 * 1024

_BREAK = re.compile(r"\r\n|\n|\r")
_TOP = Span()
_WIDE_ENCODINGS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def read(name: str, raw: bytes, problems: list[Problem]) -> tuple[SourceFile, Node | None]:
    """The tree of one file. What is wrong goes to `problems`; None when nothing of it can be used."""
    source = SourceFile(name)
    text = decode(raw, source, problems)
    if text is None:
        return source, None
    before = len(problems)
    tree = parse(text, source, problems)
    if tree is None or (tree.kind == "scalar" and tree.value is None):
        if len(problems) == before:
            problems.append(source.problem(Span(), "the file is empty"))
        return source, None
    if tree.kind != "mapping":
        problems.append(source.problem(tree.span, f"the file must be a mapping of keys, not {tree.describe()}"))
        return source, None
    hide_secrets(tree, source)
    return source, tree


def hide_secrets(tree: Node, source: SourceFile) -> None:
    """Marks what stands under a name that announces a secret, so that no problem shows it."""
    pending: list[tuple[Node, bool]] = [(tree, False)]
    while pending:
        node, secret = pending.pop()
        if secret and node.kind == "scalar":
            _hide(node, source)
        pending.extend((child, secret) for child in node.sequence)
        for key, child in node.items.items():
            if secret and key not in secrets.REFERENCES:
                _hide(node.keys[key], source)
            pending.append((child, key not in secrets.REFERENCES and (secret or secrets.secretive(key))))


def _hide(node: Node, source: SourceFile) -> None:
    last, column = node.until
    for line in range(node.span.line, last + 1):
        start = node.span.column if line == node.span.line else 1
        end = column - 1 if line == last else 10**9
        if end >= start:
            source.hidden.append((line, start, end))


def decode(raw: bytes, source: SourceFile, problems: list[Problem]) -> str | None:
    """The text of a file, and `source` with its lines; None, and why, for one that is too large or no text."""

    def refuse(message: str, span: Span = _TOP, help: str | None = None) -> None:
        problems.append(source.problem(span, message, help=help))

    if len(raw) > LARGEST:
        refuse(f"the file has {len(raw):,} bytes; the limit is 1 MiB", help="a file that people review is much smaller")
        return None
    if raw.startswith(_WIDE_ENCODINGS):
        refuse("the file is UTF-16 or UTF-32, not UTF-8", help="save it as UTF-8")
        return None
    marked = raw.startswith(b"\xef\xbb\xbf")
    raw = raw[3:] if marked else raw
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode(errors="replace")
        lines = _BREAK.split(before)
        offset = error.start + (3 if marked else 0)
        source.lines = _BREAK.split(raw.decode(errors="replace"))
        refuse(
            f"not UTF-8: byte 0x{raw[error.start]:02x} at offset {offset}",
            Span(len(lines), len(lines[-1]) + 1),
            help="save the file as UTF-8",
        )
        return None
    source.lines = _BREAK.split(text)
    _hide_private_keys(source)
    if marked:
        problems.append(
            source.problem(Span(), "the file begins with a byte order mark", severity="warning", help="save it without")
        )
    good = True
    for number, line in enumerate(source.lines, 1):
        for match in names.UNSAFE.finditer(line):
            if match[0] != "\t":
                message = f"an invisible control character (U+{ord(match[0]):04X})"
                refuse(message, Span(number, match.start() + 1), help="delete it")
                good = False
                break
    return text if good else None


def _hide_private_keys(source: SourceFile) -> None:
    """The body of a private key has no name before it; it is hidden even where the YAML cannot be read."""
    inside = False
    for number, line in enumerate(source.lines, 1):
        if "-----BEGIN" in line and "PRIVATE KEY" in line:
            inside = True
        if inside:
            start = len(line) - len(line.lstrip()) + 1
            source.hidden.append((number, start, 10**9))
        if "-----END" in line:
            inside = False
