"""The events of a YAML parser, with tabs where YAML allows them: between tokens, before a comment and on an otherwise
empty line, but never as indentation."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ruamel.yaml.scanner import Scanner

_BLANK = " \t"
_ENDS = "\0\r\n\x85\u2028\u2029"


def events(text: str) -> Iterator[object]:
    """The events of a text, in order. Raises ruamel's YAMLError, and whatever else a scanner of foreign text raises."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = _scanner()
    yield from yaml.parse(text)


@cache
def _scanner() -> type[Scanner]:
    from ruamel.yaml.scanner import Scanner as Strict

    class Scanner(Strict):
        """The parser's own takes a tab for a token of its own outside of brackets."""

        def scan_to_next_token(self) -> None:
            peek, forward = self.reader.peek, self.reader.forward
            if self.reader.index == 0 and peek() == "\ufeff":
                forward()
            while True:
                while (char := peek()) == " " or (char == "\t" and self._is_between()):
                    forward()
                    if char == "\t" and not self.flow_level:
                        self.allow_simple_key = False  # what begins behind a tab is not indented by it
                if char == "#":
                    while peek() not in _ENDS:
                        forward()
                if not self.scan_line_break():
                    return
                if not self.flow_level:
                    self.allow_simple_key = True

        def scan_block_scalar_ignored_line(self, start_mark: object) -> object:
            while self.reader.peek() in _BLANK:
                self.reader.forward()
            return super().scan_block_scalar_ignored_line(start_mark)

        def scan_plain_spaces(self, indent: object, start_mark: object) -> list[str]:
            """Tabs in the middle of a text belong to it, and those at its end to nothing."""
            length = 0
            while self.reader.peek(length) in _BLANK:
                length += 1
            ended = self.reader.peek(length) in _ENDS
            if "\t" not in self.reader.prefix(length):
                return list(super().scan_plain_spaces(indent, start_mark) or ())
            if ended:
                self.reader.forward(length)
                return list(super().scan_plain_spaces(indent, start_mark) or ())
            blanks = str(self.reader.prefix(length))
            self.reader.forward(length)
            return [blanks]

        def _is_between(self) -> bool:
            """Whether the tab at hand is not what a line begins with before its first token."""
            if self.flow_level or self._line().strip(_BLANK):
                return True
            ahead = 0
            while self.reader.peek(ahead) in _BLANK:
                ahead += 1
            return self.reader.peek(ahead) in _ENDS + "#"

        def _line(self) -> str:
            """What of the present line is behind us."""
            at = self.reader.pointer
            return str(self.reader.buffer[at - self.reader.column : at])

    return Scanner
