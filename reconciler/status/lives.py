"""Lives: how each process of an agent began, in a new conversation or in the one that it had. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from providers.base import Json
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.launch.conversations import Beginning, ConversationRecord, ConversationStart
    from reconciler.model import AgentView

RECORD_S = 30.0  # how long a start may take to record how it begins
SHOWN_S = 3600.0  # how long a list says that an agent was resumed ...
FRESH_SHOWN_S = 86400.0  # ... and that it was started fresh, though it should have gone on
SLACK_S = 60.0  # between the start of a process and the line about it, if the clock was set meanwhile

_FRESH = {  # of the agent: `its` and `it` in lists, `your` and `you` in what itself reads
    "gone": "nothing is left of {its} conversation",
    "refused": "{its} program refused to go on with {its} conversation",
    "directory": "{its} conversation was held in another folder",
    "program": "{its} conversation was held with another program",
    "locked": "{its} program waited for a person instead of going on with {its} conversation",
    "stopped": "{it} had been stopped",
}
_RESUMED = {
    "chosen": "in the conversation that was asked for",
    "refused": "in the conversation before, as its program refused the one that was asked for",
    "gone": "in the conversation before, as nothing is left of the one that was asked for",
}
_UNFINISHED = "its last turn had not ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One process of an agent. `process`: the boot and the process id. `how`, `reason`, `session` and `interrupted` as
    in `ConversationStart`; `how` is "" where nothing is recorded. `newer`: digest of the mission and contract that the
    start would have given it, if its program went on with an older one, whose digest is `runs_on`; "" if it did not.
    `settled`: whether it is
    known how it began, or will not be known. `owed`: its first words are still to be sent; `logged`: its event is
    written, or there is none."""

    process: str
    started: float = 0.0  # Unix seconds
    how: Beginning | Literal[""] = ""
    reason: str = ""
    session: str = ""
    interrupted: bool = False
    newer: str = ""
    runs_on: str = ""
    settled: bool = True
    owed: bool = False
    logged: bool = True

    @property
    def notable(self) -> bool:
        """Whether people are told how it began."""
        return self.how in ("resumed", "fresh")

    @property
    def why(self) -> str:
        """How it began, in words; "" for a new conversation that was due."""
        if self.how == "fresh":
            return f"started fresh because {self._fresh_because('it', 'its')}"
        if self.how != "resumed":
            return ""
        said = [_RESUMED[self.reason]] if self.reason in _RESUMED else []
        said += [_UNFINISHED] if self.interrupted else []
        return "resumed" + (f": {'; '.join(said)}" if said else "")

    @property
    def preface(self) -> str:
        """What the agent itself is told before anything else, "" if it has nothing to be told."""
        if self.how != "fresh":
            return ""
        return f"You were started fresh because {self._fresh_because('you', 'your')}. You remember nothing from before."

    def _fresh_because(self, it: str, its: str) -> str:
        known = _FRESH.get(self.reason)
        return known.format(it=it, its=its) if known is not None else f"of this: {self.reason}"

    def note(self, now: float) -> str:
        """The same for a list: after a while it is no longer worth a line."""
        age = now - self.started
        return self.why if age < (FRESH_SHOWN_S if self.how == "fresh" else SHOWN_S) else ""


def life_of(view: AgentView, boot: str, record: ConversationRecord, now: float) -> Life:
    """The life that is seen. An agent without any start in its record has a program that records none."""
    process = process_of(view, boot)
    if not record.starts:
        return Life(process=process, started=view.started)
    start = _start_of(view, record)
    if start is None:
        return Life(process=process, started=view.started, settled=now - view.started >= RECORD_S)
    kept = start.how == "resumed" and start.mission not in ("", view.mission) and view.mission != ""
    return Life(
        process=process,
        started=view.started,
        how=start.how,
        reason=start.reason,
        session=start.session,
        interrupted=start.interrupted and start.how == "resumed",
        newer=view.mission if kept else "",
        runs_on=start.mission if kept else "",
    )


def process_of(view: AgentView, boot: str) -> str:
    return f"{boot}:{view.pid}"


def _start_of(view: AgentView, record: ConversationRecord) -> ConversationStart | None:
    """Only the last start can be of the process that lives."""
    start = record.last_start
    same = start is not None and start.life.partition(".")[0] == str(view.pid)
    return start if start is not None and same and start.at >= view.started - SLACK_S else None


def lives_to_json(lives: Mapping[str, Life]) -> dict[str, Json]:
    """By agent; what is as usual is left out."""
    usual = Life(process="")
    return {
        name: {key: value for key in Life.__slots__ if (value := getattr(life, key)) != getattr(usual, key)}
        for name, life in lives.items()
    }


def lives_from_json(raw: object) -> dict[str, Life]:
    """What is not understood is left out. An older version kept the process alone."""
    found: dict[str, Life] = {}
    for name, one in raw.items() if isinstance(raw, dict) else ():
        if isinstance(one, dict) and isinstance(one.get("process"), str):
            known = {key: value for key, value in one.items() if key in Life.__slots__}
            try:
                found[str(name)] = Life(**known)
            except TypeError:
                continue
        elif isinstance(one, str | int):
            found[str(name)] = Life(process=str(one))
    return found
