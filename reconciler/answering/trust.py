"""The rule `trust_working_directory`: which agents have it, and for which dialogs it speaks. Pure.

It answers one question only: whether a program may trust the very folder that the roster gives its agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.answering.verdict import ShownDialog
from reconciler.attention.case import AttentionKind
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from specs.compiled import Agent, Fleet

RULE = "trust_working_directory"
EVERY_CLASS = "*"


def has_rule(fleet: Fleet, agent: Agent) -> bool:
    """Whether the agent's class has the rule."""
    return fleet.trusts.get(agent.agent_class, fleet.trusts.get(EVERY_CLASS, False))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAsked:
    """A dialog, and the folder that the roster gives the agent: absolute, without a trailing slash."""

    dialog: ShownDialog
    folder: str

    @property
    def folders(self) -> list[str]:
        """The lines of the question that are a path and nothing else."""
        lines = (line.strip() for line in self.dialog.question.split("\n"))
        return [line for line in lines if line.startswith(("/", "~/"))]


def objection(dialog: ShownDialog, folder: str) -> str:
    """What speaks against answering that dialog by the rule; "" for nothing."""
    return first_match(AGAINST, TrustAsked(dialog=dialog, folder=folder)).then


AGAINST: tuple[DecisionRow[TrustAsked, str], ...] = (
    DecisionRow("another question", lambda one: one.dialog.kind is not AttentionKind.TRUST,
        "it does not ask about trust in a folder", "the rule speaks for no other dialog"),
    DecisionRow("no folder", lambda one: not one.folders,
        "the folder that it asks about is not seen whole",
        "a long path is broken into lines, and nothing is pressed on a guess"),
    DecisionRow("another folder", lambda one: one.folders != [one.folder],
        "it asks about another folder than the agent's own",
        "a program may ask about the whole repository that a folder is in"),
    DecisionRow("its own folder", otherwise, "", "the roster names it"),
)  # fmt: skip
