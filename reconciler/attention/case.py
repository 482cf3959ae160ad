"""A case: one thing that needs a person, with what it asks and what answers it. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from hashlib import sha256

from providers.programs.base import Choice
from specs.dataclass import dataclass

ID_DIGITS = 8  # hexadecimal: short enough to type, and 2^32 to one against two cases of an agent sharing one


class AttentionKind(StrEnum):
    """The closed list, most urgent first; docs/attention.md has it too."""

    PERMISSION = "permission"
    QUESTION = "question"
    TRUST = "trust"
    BYPASS = "bypass"
    LOGIN = "login"
    FIRST_RUN = "first-run"
    MODEL = "model"
    RESUME = "resume"
    DIALOG = "dialog"  # one that no reader has a name for
    LOGGED_OUT = "logged-out"
    LIMIT = "limit"
    API_ERROR = "api-error"
    RETRIES = "retries"
    STUCK = "stuck"  # its program says that it cannot go on, in a word of its own
    HUNG = "hung"
    QUARANTINE = "quarantine"
    CANNOT_START = "cannot-start"
    UNCONFIRMED = "unconfirmed"


# Those that a dialog on the agent's screen asks: `mosaic agent answer` answers them.
DIALOGS = frozenset(
    {
        AttentionKind.PERMISSION,
        AttentionKind.QUESTION,
        AttentionKind.TRUST,
        AttentionKind.BYPASS,
        AttentionKind.LOGIN,
        AttentionKind.FIRST_RUN,
        AttentionKind.MODEL,
        AttentionKind.RESUME,
        AttentionKind.DIALOG,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionCase:
    """One thing that needs a person.

    `id`: see `case_id`. `life`: what the case belongs to and ends with: the process in the pane (`pid.ticks`), a
    quarantine, a message. `since`: Unix seconds, when it was first seen. `question`: the dialog as the screen shows it,
    or a sentence of ours; bounded, without control characters and recognisable secrets. `answered_by`: the commands
    that answer it, one for each answer. `until`: when it ends by itself, as the screen says it, and `until_at` the same
    in Unix seconds, 0 if that is not known. `suspended`: the agent is left alone on purpose.
    """

    id: str
    agent: str
    kind: AttentionKind
    life: str
    since: float
    question: str = ""
    choices: tuple[Choice, ...] = ()
    answered_by: tuple[str, ...] = ()
    until: str = ""
    until_at: float = 0.0
    suspended: bool = False

    @property
    def asked(self) -> bool:
        """Whether the text of its dialog is known, so that it can be told from the next one of the same kind."""
        return bool(self.choices or (self.kind in DIALOGS and self.question))


def case_id(agent: str, life: str, kind: AttentionKind | str, question: str, choices: Sequence[Choice]) -> str:
    """The id of a case: 8 hexadecimal digits. The same dialog of the same process has the same id however it is
    painted: white space and the selected choice do not count. Another question, choice or process has another id."""
    words = [agent, life, str(kind), " ".join(question.split()), *(" ".join(one.label.split()) for one in choices)]
    return sha256(json.dumps(words).encode("utf-8", "surrogatepass")).hexdigest()[:ID_DIGITS]
