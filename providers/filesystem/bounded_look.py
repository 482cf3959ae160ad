"""Looks at files that may never answer: on a network disk whose server is gone, on a FUSE file system that hangs, or
behind a link that leads there.

Such a call cannot be cancelled. A thread in it keeps its whole process from ending, even by SIGKILL, until the file
system answers. So each call is made in a forked process that we may leave behind: it answers through a pipe, and we
stop waiting if no answer comes in time. Until it answers, nobody asks for its path again, neither a later round of a
resident loop nor another run of this user: their number does not grow.
"""

from __future__ import annotations

import atexit
import errno
import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from providers.filesystem.look_helper import fork, take
from providers.filesystem.mounts import Mounts
from specs.dataclass import dataclass, field

T = TypeVar("T")
Question = Callable[[], T]

WITHIN_S = 3.0  # a disk that has to spin up takes longer; then it is unknown once, and asked again
STALL_S = 0.3  # after this long without an answer, other helpers get the rest of the queue
SIDE_BY_SIDE = 8
MOST_OUT = 32  # helpers without an answer; beyond that, no more questions are asked
MOST_OF_A_MOUNT = 3  # helpers without an answer; beyond that, no more questions about that file system
_TICK_MS, _REAP_MS = 50, 100


class NoAnswerError(OSError):
    """Unknown: no answer came in time."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.ETIMEDOUT, why)


@dataclass(slots=True)
class _Helper:
    """One forked process. `todo`: its remaining paths; it has been at the first since `begun`."""

    pid: int
    pipe: int
    todo: list[str]
    begun: float
    data: bytearray = field(default_factory=bytearray)
    stalled: bool = False  # other helpers have the paths after the first


_out: dict[str, _Helper] = {}  # left behind, by the path that each hangs on
_ended: list[int] = []  # killed, and not gone yet


def ask_one(path: str, question: Question[T], *, within_s: float = WITHIN_S) -> T:
    """Raises OSError: the question's own, or NoAnswerError."""
    found = ask({path: question}, within_s=within_s)[path]
    if isinstance(found, OSError):
        raise found
    return found


def ask(questions: Mapping[str, Question[T]], *, within_s: float = WITHIN_S) -> dict[str, T | OSError]:
    """The answer to each question, by path, or the OSError that it raised; NoAnswerError if none came in time.

    A question runs in a forked process: it changes nothing, imports nothing, and its answer is made of None, bool, int,
    float, str, bytes, tuple, list and dict. One process answers all as long as nothing hangs. If something does, this
    takes `within_s` and a little more, however many questions there are.
    """
    found: dict[str, T | OSError] = {}
    for path in questions:
        if _still_out(path):
            found[path] = NoAnswerError(_why(path, "has not answered an earlier check yet"))
    _Round(questions, found, within_s).run([path for path in questions if path not in found])
    return {path: found[path] for path in questions}


