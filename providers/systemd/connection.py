"""One connection to the user's systemd: over the session bus, or over systemd's own private socket.

jeepney does the marshalling and the authentication. The reading loop is ours: it never blocks past a deadline, leaves
bodies unparsed until a caller needs them, and reads the one big reply (the unit list) several times faster.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from errno import ECONNRESET
from struct import Struct
from struct import error as StructError
from typing import Any

from jeepney.auth import BEGIN, make_auth_external
from jeepney.low_level import (
    Endianness,
    Header,
    HeaderFields,
    Message,
    MessageType,
    calc_msg_size,
    parse_signature,
)

from providers.host import UnitState

SYSTEMD = "org.freedesktop.systemd1"
MANAGER = "org.freedesktop.systemd1.Manager"
MANAGER_PATH = "/org/freedesktop/systemd1"
BUS = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"
MAX_MESSAGE = 128 << 20  # the protocol's own limit


class ConnectionLostError(Exception):
    """The other side closed the connection, or sent something that is not D-Bus."""


class Frame:
    """One message. Its body is parsed on demand."""

    __slots__ = ("_fields", "_header", "_raw", "_start", "kind")

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._header, end = Header.from_buffer(raw)
        self._start = end + -end % 8
        self._fields: dict[Any, Any] = self._header.fields
        self.kind: Any = self._header.message_type

    @property
    def reply_to(self) -> int | None:
        """The serial of the call that this answers, or None for a signal."""
        serial: int | None = self._fields.get(HeaderFields.reply_serial)
        return serial

    @property
    def member(self) -> str:
        return str(self._fields.get(HeaderFields.member, "")) if self.kind is MessageType.signal else ""

    @property
    def path(self) -> str:
        return str(self._fields.get(HeaderFields.path, ""))

    @property
    def error(self) -> str | None:
        """The error's name, or None."""
        return str(self._fields.get(HeaderFields.error_name)) if self.kind is MessageType.error else None

    def body(self) -> tuple[Any, ...]:
        signature = self._fields.get(HeaderFields.signature)
        if not signature:
            return ()
        try:
            parsed = parse_signature(list(f"({signature})")).parse_data(self._raw, self._start, self._header.endianness)
        except (ValueError, IndexError, AssertionError, KeyError, StructError) as error:
            raise ConnectionLostError("a message could not be read") from error
        return tuple(parsed[0])

    def text(self) -> str:
        """The text of an error reply."""
        body = self.body()
        return str(body[0]) if body and isinstance(body[0], str) else str(self.error)

    def units(self) -> dict[str, UnitState]:
        """The reply of ListUnitsByPatterns, a(ssssssouso), without building fields that nobody reads."""
        if self._fields.get(HeaderFields.signature) != "a(ssssssouso)":
            raise ConnectionLostError("the list of units has an unknown form")
        return _units(self._raw, self._start, "<" if self._header.endianness is Endianness.little else ">")


def _units(raw: bytes, pos: int, order: str) -> dict[str, UnitState]:
    size = Struct(order + "I").unpack_from
    known: dict[tuple[bytes, bytes], UnitState] = {}  # a thousand agents share a handful of states
    units: dict[str, UnitState] = {}
    try:
        end = pos + 8 + size(raw, pos)[0]
        pos += 8
        if end > len(raw):
            raise ConnectionLostError("the list of units is cut off")
        while pos < end:
            # A string is a 32-bit length at a multiple of four, the bytes, and a NUL; a struct starts at one of eight.
            pos = (pos + 7) & ~7
            length = size(raw, pos)[0]
            name = raw[pos + 4 : pos + 4 + length].decode()
            pos = (pos + length + 8) & ~3
            pos = (pos + size(raw, pos)[0] + 8) & ~3  # description
            load = pos
            pos = (pos + size(raw, pos)[0] + 8) & ~3
            active = pos
            pos = (pos + size(raw, pos)[0] + 8) & ~3
            sub = pos
            pos = (pos + size(raw, pos)[0] + 8) & ~3
            states = raw[load:pos]
            pos = (pos + size(raw, pos)[0] + 8) & ~3  # followed
            pos = (pos + size(raw, pos)[0] + 8) & ~3  # object path
            job = pos + 4  # after the job's number
            pos = (job + size(raw, job)[0] + 8) & ~3
            key = (states, raw[job:pos])
            unit = known.get(key)
            if unit is None:
                unit = known[key] = UnitState(
                    load=_text(raw, load, size),
                    active=_text(raw, active, size),
                    sub=_text(raw, sub, size),
                    job=_text(raw, job, size),
                )
            units[name] = unit
            pos += size(raw, pos)[0] + 5  # the job's object path
    except (StructError, UnicodeDecodeError) as error:
        raise ConnectionLostError("the list of units could not be read") from error
    return units


