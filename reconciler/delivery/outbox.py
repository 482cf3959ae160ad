"""The outbox: messages that wait on this host until their agent is available. One file for each, written whole.

The loop sends them in the order in which they were stored, one for each agent in a pass. Before anything goes into a
pane, the file says `sending`. If a later run finds that word, the sending run was ended: nobody knows whether the
message arrived, so it is kept as `unconfirmed` for the operator, and never sent again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from reconciler.delivery.message import Message, next_id, parse
from reconciler.delivery.verdict import DeliveryState
from reconciler.errors import Locked, MosaicError, NotFound, Refused
from reconciler.helpers.atomic_files import parse_json, read_optional, sync_folder
from reconciler.state.lock import run_lock
from reconciler.state.store import Store, write_failure
from specs.dataclass import asdict, replace

MAX_MESSAGES = 1000  # for a fleet on this host ...
MAX_OF_AGENT = 100  # ... and for one agent
MAX_BYTES = 16 << 20
KEEP_S = 7 * 86400.0  # how long an unconfirmed or put-away message is kept for people to read
_FILE_MAX = 4 << 20
_LOCK_S = 5.0


class Outbox:
    """The messages of one fleet on this host. Each change holds a lock for a moment; raises StateError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.state / "outbox"

    def messages(self) -> tuple[Message, ...]:
        """All messages: an agent's kickstart first, then what continues a turn, then in the order in which they were
        stored. Raises StateError."""
        try:
            names = sorted(name for name in os.listdir(self._folder) if name.endswith(".json") and name[0] != ".")
        except (FileNotFoundError, NotADirectoryError):
            return ()
        except OSError as error:
            raise write_failure(self._folder, error) from error
        found = (self._read(name.removesuffix(".json")) for name in names)
        return tuple(
            sorted((one for one in found if one is not None), key=lambda one: (not one.kickstart, not one.life, one.id))
        )

    def put(
        self, *, agent: str, sender: str, text: str, now: float, expires: float = 0.0, revision: str = ""
    ) -> Message:
        """Store a message until its agent is available. `revision`: the commit in force, which identifies the recipient
        later. Raises Refused if there are too many already, StateError."""
        with self._locked(now):
            known = self.messages()
            of_agent = [one for one in known if one.agent == agent]
            size = sum(len(one.text) for one in known)
            if len(known) >= MAX_MESSAGES or len(of_agent) >= MAX_OF_AGENT or size + len(text) > MAX_BYTES:
                raise Refused(
                    f"the outbox is full: {len(of_agent)} messages for {agent}, {len(known)} in all",
                    help=f"look at them, and cancel some: mosaic agent outbox {agent}",
                )
            name = next_id(now, known, os.urandom(2).hex())
            message = Message(
                id=name,
                agent=agent,
                sender=sender,
                text=text,
                created=now,
                expires=expires,
                revision=revision,
            )
            self._write(message)
        return message

    def put_kickstart(self, *, agent: str, sender: str, kickstart: str, now: float, preface: str = "") -> Message:
        """Store an agent's first words. They replace a kickstart that still waits."""
        with self._locked(now):
            known = self.messages()
            name = next_id(now, known, os.urandom(2).hex())
            message = Message(
                id=name,
                agent=agent,
                sender=sender,
                kickstart=kickstart,
                preface=preface,
                created=now,
            )
            self._write(message)
            for one in known:
                if one.agent == agent and one.kickstart and one.state == "waiting":
                    self._unlink(one.id)
        return message

    def put_nudge(self, *, agent: str, sender: str, text: str, life: str, now: float) -> None:
        """Store what an agent is told in this life alone: to go on, or why it was started fresh. It replaces one that
        still waits, of this or an earlier life."""
        with self._locked(now):
            known = self.messages()
            name = next_id(now, known, os.urandom(2).hex())
            self._write(Message(id=name, agent=agent, sender=sender, text=text, life=life, created=now))
            for one in known:
                if one.agent == agent and one.life and one.state == "waiting":
                    self._unlink(one.id)

    def put_mission(self, *, agent: str, sender: str, mission: str, text: str, now: float) -> None:
        """Announce a new mission to an agent, once: does nothing if a message about it is there, in whatever state.
        Replaces waiting messages about older ones."""
        with self._locked(now):
            known = self.messages()
            older = [one for one in known if one.agent == agent and one.mission]
            if all(one.mission != mission for one in older):
                name = next_id(now, known, os.urandom(2).hex())
                message = Message(id=name, agent=agent, sender=sender, text=text, mission=mission, created=now)
                self._write(message)
            for one in older:
                if one.mission != mission and one.state == "waiting":
                    self._unlink(one.id)

    def put_queued(
        self, *, agent: str, sender: str, text: str, process: str, now: float, expires: float, revision: str
    ) -> None:
        """Keep a message that was sent past the outbox, and that its agent's program may still lose."""
        with self._locked(now):
            name = next_id(now, self.messages(), os.urandom(2).hex())
            kept = Message(
                id=name, agent=agent, sender=sender, text=text, created=now, expires=expires, state="queued",
                revision=revision, ended=now, queued_in=process,
            )  # fmt: skip
            self._write(kept)

    def queued(self, message: Message, now: float, process: str) -> None:
        """Record that it was put into its program's own queue."""
        with self._locked(now):
            self._write(replace(message, state="queued", reason="", ended=now, queued_in=process))

    def begin(self, message: Message, now: float) -> bool:
        """Mark it as being sent. False if it is no longer waiting."""
        with self._locked(now):
            current = self._read(message.id)
            if current is None or current.state != "waiting":
                return False
            self._write(replace(current, state="sending"))
        return True

    def end(self, message: Message, now: float, *, state: DeliveryState | None, reason: str = "") -> None:
        """Record the outcome. None: it is done, and its file is removed. Nothing is recorded about a message that is
        gone: somebody has cancelled it since it was read."""
        with self._locked(now):
            if self._read(message.id) is None:
                return
            if state is None:
                self._unlink(message.id)
            else:
                tries = message.tries + (state == "waiting")
                ended = 0.0 if state in ("waiting", "sending") else now
                kept = replace(message, state=state, reason=reason, tries=tries, ended=ended)
                self._write(replace(kept, queued_in="") if state == "waiting" else kept)

    def note(self, message: Message, now: float, *, revision: str, reason: str) -> Message:
        """Record what is known about a message that still waits: at which commit its agent was still the same, and why
        it waits."""
        with self._locked(now):
            current = self._read(message.id)
            if current is None or current.state != "waiting":
                return message
            noted = replace(current, revision=revision, reason=reason)
            if noted != current:
                self._write(noted)
        return noted

    def cancel(self, name: str, now: float) -> Message:
        """Delete the message with that id, or with the only id that begins so. Raises NotFound, and Refused if it is
        being sent."""
        with self._locked(now):
            found = self.find(name)
            if found.state == "sending":
                raise Refused(
                    f"message {found.id} is being sent just now", help="mosaic agent outbox says what becomes of it"
                )
            self._unlink(found.id)
        return found

    def find(self, name: str) -> Message:
        """The message with that id, or with the only id that begins so. Raises NotFound."""
        return _one(self.messages(), name)

    def sweep(self, now: float) -> None:
        """Remove what killed writers left, and the folder itself once it is empty."""
        with self._locked(now), suppress(OSError):
            for left in self._folder.glob(".*.tmp"):
                left.unlink(missing_ok=True)
            self._folder.rmdir()

    @contextmanager
    def _locked(self, now: float) -> Iterator[None]:
        lock = Store(self._store.state, self._store.runtime / "outbox", read_only=self._store.read_only)
        try:
            with run_lock(lock, now=now, wait_s=_LOCK_S, command="the outbox"):
                yield
        except Locked as error:
            raise MosaicError(f"the outbox is held by another process: {error.message}", help="try again") from error

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _write(self, message: Message) -> None:
        self._store.write(self._path(message.id), json.dumps(asdict(message)))

    def _unlink(self, name: str) -> None:
        self._store.guard(self._path(name))
        try:
            self._path(name).unlink(missing_ok=True)
            sync_folder(self._folder)
        except OSError as error:
            raise write_failure(self._path(name), error) from error

    def _read(self, name: str) -> Message | None:
        """None if it is gone. A message that cannot be parsed is kept for people to read, and never sent."""
        try:
            raw = read_optional(self._path(name))
            if raw is None:
                return None
            if len(raw) > _FILE_MAX:
                raise ValueError("too large")
            return parse(name, parse_json(raw))
        except (OSError, ValueError, TypeError, KeyError, OverflowError) as error:
            return Message(id=name, agent="", sender="", created=0.0, state="damaged", reason=str(error)[:200])


def _one(known: Sequence[Message], name: str) -> Message:
    exact = [one for one in known if one.id == name]
    found = exact or [one for one in known if name and one.id.startswith(name)]
    if len(found) != 1:
        what = f'several messages begin with "{name}"' if found else f'no message has the id "{name}"'
        raise NotFound(what, help="mosaic agent outbox lists them")
    return found[0]


def would_end(store: Store, gone: Collection[str]) -> dict[str, int]:
    """How many messages wait here for each agent that is to be removed; agents without any are left out. Raises
    StateError."""
    known = [one.agent for one in Outbox(store).messages() if one.state == "waiting" and not one.our_own]
    return {name: known.count(name) for name in sorted(gone) if name in known}


def waiting(store: Store) -> bool:
    """Whether the outbox holds anything: one look at a folder that usually does not exist."""
    try:
        with os.scandir(store.state / "outbox") as entries:
            return any(True for _ in entries)
    except OSError:
        return False
