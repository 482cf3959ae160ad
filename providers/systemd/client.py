"""The user's systemd, over D-Bus: the unit list in one call, jobs with many in flight, each with its own deadline.

Not for use by several threads at once. It connects when first used; a lost connection is made again once, and calls
that may safely be repeated are sent again.
"""

from __future__ import annotations

import heapq
import math
import os
import select
import time
from collections.abc import Mapping, Sequence
from errno import EACCES
from typing import TYPE_CHECKING, Any

from providers.base import ObserveError
from providers.systemd.bus_address import candidates, explain
from providers.systemd.calls import GONE, Ask, Call, Job, Queued, Reload, ResetFailed, Sink, object_path

if TYPE_CHECKING:
    from providers.host import UnitState
    from providers.steps import Confine, UnitJob
    from providers.systemd.connection import Connection, Frame

READ_TIMEOUT_S = 5.0
LEAST_S = 1.0  # for a call once the run's time is up, and for each after one that had no answer
_CONNECT_TIMEOUT_S = 2.0
_REFUSED_S = 1.0
CHANGE_TIMEOUT_S = 90.0  # systemd's own limit for a reload
PATTERN = "mosaic-*"
_OURS = "mosaic-"
_MANAGER_MATCH = "type='signal',interface='org.freedesktop.systemd1.Manager',path='/org/freedesktop/systemd1'"
_UNIT_MATCH = (
    "type='signal',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',"
    "path_namespace='/org/freedesktop/systemd1/unit'"
)
_OUR_OWN = "mosaic-reconcile"  # our own service and timer: their changes follow from our actions
_OUR_OBJECTS, _OUR_OWN_OBJECTS = object_path(_OURS), object_path(_OUR_OWN)
_UNIT_SIGNALS = {"UnitNew": 0, "UnitRemoved": 0, "JobRemoved": 2}  # with the position of the unit's name in the body