def _text(raw: bytes, pos: int, size: Callable[[bytes, int], tuple[Any, ...]]) -> str:
    return raw[pos + 4 : pos + 4 + size(raw, pos)[0]].decode()


class Connection:
    """A connection that is authenticated and, on a bus, has said Hello. Not for use by several threads at once."""

    def __init__(self, address: str, *, bus: bool, timeout_s: float) -> None:
        """`address` is a path, or NUL and an abstract name. Raises OSError (also for a peer that does not answer)."""
        self.bus = bus
        self._serial = 0
        self._in = bytearray()
        self._out = bytearray()
        deadline = time.monotonic() + timeout_s
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self._socket.settimeout(timeout_s)
            self._socket.connect(address)
            self._authenticate(deadline)
            self._socket.setblocking(False)
            if bus:
                self._hello(deadline)
        except ConnectionLostError as error:
            self._socket.close()
            raise ConnectionResetError(ECONNRESET, str(error)) from error
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    @property
    def sending(self) -> bool:
        """Whether some data still waits for room in the socket."""
        return bool(self._out)

    def post(
        self,
        member: str,
        signature: str = "",
        body: tuple[Any, ...] = (),
        *,
        path: str = MANAGER_PATH,
        interface: str = MANAGER,
        destination: str = SYSTEMD,
    ) -> int:
        """Queue one method call; returns the serial that the reply will carry."""
        self._serial += 1
        fields = {HeaderFields.path: path, HeaderFields.interface: interface, HeaderFields.member: member}
        if self.bus:
            fields[HeaderFields.destination] = destination
        if signature:
            fields[HeaderFields.signature] = signature
        header = Header(Endianness.little, MessageType.method_call, 0, 1, -1, self._serial, fields)
        self._out += Message(header, body).serialise()
        return self._serial

    def frames(self, timeout_s: float) -> list[Frame]:
        """Send what is queued; wait at most `timeout_s` for a message; return all that have arrived whole.

        Raises ConnectionLostError, after returning what came before.
        """
        deadline = time.monotonic() + timeout_s
        poll = select.poll()
        while True:
            lost = self._send() or self._receive()
            found = list(self._cut())
            if found:
                return found
            if lost:
                raise ConnectionLostError(lost)
            left = deadline - time.monotonic()
            if left <= 0:
                return []
            poll.register(self._socket, select.POLLIN | (select.POLLOUT if self._out else 0))
            poll.poll(left * 1000)

    def _send(self) -> str:
        try:
            while self._out:
                del self._out[: self._socket.send(self._out)]
        except BlockingIOError:
            pass
        except OSError as error:
            return error.strerror or "closed"
        return ""

    def _receive(self) -> str:
        try:
            while True:
                part = self._socket.recv(1 << 18)
                if not part:
                    return "closed by the other side"
                self._in += part
        except BlockingIOError:
            return ""
        except OSError as error:
            return error.strerror or "closed"

    def _cut(self) -> Iterator[Frame]:
        while len(self._in) >= 16:
            try:
                size = calc_msg_size(self._in)
                if size > MAX_MESSAGE:
                    raise ConnectionLostError("a message is larger than the protocol allows")
                if len(self._in) < size:
                    return
                raw = bytes(memoryview(self._in)[:size])
                del self._in[:size]
                yield Frame(raw)
            except (KeyError, ValueError, StructError, IndexError, AssertionError) as error:
                raise ConnectionLostError("the other side does not speak D-Bus") from error

    def _authenticate(self, deadline: float) -> None:
        # BEGIN goes out together with AUTH, as systemd's own client does it: sent later, it can reach systemd in one
        # piece with the first call, and systemd 252 then leaves that call unread until something else comes in.
        self._socket.sendall(b"\0" + make_auth_external() + BEGIN)
        answer = b""
        while b"\r\n" not in answer:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            part = self._socket.recv(4096)
            answer += part
            if not part or len(answer) > 1 << 16:
                raise ConnectionLostError("closed during authentication")
        line, _, rest = answer.partition(b"\r\n")
        if not line.startswith(b"OK "):
            raise ConnectionLostError(f"authentication refused: {line.decode('ascii', 'replace')[:100]}")
        self._in += rest

    def _hello(self, deadline: float) -> None:
        hello = self.post("Hello", path=BUS_PATH, interface=BUS, destination=BUS)
        owner = self.post("NameHasOwner", "s", (SYSTEMD,), path=BUS_PATH, interface=BUS, destination=BUS)
        while True:
            left = deadline - time.monotonic()
            frames = self.frames(max(0.0, left))
            for frame in frames:
                if frame.reply_to in (hello, owner) and frame.error:
                    raise ConnectionLostError(frame.text())
                if frame.reply_to == owner:
                    if not frame.body()[0]:
                        raise ConnectionLostError("systemd is not on this bus")
                    return
            if not frames and left <= 0:
                raise TimeoutError("the bus does not answer")