class _Round:
    """One call of `ask`; fills `found`."""

    def __init__(self, questions: Mapping[str, Question[T]], found: dict[str, T | OSError], within_s: float) -> None:
        self._questions, self._found, self._within_s = questions, found, within_s
        self._helpers: list[_Helper] = []
        self._mounts: Mounts | None = None

    def run(self, queue: list[str]) -> None:
        if queue and any(_still_out(path) for path in list(_out)):
            self._start_all(queue)  # do not wait once more for paths on a file system that hangs already
        elif queue:
            self._start(queue)
        try:
            while self._helpers:
                self._hear()
                self._start_all([path for helper in self._helpers for path in self._taken_from(helper)])
                self._give_up()
        finally:
            for helper in self._helpers:  # only if a signal has ended the wait
                if helper.stalled:
                    _leave(helper)
                else:
                    _end(helper)

    def _start(self, paths: Sequence[str]) -> None:
        try:
            pid, pipe = fork([(path, self._questions[path]) for path in paths], self._within_s)
        except OSError as error:
            none = NoAnswerError(f"not checked: no process could be started: {error.strerror}")
            self._found.update(dict.fromkeys(paths, none))
            return
        self._helpers.append(_Helper(pid=pid, pipe=pipe, todo=list(paths), begun=time.monotonic()))

    def _hear(self) -> None:
        """Read the answers that arrive within a moment."""
        poll = select.poll()
        for helper in self._helpers:
            poll.register(helper.pipe, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(_TICK_MS)}
        for helper in [one for one in self._helpers if one.pipe in ready]:
            part = os.read(helper.pipe, 1 << 16)
            helper.data += part
            while helper.todo and (said := take(helper.data)) is not None:
                path = helper.todo.pop(0)
                self._found[path] = said[1] if said[0] else _error(path, *said[1])
                helper.begun = time.monotonic()
            if not part and helper.todo:
                self._found[helper.todo.pop(0)] = NoAnswerError("the check ended without a result")
                self._start_all(helper.todo)
            if not part or not helper.todo:
                self._helpers.remove(helper)
                _end(helper)

    def _taken_from(self, helper: _Helper) -> list[str]:
        """The paths that a stalled helper has not reached."""
        if helper.stalled or time.monotonic() - helper.begun < STALL_S:
            return []
        helper.stalled = True
        rest = helper.todo[1:]
        del helper.todo[1:]
        return rest

    def _start_all(self, paths: list[str]) -> None:
        """Several helpers side by side, and one for each file system that may hang; skips what is known to hang."""
        if not paths:
            return
        stuck = [*_out, *(one.todo[0] for one in self._helpers if one.stalled)]
        mounts = [self._mount(path) for path in stuck]
        asked: dict[str, list[str]] = {}
        for path in paths:
            mount = self._mount(path)
            if len(stuck) >= MOST_OUT:
                self._found[path] = NoAnswerError(f"not checked: {len(stuck)} file checks already hang")
            elif mount and mounts.count(mount) >= MOST_OF_A_MOUNT:
                self._found[path] = NoAnswerError(f"{mount} gives no answer")
            else:
                asked.setdefault(mount, []).append(path)
        near = asked.pop("", [])
        for part in (*(near[at::SIDE_BY_SIDE] for at in range(min(SIDE_BY_SIDE, len(near)))), *asked.values()):
            self._start(part)

    def _mount(self, path: str) -> str:
        self._mounts = self._mounts or Mounts()
        return str(self._mounts.far(path) or "")

    def _give_up(self) -> None:
        now = time.monotonic()
        for helper in list(self._helpers):
            waited = now - helper.begun
            # A helper that merely gets no time on a busy processor does not hang.
            if waited < self._within_s or (_runs(helper.pid) and waited < 10 * self._within_s):
                continue
            path = helper.todo[0]
            self._helpers.remove(helper)
            self._found[path] = NoAnswerError(_why(path, f"gave no answer within {self._within_s:g} s"))
            _leave(helper)


def _error(path: str, number: int, text: str) -> OSError:
    if number == errno.ETIMEDOUT and not text:
        return NoAnswerError(_why(path, "has not answered an earlier check yet"))
    return OSError(number, text)


def _why(path: str, what: str) -> str:
    return f"{Mounts().far(path) or 'its file system'} {what}"


def _still_out(path: str) -> bool:
    helper = _out.get(path)
    if helper is None:
        return False
    poll = select.poll()
    poll.register(helper.pipe, select.POLLIN)
    if not poll.poll(0):
        return True
    _end(_out.pop(path))
    return False


def _leave(helper: _Helper) -> None:
    _out[helper.todo[0]] = helper


def _end(helper: _Helper) -> None:
    os.close(helper.pipe)
    with suppress(ProcessLookupError):
        os.kill(helper.pid, signal.SIGKILL)
    _ended.append(helper.pid)
    for pid in list(_ended):
        with suppress(OSError):
            fd = os.pidfd_open(pid)
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            if poll.poll(_REAP_MS):  # else the kernel still holds it: a later call reaps it
                os.waitpid(pid, 0)
                _ended.remove(pid)
            os.close(fd)


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b")")[2].split()[0] == b"R"
    except OSError:
        return False


def _end_all() -> None:
    """When we exit, end those that can be ended; the others end when their file system answers."""
    for helper in _out.values():
        with suppress(ProcessLookupError):
            os.kill(helper.pid, signal.SIGKILL)


atexit.register(_end_all)
