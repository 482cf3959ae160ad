"""The conversation record: which conversations an agent has had, and how each start of its program began. Pure.

`$MOSAIC_HOME/fleet/conversations/NAME.log`, mode 0600 in a folder of mode 0700; only ever appended to, so that whoever
is killed while writing leaves a line that readers pass over. A line is an event and `key=value` words, with tabs
between them; a value has no tab and no line break:

    start  at life program class declared dir how reason id source file once local turn mission contract
    id     at life program id source said file
    reset  at life
    end    at life status signal

- `start`: agent-pane writes it when it is about to become the program. `how` and `reason`: see `ConversationStart`.
  `id` and `file` are of the conversation that the program was given, "" where it was given none. `once`, `local`:
  below. `turn=open`: the turn of the life before it had not ended when that life did; its last report (`run/NAME.turn`,
  else `run/NAME.hb`) came from its process and said `busy`. `mission`: the digest of the mission and contract that this
  conversation runs on (`MOSAIC_MISSION`); where a program goes on with the contract that it was first given, the digest
  of that one. `contract`: a sum of the contract that the program gets with its first prompt, and keeps.
- `id`: the program itself has named its conversation: `source` is `hook` or `native`. `file` is where it keeps it, if
  it said so. Written when the id is another one, and at the first prompt (then `said` is 1).
- `reset`: a new conversation was begun in the pane. No start goes back by itself to what was named before that time.
- `end`: the program was found ended: its exit status, or the signal that ended it.

`at` is Unix seconds; `life` is the process, `PID.TICKS` (its number and field 22 of its stat), as in the pane's mark
`@mosaic_life`. An `id`, `reset` or `end` counts for the start of the same life only.

The decision is made at each start, in the pane (`framework_files/agent-conversation`), from the record and two things
that others write:

- `RESUME_KEY` in the launch environment: the policy, `on-heal`, `always` or `never`; absent is `on-heal`. With `never`
  every start begins a new conversation. With `on-heal` an agent that is declared in another way than the recorded one
  (`MOSAIC_DECLARED`, recorded as `declared`) begins a new one, too.
- A request for one start, `NONCE [after LIFE] fresh [REASON]` or `NONCE session ID`: in the launch environment under
  `ONCE_KEY` (what git asks for), or in `once_path` (what this host asks for, which comes first). It holds for the next
  start and no other: each start records the nonce that it has seen (`once`, `local`), and a nonce that the last start
  has seen asks for nothing more. So nothing has to be removed, and a start that is killed anywhere has either seen it
  or not. Use another nonce for each request. With a REASON, a word, the start is recorded as `fresh` for that reason.
  With `after LIFE` it asks for nothing once any other life has been recorded. This host writes its requests when that
  life has been ended, and not before: whoever is killed in between has left the conversation to be gone on with, and no
  request that a later end of a healthy life would meet.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.host import HostFacts

RESUME_KEY = "MOSAIC_RESUME"
ONCE_KEY = "MOSAIC_RESUME_ONCE"

Beginning = Literal["new", "resumed", "fresh"]
SessionSource = Literal["given", "chosen", "hook", "native", ""]
_HOW: Mapping[str, Beginning] = {"new": "new", "resumed": "resumed", "fresh": "fresh"}
_SOURCES: Mapping[str, SessionSource] = {"given": "given", "chosen": "chosen", "hook": "hook", "native": "native"}
_WORD = re.compile(r"[A-Za-z0-9_.:-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationStart:
    """One start of an agent's program.

    `how`: `resumed`: it was told to go on with `session`; `new`: a new conversation was due; `fresh`: it should have
    gone on, and could not. `reason` of `new`: `first` (nothing had been said), `policy`, `declared` (otherwise than
    before), `requested`, `reset`; of `fresh`: `refused` (the program ended by itself soon after it was told to go on,
    three times in a row if it had reported first, twice if it reports nothing before a prompt),
    `gone` (nothing of it is left), `directory`, `program` (it is of another one), or the word of the request; of
    `resumed`: "", `chosen` (a request named it), `refused` or `gone` (back in the one before, as the chosen one was).
    `interrupted`: the last turn before it had not ended. `mission`: the digest of the mission and contract that it runs
    on, "" if that is not known. `status` and `signal`: how the program ended, None if that is not known.
    """

    at: float
    life: str
    program: str
    how: Beginning
    reason: str = ""
    session: str = ""
    agent_class: str = ""
    directory: str = ""
    interrupted: bool = False
    mission: str = ""
    status: int | None = None
    signal: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One conversation of an agent. `started` and `last` are Unix seconds: when it was first and last recorded. `how`
    is how it first began. `said`: its program has taken up a prompt in it. `file`: where its program keeps it, "" if
    that is not known."""

    session: str
    program: str
    source: SessionSource
    life: str
    directory: str
    started: float
    last: float
    how: Beginning
    reason: str = ""
    file: str = ""
    said: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRecord:
    """What a record says. `starts` and `conversations` are oldest first; of one that was gone on with, the life is the
    last one. `current`: the id of the conversation that the newest life is in, "" if that is not known (yet).
    `unread`: lines that are damaged."""

    starts: tuple[ConversationStart, ...] = ()
    conversations: tuple[Conversation, ...] = ()
    current: str = ""
    unread: int = 0

    @property
    def last_start(self) -> ConversationStart | None:
        return self.starts[-1] if self.starts else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """A request for the next start. `nonce`: another one for each request. `session`: the id to go on with, "" for a
    new conversation. `reason`: one word, why a new one is needed though it should have gone on; "" if somebody asked
    for one. `life`: the one that was ended for it (`PID.TICKS`), "" if that is not known."""

    nonce: str
    session: str = ""
    reason: str = ""
    life: str = ""

    def render(self) -> str:
        """The value under `ONCE_KEY`, and the line in `once_path`. Raises ValueError for what is not one word."""
        words = [self.nonce, *(["after", self.life] if self.life else [])]
        words += ["session", self.session] if self.session else ["fresh"]
        words += [self.reason] if self.reason and not self.session else []
        for word in words:
            if not _WORD.fullmatch(word):
                raise ValueError(f"{word!r} is not one plain word")
        return " ".join(words)


