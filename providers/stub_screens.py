"""What a stub agent shows instead of its conversation: a dialog that waits for a person, or what keeps it from working.

    /dialog KIND [TEXT]    ask a person; a digit or Enter answers, and Escape chooses the last answer
    /trouble KIND [UNTIL]  take up what is sent and refuse it, as a program that is logged out or at its limit does

Its title says that there is something to read on its screen, so that nobody reads the screens of all others. Its
heartbeat says nothing of it: that is what makes it a case for whoever reads screens. `/idle` ends both. It imports next
to nothing, as the stub itself.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # typing itself takes a while to import
if TYPE_CHECKING:
    from collections.abc import Callable

ASKS, STOPS = "stub ? ", "stub ! "  # a title begins with one of these
ANSWERS = {"trust": ("Yes, trust it", "No"), "permission": ("Yes", "Yes, always", "No")}
_TITLE = "stub"


class StubScreen:
    """One dialog or trouble, or neither. `say`: shows a line on the terminal."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._kind = ""
        self._until = ""
        self._choices: tuple[str, ...] = ()

    def takes(self, message: str) -> bool:
        """Whether it has dealt with this message: a command for it, or one that it refuses."""
        word, _, rest = message.strip().partition(" ")
        kind, _, more = rest.strip().partition(" ")
        if word == "/dialog":
            self._ask(kind or "unknown", more.strip() or f"May the stub go on ({kind})?")
        elif word == "/trouble":
            self._kind, self._until = kind or "limit", more.strip()
            self._refuse()
        elif word == "/idle" and self._kind:
            self._end()
            return False
        elif not self._kind or word.startswith("/"):
            return False
        else:
            self._refuse()
        return True

    def answers(self, keys: bytes) -> bool:
        """Whether these keys are for its dialog. The first that chooses an answer ends it."""
        if not self._choices:
            return False
        for key in keys.decode("latin-1"):
            number = len(self._choices) if key == "\x1b" else 1 if key in "\r\n" else int(key) if key.isdecimal() else 0
            if self._choices and 1 <= number <= len(self._choices):
                chosen = self._choices[number - 1]
                self._end()
                self._say(f"stub: the answer is {chosen}")
        return True

    def _ask(self, kind: str, text: str) -> None:
        self._choices = ANSWERS.get(kind, ("Yes", "No"))
        rows = [f"{'>' if number == 1 else ' '} {number}. {one}" for number, one in enumerate(self._choices, 1)]
        self._paint(ASKS + kind, [f"[dialog {kind}]", text, *rows, "[end of dialog]"])

    def _refuse(self) -> None:
        until = f" until {self._until}" if self._until else ""
        self._paint(STOPS + self._kind, [f"[trouble {self._kind}{until}]"])

    def _paint(self, title: str, rows: list[str]) -> None:
        _rename(title)
        for row in rows:
            self._say(row)

    def _end(self) -> None:
        self._kind, self._until, self._choices = "", "", ()
        _rename(_TITLE)


def _rename(title: str) -> None:
    """Of its terminal."""
    os.write(1, f"\x1b]2;{title}\x07".encode())
