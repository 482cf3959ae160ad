"""What answers a case: the commands to type, one for each answer. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.attention.case import DIALOGS, AttentionKind

if TYPE_CHECKING:
    from providers.programs.base import Choice

_LOOK = "mosaic agent attach {agent}"
_OTHER: dict[AttentionKind, tuple[str, ...]] = {
    AttentionKind.LOGGED_OUT: (_LOOK,),
    AttentionKind.LIMIT: (_LOOK,),
    AttentionKind.API_ERROR: ("mosaic agent send {agent} 'go on'", _LOOK),
    AttentionKind.RETRIES: ("mosaic agent send {agent} 'go on'", _LOOK),
    AttentionKind.STUCK: (_LOOK, "mosaic fleet restart {agent}"),
    AttentionKind.HUNG: (_LOOK, "mosaic fleet restart {agent}"),
    AttentionKind.QUARANTINE: ("mosaic agent status {agent}", "mosaic fleet release {agent}"),
    AttentionKind.CANNOT_START: ("mosaic agent status {agent}",),
    AttentionKind.UNCONFIRMED: ("mosaic agent outbox --show {life}", "mosaic agent outbox --cancel {life}"),
}


def way_to_answer(agent: str) -> str:
    """How to answer a dialog, for one who has just met it, in one line."""
    return (
        f"mosaic fleet attention shows the question and the commands that answer it (mosaic agent answer {agent} ...); "
        f"in its pane: mosaic agent attach {agent}"
    )


def answered_by(
    agent: str, kind: AttentionKind, case: str, life: str, choices: Sequence[Choice], *, takes_text: bool = False
) -> tuple[str, ...]:
    """The commands that answer a case. An answer is offered only if it is known which keys give it; a dialog without
    any such answer is answered in its pane."""
    if kind not in DIALOGS:
        return tuple(line.format(agent=agent, life=life) for line in _OTHER[kind])
    answer = f"mosaic agent answer {agent} --case {case}"
    means = [one.means for one in choices if one.keys]
    found = [f"{answer} --{word}" for word in ("allow", "deny") if means.count(word) == 1]
    named = {word for word in ("allow", "deny") if means.count(word) == 1}
    for number, one in enumerate(choices, 1):
        if one.keys and one.means not in named:
            found.append(f"{answer} --choose {number}")
    if takes_text:
        found.append(f"{answer} --text TEXT")
    return tuple(found) or (_LOOK.format(agent=agent),)
