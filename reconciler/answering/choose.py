"""Choose what an answer presses, or say why nothing is pressed. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from providers.screen import Screen
from reconciler.answering.verdict import ShownDialog, WantedAnswer
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from specs.dataclass import dataclass

MOST_MARKS = 6  # texts that the server compares in the moment of a key ...
LONGEST_MARK = 60  # ... each of so many characters at most
SHORTEST_MARK = 3  # bytes: one character of Chinese says as much as three Latin letters
_SAFE = re.compile(r"[\w./-]+(?: [\w./-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Either the keys of choice `number` (the first is 1), or a text that is typed and sent. `label`, for people."""

    label: str
    keys: tuple[str, ...] = ()
    number: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why an answer does not fit a dialog."""

    reason: str


@dataclass(frozen=True, slots=True)
class AskedOf:
    """An answer that somebody wants, and the dialog that is to get it."""

    wanted: WantedAnswer
    dialog: ShownDialog

    @property
    def meant(self) -> tuple[int, ...]:
        """The numbers of the choices that it may mean."""
        if self.wanted.how == "choose":
            return (self.wanted.number,) if 1 <= self.wanted.number <= len(self.dialog.choices) else ()
        return tuple(at for at, one in enumerate(self.dialog.choices, 1) if one.means == self.wanted.how)

    @property
    def typed(self) -> bool:
        return self.wanted.how == "text"

    @property
    def keyless(self) -> bool:
        """Whether it is not known which keys give the answer."""
        return not self.dialog.choices[self.meant[0] - 1].keys


def choose(wanted: WantedAnswer, dialog: ShownDialog) -> Press | Unfit:
    """What to press for that answer in that dialog."""
    asked = AskedOf(wanted, dialog)
    return first_match(FITS, asked).then(asked)


_Then = Callable[[AskedOf], Press | Unfit]


def _unfit(text: str) -> _Then:
    return lambda asked: Unfit(text.format(how=asked.wanted.how, number=asked.wanted.number))


def _typed(asked: AskedOf) -> Press:
    return Press(label=f"a text of {len(asked.wanted.text.encode())} bytes", text=asked.wanted.text)


def _pressed(asked: AskedOf) -> Press:
    number = asked.meant[0]
    one = asked.dialog.choices[number - 1]
    return Press(label=one.label, keys=one.keys, number=number)


FITS: tuple[DecisionRow[AskedOf, _Then], ...] = (
    DecisionRow("a text, and no field", lambda asked: asked.typed and not asked.dialog.takes_text,
        _unfit("it has no field that a text could be typed into"),
        "typed letters would choose something, or be lost"),
    DecisionRow("a text", lambda asked: asked.typed, _typed, "the dialog has a field for it"),
    DecisionRow("no choices", lambda asked: not asked.dialog.choices,
        _unfit("it is not known which choices it offers"),
        "its reader knows none, and nothing is pressed on a guess"),
    DecisionRow("no such choice", lambda asked: not asked.meant and asked.wanted.how == "choose",
        _unfit("it has no choice {number}"), "a number that is not on the list"),
    DecisionRow("nothing means that", lambda asked: not asked.meant,
        _unfit("none of its choices is known to {how}"), "a reader that knows the dialog says what means it"),
    DecisionRow("several mean that", lambda asked: len(asked.meant) > 1,
        _unfit("several of its choices {how}"), "which of them is for a person to say"),
    DecisionRow("no keys", lambda asked: asked.keyless,
        _unfit("it is not known which keys give this answer"), "nothing is pressed on a guess"),
    DecisionRow("a choice", otherwise, _pressed, "one choice, and its keys are known"),
)  # fmt: skip


def marks(screen: Screen, dialog: ShownDialog) -> tuple[str, ...]:
    """Pieces of the dialog's text as they stand on the screen, for a comparison in the very moment of a key; the
    longest first; none if nothing of it stands there. Letters and digits of any script: tmux reads some others in its
    own way."""
    texts = [*dialog.question.split("\n"), *(one.label for one in dialog.choices)]
    found = {piece[:LONGEST_MARK].rstrip() for text in texts for piece in _SAFE.findall(text)}
    fitting = [piece for piece in found if len(piece.encode()) >= SHORTEST_MARK and _stands(screen.lines, piece)]
    return tuple(sorted(fitting, key=lambda piece: (-len(piece), piece))[:MOST_MARKS])


def _stands(lines: Sequence[str], piece: str) -> bool:
    return any(piece in line for line in lines)
