"""Judge what an agent's screen shows after an answer. Pure."""

from __future__ import annotations

from typing import Literal

from providers.programs.base import Reading
from reconciler.answering.verdict import ShownDialog
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from specs.dataclass import dataclass

# same: the dialog is still shown. other: another one is. gone: none is, by positive evidence. unclear: none is, and
# nothing else that is known either, as in the middle of a repaint. ended: its program has.
DialogSight = Literal["same", "other", "gone", "unclear", "ended", "blind"]


NO_READING = Reading()


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterAnswer:
    """One look after a key. `pane`: "blind" if tmux did not answer. `dialog`: what is shown now, None for none."""

    pane: Literal["ok", "gone", "blind"]
    before: ShownDialog
    dialog: ShownDialog | None = None
    reading: Reading = NO_READING


def sight(look: AfterAnswer) -> DialogSight:
    """What the look says about the dialog."""
    return first_match(SIGHTS, look).then


SIGHTS: tuple[DecisionRow[AfterAnswer, DialogSight], ...] = (
    DecisionRow("blind", lambda look: look.pane == "blind", "blind", "tmux did not answer"),
    DecisionRow("ended", lambda look: look.pane == "gone", "ended",
        "some answers end the program: a folder that is not trusted"),
    DecisionRow("the same", lambda look: look.dialog is not None and look.dialog.case == look.before.case, "same",
        "the selected choice may differ; the text and the choices do not"),
    DecisionRow("another", lambda look: look.dialog is not None, "other", "the next question"),
    DecisionRow("its composer", lambda look: look.reading.composer != "hidden", "gone", "it can be talked to again"),
    DecisionRow("at work", lambda look: look.reading.turn == "busy", "gone", "it goes on with its turn"),
    DecisionRow("in trouble", lambda look: look.reading.trouble, "gone", "its reader knows the screen"),
    DecisionRow("unclear", otherwise, "unclear", "nothing that is known: perhaps it is being painted"),
)  # fmt: skip


def what_it_does(reading: Reading) -> str:
    """What the agent does now, for people."""
    if reading.trouble:
        return f"it cannot work: {reading.why or reading.trouble}"
    if reading.turn == "busy":
        return "it works"
    if reading.composer == "draft":
        return "its composer holds a draft"
    return "it waits for its next message" if reading.composer == "empty" else "its screen shows no dialog"