def folder_path(facts: HostFacts) -> str:
    """The folder of the records: it survives a reboot, and is private."""
    return f"{facts.mosaic_home}/fleet/conversations"


def record_path(name: str, facts: HostFacts) -> str:
    """The conversation record of an agent."""
    return f"{folder_path(facts)}/{name}.log"


def once_path(name: str, facts: HostFacts) -> str:
    """Where this host asks for something at an agent's next start: one line, written whole, mode 0600."""
    return f"{folder_path(facts)}/{name}.once"


def reset_line(life: str, at: float) -> str:
    """The line to append when a new conversation was begun in the pane of this life. The line break before it ends one
    that a crash has cut short."""
    return f"\nreset\tat={int(at)}\tlife={life}\n"


def parse(text: str) -> ConversationRecord:
    """What a record says; lines that are not understood are counted, and passed over."""
    reader = _Reader()
    for line in text.split("\n"):
        if line and not reader.take(line):
            reader.unread += 1
    return reader.record()


class _Reader:
    def __init__(self) -> None:
        self.unread = 0
        self._starts: list[ConversationStart] = []
        self._found: dict[str, Conversation] = {}
        self._life = self._current = ""
        self._spoke = 0.0  # when the newest life has last named its conversation

    def take(self, line: str) -> bool:
        event, *words = line.split("\t")
        values = dict(_split(word) for word in words)
        at, life = _number(values.get("at", "")), values.get("life", "")
        if at is None or not life:
            return False
        if event == "start":
            return self._start(at, life, values)
        if event == "id":
            return self._named(at, life, values)
        if event == "reset" and life == self._life and at > self._spoke:
            self._current = ""
        elif event == "end":
            self._end(life, values)
        return event in ("reset", "end")

    def record(self) -> ConversationRecord:
        return ConversationRecord(
            starts=tuple(self._starts),
            conversations=tuple(self._found.values()),
            current=self._current,
            unread=self.unread,
        )

    def _start(self, at: float, life: str, values: Mapping[str, str]) -> bool:
        how = _HOW.get(values.get("how", ""))
        if how is None:
            return False
        start = ConversationStart(
            at=at,
            life=life,
            program=values.get("program", ""),
            how=how,
            reason=values.get("reason", ""),
            session=values.get("id", ""),
            agent_class=values.get("class", ""),
            directory=values.get("dir", ""),
            interrupted=values.get("turn", "") == "open",
            mission=values.get("mission", ""),
        )
        self._starts.append(start)
        self._life, self._current, self._spoke = life, start.session, 0.0
        if start.session:
            self._note(at, life, start.session, values, said=False)
        return True

    def _named(self, at: float, life: str, values: Mapping[str, str]) -> bool:
        session = values.get("id", "")
        if not session:
            return False
        self._note(at, life, session, values, said=values.get("said") == "1")
        if life == self._life or not self._starts:
            self._current, self._spoke = session, at
        return True

    def _note(self, at: float, life: str, session: str, values: Mapping[str, str], *, said: bool) -> None:
        known = self._found.get(session)
        start = next((one for one in reversed(self._starts) if one.life == life), None)
        self._found[session] = Conversation(
            session=session,
            program=(known.program if known else "") or values.get("program", "") or (start.program if start else ""),
            source=known.source if known else _SOURCES.get(values.get("source", ""), ""),
            life=life,
            directory=(known.directory if known else "") or (start.directory if start else ""),
            started=known.started if known else at,
            last=at,
            how=known.how if known else start.how if start and start.session in ("", session) else "new",
            reason=known.reason if known else start.reason if start and start.session in ("", session) else "",
            file=values.get("file", "") or (known.file if known else ""),
            said=said or (known.said if known else False),
        )

    def _end(self, life: str, values: Mapping[str, str]) -> None:
        for at in range(len(self._starts) - 1, -1, -1):
            if self._starts[at].life == life:
                ended = {key: _number(values.get(key, "")) for key in ("status", "signal")}
                self._starts[at] = replace(
                    self._starts[at],
                    status=None if ended["status"] is None else int(ended["status"]),
                    signal=None if ended["signal"] is None else int(ended["signal"]),
                )
                return


def _split(word: str) -> tuple[str, str]:
    key, _, value = word.partition("=")
    return key, value


def _number(text: str) -> float | None:
    return float(text) if text.isdecimal() and text.isascii() and len(text) < 16 else None
