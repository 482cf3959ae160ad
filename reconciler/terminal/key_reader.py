"""Split a person's input into keys: one read may hold several, and one key may need several reads."""

from __future__ import annotations

import re

# An arrow or a function key is an escape sequence, with letters in it that mean nothing by themselves.
_KEY = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO.|.", re.DOTALL)
_BEGUN = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")


class KeyReader:
    """Keeps the beginning of an escape sequence until the rest of it arrives."""

    def __init__(self) -> None:
        self._begun = b""

    def feed(self, typed: bytes) -> tuple[bytes, ...]:
        """The keys that are complete now, in order; each is one byte, or one whole escape sequence.

        An Escape by itself is reported together with the key after it.
        """
        typed = self._begun + typed
        begun = _BEGUN.search(typed)
        self._begun = begun[0] if begun else b""
        return tuple(_KEY.findall(typed, 0, len(typed) - len(self._begun)))
