"""A row: one line of `mosaic fleet ps`, and the order of the lines. Pure.

Rows of several hosts can be put together: each carries its tenant and its host, and a host that does not answer is a
row itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Literal, NamedTuple

from providers.base import Value
from providers.evidence import RawEvidence
from reconciler.model import Readiness
from specs.dataclass import dataclass

RowKind = Literal["agent", "removed", "orphan", "unmanaged", "host"]


class Sync(StrEnum):
    """How a row relates to git: the closed list."""

    SYNCED = "synced"
    DRIFTED = "drifted"  # something of it differs, and is about to be changed
    MISSING = "missing"  # it should run, and has no session
    EXTRA = "extra"  # it is here, and git does not declare it
    HELD = "held"  # a change is due and deliberately not made, or nothing may be concluded


class RowCase(NamedTuple):
    """A case that needs a person, by its id and kind; `since` is Unix seconds."""

    case: str
    kind: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Row(Value):
    """One line. Times are Unix seconds (0: never), lengths are seconds, memory is bytes; None where nothing tells.

    `state` is what the screen says: the readiness, or `stopped` and `absent` for an agent that is gone on purpose.
    `problems` are whole sentences, `notes` what is worth knowing and no fault; `wrong`: it needs somebody or something.
    `may_stop`: whether a stop or a change that is committed now would end it at once, `may_stop_why` why not.
    `next_verb` is the next automatic action, `next_at` when, 0 for "at the next look".
    """

    kind: RowKind
    name: str
    tenant_id: str
    host: str
    agent_class: str = ""
    runtime: str = ""
    desired: str = "undeclared"
    readiness: Readiness = Readiness.UNKNOWN
    readiness_why: str = ""
    attention: tuple[RowCase, ...] = ()  # what needs a person
    waiting: str = ""  # for what it waits for a person, "" while it does not
    question: str = ""  # the dialog's text as its screen shows it, where a reader knows it
    stuck: str = ""  # the kind of what keeps it from working, "" while nothing does
    until: str = ""  # when that ends, as its screen says it
    until_at: float = 0.0  # the same in Unix seconds, 0 if that is not known
    blank: bool = False  # its screen can be read, and shows nothing known
    sync: Sync = Sync.SYNCED
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    wrong: bool = False
    unit: str = ""
    enabled: bool | None = None
    session: str = ""  # alive, dead, missing, foreign, unknown
    socket: str = ""
    pid: int = 0
    program: str = ""
    started: float = 0.0
    idle: float | None = None
    heartbeat: str = "unknown"
    heartbeat_age: float | None = None
    heartbeat_source: str = ""
    mission: str = ""  # current, older, or "" where nothing tells what it was given
    mission_since: float = 0.0  # it has been older since then
    began: str = ""  # new, resumed or fresh; "" where nothing is recorded
    began_why: str = ""  # in words, "" for a new conversation that was due
    conversation: str = ""  # the id that its program was started with
    restarts: int = 0
    cpu_s: float | None = None
    memory: int | None = None
    health: str = ""
    available: bool | None = None
    may_stop: bool = False
    may_stop_why: str = ""
    next_verb: str = ""
    next_reason: str = ""
    next_at: float = 0.0
    evidence: tuple[RawEvidence, ...] = ()
    observed_at: float = 0.0

    @property
    def state(self) -> str:
        gone = self.desired in ("stopped", "absent") and self.readiness is Readiness.DEAD and self.sync is Sync.SYNCED
        return self.desired if gone else str(self.readiness)

    @property
    def shown_state(self) -> str:
        """The state for people, with its kind."""
        return with_kind(self.state, self.waiting, self.stuck, self.until, blank=self.blank)

    @property
    def why(self) -> str:
        """Why it is not as it should be; else what is worth knowing, "" for nothing."""
        return "; ".join((*self.problems, *self.notes))

    @property
    def up(self) -> float | None:
        """Seconds since the program in its pane has started; None if none lives."""
        return max(0.0, self.observed_at - self.started) if self.started and self.pid else None


def with_kind(state: str, waiting: str, stuck: str, until: str, *, blank: bool = False) -> str:
    """A state with what it waits for, what keeps it from working and until when, or why it is not known."""
    if waiting:
        return f"{state} ({waiting})"
    if stuck:
        return f"{state} ({stuck}, until {until})" if until else f"{state} ({stuck})"
    return f"{state} (its screen is not understood)" if blank and state == Readiness.UNKNOWN else state


def in_order(rows: Iterable[Row]) -> tuple[Row, ...]:
    """What is wrong first, then whoever waits for a person, then the rest; in each the agents before what nobody
    declared, the worst word first. The same order for rows of any number of hosts."""
    kinds: tuple[RowKind, ...] = ("host", "agent", "removed", "orphan", "unmanaged")
    words = [*Readiness]

    def rank(row: Row) -> tuple[int, int, int, str, str]:
        waits = row.readiness is Readiness.WAITING
        calm = row.state in ("stopped", "absent")
        group = 0 if row.wrong else 1 if waits else 3 if calm else 2
        worst = words.index(row.readiness) if group < 2 else 0
        return group, kinds.index(row.kind), worst, row.name, row.host

    return tuple(sorted(rows, key=rank))


def silent_host(host: str, tenant_id: str, why: str, now: float) -> Row:
    """The row of a host that did not answer: nothing is known of its agents, and that is what it says."""
    return Row(
        kind="host", name=host, host=host, tenant_id=tenant_id, readiness=Readiness.UNKNOWN, sync=Sync.HELD,
        problems=(why,), wrong=True, observed_at=now, desired="running", session="unknown",
    )  # fmt: skip
