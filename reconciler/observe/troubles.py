"""Troubles: what keeps an agent's program from working, and when that is over. Pure.

Evidence of a trouble is often momentary: a line of the conversation that scrolls away, a report that the next one
replaces. So a trouble stays until positive evidence ends it: a turn that a model has answered, a new process, a screen
that would show it and does not. A report that merely says "not busy" ends nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from providers.evidence import KeptTrouble
from reconciler.helpers.decision_table import DecisionRow, first_match, otherwise
from specs.dataclass import dataclass, field

# The words of programs for the kinds of `Trouble`. A word that is not here stays as it is.
_KINDS: Mapping[str, str] = {
    "rate_limit": "limit",
    "rate-limit": "limit",
    "usage_limit": "limit",
    "billing_error": "limit",
    "authentication_failed": "logged-out",
    "invalid_request": "api-error",
    "server_error": "api-error",
    "max_output_tokens": "api-error",
    "model-request-failed": "api-error",
    "error": "api-error",
    "unknown": "api-error",
}
PHRASES: Mapping[str, str] = {
    "logged-out": "it is logged out",
    "limit": "it is at its usage limit",
    "api-error": "its last request to the model failed",
    "retries": "it has given up its retries",
}
# A new conversation ends these: the request that failed is no longer part of it.
OF_A_CONVERSATION = frozenset({"api-error", "retries"})


def kind_of(word: str) -> str:
    """The kind of trouble that a program's own word means; the word itself if no kind is known for it."""
    return _KINDS.get(word, word)


def phrase(kind: str, until: str = "") -> str:
    """The trouble as a sentence without its full stop."""
    said = PHRASES.get(kind, f"its program says that it cannot go on ({kind})")
    return f"{said} until {until}" if until else said


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleEvidence:
    """What one look shows of an agent's troubles, and what was kept from earlier looks.

    `seen`, `lives`: its pane could be looked at, and a process lives in it. `shown` is the kind on its screen,
    `reported` the kind in its program's newest report, from `reported_at`; "" for none. `answered_at`: when it last
    reported something that only follows an answer of the model; `session`: its program's id of its conversation;
    `taken_back_at`: when a program that reports for itself last said that it is fine. All are Unix seconds, 0 for
    never. `without`: kinds that its screen would show, and does not.
    """

    seen: bool = True
    lives: bool = True
    life: str = ""
    shown: str = ""
    reported: str = ""
    reported_at: float = 0.0
    answered_at: float = 0.0
    session: str = ""
    taken_back_at: float = 0.0
    without: Collection[str] = field(default_factory=tuple)
    kept: KeptTrouble | None = None

    @property
    def another_life(self) -> bool:
        """Whether what was kept is about an earlier process."""
        return self.kept is not None and self.kept.life != self.life

    @property
    def another_conversation(self) -> bool:
        """Whether its program is in another conversation by now."""
        return self.kept is not None and bool(self.kept.session and self.session) and self.kept.session != self.session

    @property
    def refuted(self) -> bool:
        """Whether an earlier screen has shown that what its newest report says is over."""
        kept = self.kept
        return (
            kept is not None and bool(kept.over) and kept.kind == self.reported and not self.another_life
            and self.reported_at <= kept.over
        )  # fmt: skip

    def since_then(self, at: float) -> bool:
        """Whether something came after the trouble was first seen."""
        return self.kept is not None and at > self.kept.since


Source = Literal["shown", "reported", "kept", "over", ""]


def trouble_now(evidence: TroubleEvidence, now: float, until: str = "") -> tuple[KeptTrouble | None, Source]:
    """What to keep after this look, and where it is known from: its screen, its program's newest report, or earlier
    looks alone. "over": it counts no more, and is kept for the report that still says it. `until`: what its screen says
    of its end."""
    source = first_match(TROUBLES, evidence).then
    if source in ("", "kept"):
        return (evidence.kept if source else None), source
    if source == "over":
        old = evidence.kept
        if old is None or (old.over and not evidence.refuted):
            old = KeptTrouble(evidence.reported, now, evidence.life, reported=True, session=evidence.session)
        return (old if old.over else old._replace(over=now)), source
    kind = evidence.shown if source == "shown" else evidence.reported
    kept = None if evidence.another_life or (evidence.kept is not None and evidence.kept.over) else evidence.kept
    reported = source == "reported"
    if kept is not None and kept.kind == kind and (not until or until == kept.until):
        return (kept if kept.reported == reported else kept._replace(reported=reported)), source
    since = kept.since if kept is not None and kept.kind == kind else now
    end = 0.0
    if until:
        from reconciler.observe.until import until_at  # its patterns take long to compile, and few agents need them

        end = until_at(until, now)
    return KeptTrouble(kind, since, evidence.life, until, end, reported, evidence.session), source


TROUBLES: tuple[DecisionRow[TroubleEvidence, Source], ...] = (
    DecisionRow("unseen", lambda one: not one.seen and one.kept is not None, "kept",
        "nothing is concluded about what was not seen"),
    DecisionRow("gone", lambda one: not one.seen or not one.lives, "",
        "no process lives that could have a trouble"),
    DecisionRow("on its screen", lambda one: one.shown, "shown",
        "its screen shows it now"),
    DecisionRow("refuted", lambda one: one.refuted, "over",
        "that report is older than the screen that showed its end"),
    DecisionRow("reported", lambda one: one.reported and one.reported not in one.without, "reported",
        "its program's newest report says so, and its screen does not show that it is over"),
    DecisionRow("reported, and over at once", lambda one: one.reported and (one.kept is None or one.kept.over), "over",
        "its screen shows that what the report says is over"),
    DecisionRow("none", lambda one: one.kept is None or one.kept.over, "",
        "there was none, and there is none"),
    DecisionRow("another process", lambda one: one.another_life, "",
        "it was an earlier process that had it"),
    DecisionRow("answered", lambda one: one.since_then(one.answered_at), "",
        "the model has answered since"),
    DecisionRow("its screen is without it", lambda one: one.kept is not None and one.kept.kind in one.without, "over",
        "its screen would show it, and does not"),
    DecisionRow("taken back",
        lambda one: one.kept is not None and one.kept.reported and one.since_then(one.taken_back_at), "",
        "the program that reported it for itself says that it is fine"),
    DecisionRow("a new conversation",
        lambda one: one.kept is not None and one.kept.kind in OF_A_CONVERSATION and one.another_conversation, "",
        "the request that failed is no part of the conversation any more"),
    DecisionRow("it stays", otherwise, "kept",
        "nothing shows that it is over"),
)  # fmt: skip