class Systemd:
    """A client of one user manager."""

    def __init__(self, environ: Mapping[str, str], uid: int, *, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        self._environ, self._uid, self._read_timeout_s = environ, uid, read_timeout_s
        self._connection: Connection | None = None
        self._awaited: dict[int, Call] = {}  # by serial of the reply
        self._jobs: dict[str, Queued] = {}  # by object path of the job
        self._ended: dict[str, str] = {}  # results of jobs that ended before their number was known
        self._due: list[tuple[float, int, Call]] = []
        self._count = 0
        self._refused = (0.0, "")  # until when, and why, a new attempt to connect is useless
        self._hears_jobs = self._hears_all = self._subscribed = self._stirred = False
        self._until = math.inf  # on the monotonic clock: when the run's time is up
        self._silent = False  # a call has had no answer, and nothing has come since

    # Reading

    def list_units(self) -> dict[str, UnitState]:
        """Every loaded `mosaic-*` unit; raises ObserveError."""
        from providers.systemd.connection import ConnectionLostError

        (frame,) = self.ask(Ask("list the units", "ListUnitsByPatterns", "asas", ([], [PATTERN]), timeout_s=0))
        try:
            return frame.units()
        except ConnectionLostError as error:
            raise ObserveError(f"systemd's answer to ListUnitsByPatterns: {error}") from error

    def ask(self, *asks: Ask) -> list[Frame]:
        """The replies to calls that are all sent at once; raises ObserveError if one has none."""
        self.pump(0)  # late replies to earlier calls
        within = self._within(min(LEAST_S, self._read_timeout_s) if self._silent else self._read_timeout_s)
        for ask in asks:
            ask.timeout_s = within
            self._begin(ask)
        while not all(ask.over for ask in asks):
            self.pump(within)
        self._silent = any(ask.frame is None and time.monotonic() >= ask.deadline for ask in asks)
        failed = next((ask.error for ask in asks if ask.frame is None), None)
        if failed is not None:
            raise ObserveError(failed)
        return [ask.frame for ask in asks if ask.frame is not None]

    def until(self, deadline: float) -> None:
        """When the run's time is up, on the monotonic clock: a later call waits at most LEAST_S for its answer. Jobs
        have a time of their own."""
        self._until = deadline

    def _within(self, seconds: float) -> float:
        return min(seconds, max(LEAST_S, self._until - time.monotonic()))

    # Changes: each reports its result, at some later pump(), to the sink

    def reload(self, ids: Sequence[str], sink: Sink) -> None:
        self._begin(Reload(ids, sink, self._within(CHANGE_TIMEOUT_S)))

    def unit_job(self, name: str, step: UnitJob, sink: Sink) -> None:
        self._begin(ResetFailed(name, step, sink) if step.verb == "reset-failed" else Job(name, step, sink))

    def confine(self, name: str, step: Confine, sink: Sink) -> None:
        """Put a living pane into a scope of its own, or set the limits of the scope that it is in."""
        from providers.systemd.confining import confining

        call = confining(name, step, sink, self._uid)
        if call is not None:
            self._begin(call)

    # Being told

    def subscribe(self) -> None:
        """From now on `drain()` reports changes of our units; raises ObserveError. Again after a loss is fine."""
        self._subscribed = True
        self._connect()

    def fileno(self) -> int:
        """Becomes readable when a message has arrived; -1 while there is no connection (then `subscribe()` again)."""
        return -1 if self._connection is None else self._connection.fileno()

    def drain(self) -> bool:
        """Read what has arrived, without waiting. True: a unit of ours changed since the last call, or may have.

        Call it before each wait too: a signal may have arrived together with the reply to another call.
        """
        self.pump(0)
        stirred, self._stirred = self._stirred, False
        return stirred

    # The machinery

    def events(self) -> int:
        """What to poll the descriptor for."""
        sending = self._connection is not None and self._connection.sending
        return select.POLLIN | (select.POLLOUT if sending else 0)

    def next_deadline(self) -> float | None:
        """When the next call or job runs out of time, on the monotonic clock."""
        while self._due and self._due[0][2].over:
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def pump(self, timeout_s: float) -> None:
        """Continue what is under way; wait at most `timeout_s`, and no longer than the next deadline."""
        from providers.systemd.connection import ConnectionLostError

        connection = self._connection
        if connection is not None:
            due = self.next_deadline()
            wait = timeout_s if due is None else min(timeout_s, max(0.0, due - time.monotonic()))
            try:
                for frame in connection.frames(wait):
                    self._take(frame)
                    if self._connection is not connection:
                        break  # lost and made again: the remaining frames answer nothing
            except ConnectionLostError as error:
                self._lost(f"the connection to systemd was lost ({error})")
        self._expire()

    @property
    def on_bus(self) -> bool:
        """Connected over a message bus. False over systemd's private socket, and without a connection."""
        return self._connection is not None and self._connection.bus

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _begin(self, call: Call) -> None:
        call.deadline = time.monotonic() + call.timeout_s
        try:
            self._connect()
        except ObserveError as error:
            call.over = True
            call.failed(str(error))
            return
        self._count += 1
        heapq.heappush(self._due, (call.deadline, self._count, call))
        self._send(call)

    def _send(self, call: Call) -> None:
        connection = self._connection
        if connection is None:
            return
        if isinstance(call, Queued) and connection.bus and not (self._hears_jobs or self._hears_all):
            # systemd tells the caller of a job how it ended; that needs no Subscribe(), which would make
            # it send every property of every unit that changes while hundreds start.
            self._hears_jobs = True
            self._match(connection, _MANAGER_MATCH + ",member='JobRemoved'")
        call.job = ""
        self._awaited[connection.post(call.member, call.signature, call.body, **call.address)] = call

    def _connect(self) -> None:
        connection = self._connection
        if connection is None:
            if time.monotonic() < self._refused[0]:
                raise ObserveError(self._refused[1])
            try:
                connection = self._connection = self._open()
            except ObserveError as error:
                # Every step of a batch comes here; they need not each wait for a bus that does not answer.
                self._refused = (time.monotonic() + _REFUSED_S, str(error))
                raise
            self._hears_jobs = self._hears_all = False
        if self._subscribed and not self._hears_all:
            self._hears_all = True
            if connection.bus:  # the private socket sends all signals unasked
                self._match(connection, _MANAGER_MATCH)
                self._match(connection, _UNIT_MATCH)
                connection.post("Subscribe")

    def _open(self) -> Connection:
        from providers.systemd.connection import Connection

        tried: list[OSError] = []
        for address, bus in candidates(self._environ):
            try:
                if not address.startswith("\0") and os.stat(address).st_uid != self._uid:
                    raise PermissionError(EACCES, "it belongs to another user", address)
                return Connection(address, bus=bus, timeout_s=min(_CONNECT_TIMEOUT_S, self._read_timeout_s))
            except OSError as error:
                error.filename = error.filename or address
                tried.append(error)
        raise ObserveError(explain(self._environ, self._uid, tried))

    def _match(self, connection: Connection, rule: str) -> None:
        from providers.systemd.connection import BUS, BUS_PATH

        connection.post("AddMatch", "s", (rule,), path=BUS_PATH, interface=BUS, destination=BUS)

    def _take(self, frame: Frame) -> None:
        call = None if frame.reply_to is None else self._awaited.pop(frame.reply_to, None)
        self._silent = self._silent and call is None
        if frame.member:
            self._signal(frame)
        elif call is None or call.over:
            return
        elif frame.error in GONE:
            self._awaited[0] = call
            self._lost("systemd went away before it answered")
        else:
            self._follow(call.replied(frame))
            if isinstance(call, Queued) and call.job:
                self._jobs[call.job] = call
                if call.job in self._ended:
                    self._job_ended(call.job, self._ended.pop(call.job))

    def _follow(self, further: Call | None) -> None:
        if further is not None:
            self._begin(further)

    def _signal(self, frame: Frame) -> None:
        member = frame.member
        if member == "PropertiesChanged":
            self._stir(frame.path, _OUR_OBJECTS, _OUR_OWN_OBJECTS)
        elif member == "UnitFilesChanged":
            self._stirred = True
        elif member in _UNIT_SIGNALS:
            from providers.systemd.connection import ConnectionLostError

            try:
                body: tuple[Any, ...] = frame.body()
                name = str(body[_UNIT_SIGNALS[member]])
                ended = (str(body[1]), str(body[3])) if member == "JobRemoved" else None
            except (ConnectionLostError, IndexError):
                return  # any program of this user may send a signal of that name; this one is not systemd's
            self._stir(name, _OURS, _OUR_OWN)
            if ended is not None:
                self._job_ended(*ended)

    def _stir(self, name: str, ours: str, our_own: str) -> None:
        self._stirred = self._stirred or (name.startswith(ours) and not name.startswith(our_own))

    def _job_ended(self, path: str, result: str) -> None:
        job = self._jobs.pop(path, None)
        if job is None:
            if self._awaited:
                self._ended[path] = result
        elif not job.over:
            self._follow(job.ended(result))
        if not self._awaited:
            self._ended.clear()

    def _expire(self) -> None:
        now = time.monotonic()
        while self._due and (self._due[0][2].over or self._due[0][0] <= now):
            call = heapq.heappop(self._due)[2]
            if not call.over:
                self._jobs.pop(call.job, None)
                call.late()

    def _lost(self, reason: str) -> None:
        calls = [call for call in (*self._awaited.values(), *self._jobs.values()) if not call.over]
        self.close()
        self._awaited.clear()
        self._jobs.clear()
        self._ended.clear()
        self._stirred = True
        if not calls and not self._subscribed:
            return
        try:
            self._connect()
        except ObserveError as error:
            reason = f"{reason}, and then: {error}"
        for call in calls:
            if call.retry and self._connection is not None:
                call.retry = False
                self._send(call)
            else:
                call.over = True
                call.failed(f"{call.member} ({call.what}): {reason}, and how it ended is not known")
