"""Refusals: decide from a look at a pane why nothing may be put into it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.attention.answers import way_to_answer
from reconciler.delivery.verdict import Delivery
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from reconciler.model import OF_A_PERSON
from reconciler.observe.readiness import waits_for
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.programs.base import Reading
    from providers.tmux.pane_input import PaneState


@dataclass(frozen=True, slots=True, kw_only=True)
class PaneLook:
    """A pane before anything is put into it; see `refusal`."""

    agent: str
    pane: PaneState
    program: str
    wrong: str
    reading: Reading | None
    said: str
    stuck: str = ""
    until: str = ""

    @property
    def waits(self) -> str:
        """What it waits for a person to do."""
        return waits_for(self.said, self.reading.asks if self.reading is not None else "")


@dataclass(frozen=True, slots=True)
class Refusing:
    """`reason` is a sentence without its full stop, `way` what to do; both may name what was seen."""

    reason: str
    way: str


def refusal(
    agent: str,
    pane: PaneState,
    *,
    program: str,
    wrong: str,
    reading: Reading | None,
    said: str = "",
    stuck: str = "",
    until: str = "",
) -> Delivery | None:
    """Why nothing may be put into a pane, None if something may. `wrong`: what runs there instead of `program`, "" if
    the program itself does; `reading` None: this program's screen cannot be read. `said`: what it waits for a person to
    do, by its newest report. `stuck`: what keeps it from working until `until`, "" for a limit whose end is not known
    or over: then a message may be what shows that it is over."""
    look = PaneLook(
        agent=agent, pane=pane, program=program, wrong=wrong, reading=reading, said=said, stuck=stuck, until=until
    )
    refusing = first_match(REFUSALS, look).then
    if refusing is None:
        return None
    words = {"agent": agent, "wrong": wrong, "program": program, "waits": look.waits, "until": until}
    words["answer"] = way_to_answer(agent)
    return Delivery(word="not-delivered", reason=refusing.reason.format(**words), way=refusing.way.format(**words))


REFUSALS: tuple[DecisionRow[PaneLook, Refusing | None], ...] = (
    DecisionRow("no session", lambda look: look.pane.found in ("no-server", "no-session", "no-pane"),
        Refusing("it has no session", "mosaic agent status {agent} says why"),
        "there is no pane to put it into"),
    DecisionRow("foreign", lambda look: look.pane.found == "foreign",
        Refusing("a tmux session of its name exists that is not this fleet's", "nothing of others is touched"),
        "the session belongs to somebody else"),
    DecisionRow("ended", lambda look: look.pane.dead,
        Refusing("its program has ended", "mosaic agent status {agent} says why, and when it is started again"),
        "nobody would read it"),
    DecisionRow("launching", lambda look: look.wrong == "launch",
        Refusing("its launch has not finished", "try again in a moment"),
        "a shell would run it as a command"),
    DecisionRow("another program", lambda look: look.wrong,
        Refusing('"{wrong}" runs in its pane, not {program}', "look at it: mosaic agent attach {agent}"),
        "the program that runs there would misread it"),
    DecisionRow("copy mode", lambda look: look.pane.in_mode,
        Refusing("its pane is in copy mode", "leave it with q: mosaic agent attach {agent}"),
        "a person is reading there, and keys go to tmux"),
    DecisionRow("a person is there", lambda look: look.waits in OF_A_PERSON,
        Refusing("it waits for a person ({waits})", "look at it: mosaic agent attach {agent}"),
        "somebody has opened a menu, or has begun to write"),
    DecisionRow("asks a person", lambda look: look.waits,
        Refusing("it waits for a person ({waits})", "{answer}"),
        "the message would answer the question"),
    DecisionRow("logged out", lambda look: look.stuck == "logged-out",
        Refusing("it is logged out", "log it in: mosaic agent attach {agent}"),
        "some programs report a message before they look whether they are logged in, and no model would get it"),
    DecisionRow("at its limit", lambda look: look.stuck == "limit" and look.until,
        Refusing("it is at its usage limit until {until}",
                 "let it wait: mosaic agent send {agent} --when available"),
        "the model would refuse it"),
    DecisionRow("its screen cannot be read", lambda look: look.reading is None,
        None, "no reason against it is known"),
    DecisionRow("a draft", lambda look: look.reading is not None and look.reading.composer == "draft",
        Refusing("a person's draft stands in its composer", "send or drop it: mosaic agent attach {agent}"),
        "the message would be mixed with it"),
    DecisionRow("no composer", lambda look: look.reading is not None and look.reading.composer == "hidden",
        Refusing("its composer is not on its screen",
                 "it may still be starting; look at it: mosaic agent attach {agent}"),
        "it is not known what would receive it"),
    DecisionRow("ready", otherwise,
        None, "its composer is empty, and nothing waits for a person"),
)  # fmt: skip
