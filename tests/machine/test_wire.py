"""The D-Bus connection against peers that misbehave, and the quick reader against jeepney's own."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jeepney.low_level import Endianness, Header, HeaderFields, Message, MessageType

from providers.base import ObserveError
from providers.systemd.client import Systemd
from providers.systemd.connection import MANAGER, ConnectionLostError, Frame

Peer = Callable[[socket.socket], None]
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=300)
UNIT = st.tuples(
    TEXT, TEXT, TEXT, TEXT, TEXT, TEXT, st.just("/a/b_2d"), st.integers(0, 2**32 - 1), TEXT, st.just("/")
)  # fmt: skip


def _message(kind: MessageType, fields: dict[HeaderFields, object], body: tuple[object, ...] = ()) -> bytes:
    return bytes(Message(Header(Endianness.little, kind, 0, 1, 0, 1, fields), body).serialise(serial=1))


def _reply(serial: int, signature: str, body: tuple[object, ...]) -> bytes:
    fields: dict[HeaderFields, object] = {HeaderFields.reply_serial: serial, HeaderFields.signature: signature}
    return _message(MessageType.method_return, fields, body)


def _units(count: int) -> list[tuple[object, ...]]:
    return [
        (f"mosaic-agent@{n}.service", "An agent", "loaded", "active", "exited", "", "/u", 0, "", "/")
        for n in range(count)
    ]


@given(st.lists(UNIT, max_size=20, unique_by=lambda unit: unit[0]), st.sampled_from(list(Endianness)))
def test_the_quick_reader_reads_what_jeepney_reads(units: list[tuple[object, ...]], order: Endianness) -> None:
    fields = {HeaderFields.reply_serial: 1, HeaderFields.signature: "a(ssssssouso)"}
    header = Header(order, MessageType.method_return, 0, 1, 0, 1, fields)
    frame = Frame(bytes(Message(header, (units,)).serialise(serial=1)))
    theirs = {unit[0]: (unit[2], unit[3], unit[4], unit[8]) for unit in frame.body()[0]}
    ours = {name: (unit.load, unit.active, unit.sub, unit.job) for name, unit in frame.units().items()}
    assert ours == theirs == {unit[0]: (unit[2], unit[3], unit[4], unit[8]) for unit in units}


@given(st.binary(max_size=60), st.integers(0, 400))
def test_a_spoilt_list_is_an_error_or_a_list(junk: bytes, at: int) -> None:
    whole = _reply(1, "a(ssssssouso)", (_units(3),))
    body = whole.index(b"mosaic-agent@0") - 12
    spoilt = whole[: body + at] + junk + whole[body + at + len(junk) :]
    with suppress(ConnectionLostError):
        Frame(spoilt).units()


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_body_that_is_cut_short_is_said_to_be_unreadable(cut: int) -> None:
    fields: dict[HeaderFields, object] = {HeaderFields.member: "JobRemoved", HeaderFields.signature: "uoss"}
    whole = _message(MessageType.signal, fields, (1, "/job/1", "mosaic-agent@a.service", "done"))
    with pytest.raises(ConnectionLostError):
        Frame(whole[:-cut]).body()


def _read_call(peer: socket.socket) -> None:
    data = b""
    while b"ListUnitsByPatterns" not in data:
        part = peer.recv(4096)
        if not part:
            return
        data += part


def _systemd(folder: Path, talk: list[Peer], timeout_s: float) -> Systemd:
    """A client of a private socket at which each connection in turn meets one of the peers."""
    (folder / "systemd").mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(folder / "systemd/private"))
    listener.listen()

    def serve() -> None:
        for peer in talk:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                try:
                    peer(connection)
                except OSError:
                    continue
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return Systemd({"XDG_RUNTIME_DIR": str(folder)}, os.getuid(), read_timeout_s=timeout_s)


def _good(peer: socket.socket) -> None:
    peer.sendall(b"OK 00\r\n")
    _read_call(peer)
    noise: dict[HeaderFields, object] = {
        HeaderFields.path: "/x", HeaderFields.interface: "a.b", HeaderFields.member: "PropertiesChanged",
        HeaderFields.signature: "s",
    }  # fmt: skip
    data = _message(MessageType.signal, noise, ("x" * 5000,)) + _reply(1, "a(ssssssouso)", (_units(5000),))
    data += _message(MessageType.signal, noise, ("y",))
    for start in range(0, len(data), 70_001):
        peer.sendall(data[start : start + 70_001])
    peer.recv(1)


BAD_BODIES: list[tuple[str, tuple[object, ...]]] = [("", ()), ("u", (7,)), ("su", ("mosaic-agent@a.service", 1))]


def _forged(peer: socket.socket) -> None:
    """Signals with systemd's names whose bodies are none of systemd's, and then the answer."""
    peer.sendall(b"OK 00\r\n")
    _read_call(peer)
    for member in ("UnitNew", "UnitRemoved", "JobRemoved"):
        for signature, body in BAD_BODIES:
            fields: dict[HeaderFields, object] = {
                HeaderFields.path: "/org/freedesktop/systemd1", HeaderFields.interface: MANAGER,
                HeaderFields.member: member,
            }  # fmt: skip
            if signature:
                fields[HeaderFields.signature] = signature
            peer.sendall(_message(MessageType.signal, fields, body))
        spoilt = _message(MessageType.signal, {**fields, HeaderFields.signature: "uoss"}, (1, "/job/1", "a", "done"))
        peer.sendall(spoilt[:-24] + b"\xff" * 24)  # lengths that lead nowhere
    peer.sendall(_reply(1, "a(ssssssouso)", (_units(3),)))
    peer.recv(1)


def _closes_half_way(peer: socket.socket) -> None:
    peer.sendall(b"OK 00\r\n")
    _read_call(peer)
    peer.sendall(_reply(1, "a(ssssssouso)", (_units(100),))[:3000])


def _garbage(peer: socket.socket) -> None:
    peer.sendall(b"OK 00\r\n")
    _read_call(peer)
    peer.sendall(os.urandom(5000))


def _too_large(peer: socket.socket) -> None:
    peer.sendall(b"OK 00\r\n")
    _read_call(peer)
    peer.sendall(b"l\2\0\1\xff\xff\xff\xff\1\0\0\0\0\0\0\0")
    peer.recv(1)


def _other_form(peer: socket.socket) -> None:
    peer.sendall(b"OK 00\r\n")
    _read_call(peer)
    peer.sendall(_reply(1, "s", ("no list",)))
    peer.recv(1)


def _silent(peer: socket.socket) -> None:
    peer.sendall(b"OK 00\r\n")
    while peer.recv(4096):
        pass


def _mute(peer: socket.socket) -> None:
    peer.recv(4096)


def _refuses(peer: socket.socket) -> None:
    peer.sendall(b"REJECTED EXTERNAL\r\n")


def _babbles(peer: socket.socket) -> None:
    while True:
        peer.sendall(b"x" * 4096)


def test_a_large_list_between_signals(tmp_path: Path) -> None:
    assert len(_systemd(tmp_path, [_good], 20).list_units()) == 5000


def test_a_signal_that_is_not_systemds_ends_nothing(tmp_path: Path) -> None:
    """The one connection goes on: a second peer is not there."""
    systemd = _systemd(tmp_path, [_forged], 20)
    assert len(systemd.list_units()) == 3
    assert systemd.fileno() >= 0


def test_one_loss_is_made_good(tmp_path: Path) -> None:
    assert len(_systemd(tmp_path, [_closes_half_way, _good], 20).list_units()) == 5000


@pytest.mark.parametrize(
    ("talk", "says"),
    [
        ([_closes_half_way, _closes_half_way], "ListUnitsByPatterns.*connection to systemd was lost"),
        ([_garbage, _garbage], "ListUnitsByPatterns"),
        ([_too_large, _too_large], "larger than the protocol allows"),
        ([_other_form], "unknown form"),
        ([_silent], "did not answer to ListUnitsByPatterns"),
        ([_mute], "does not answer"),
        ([_refuses], "authentication refused"),
        ([_babbles], "during authentication"),
    ],
)
def test_trouble_is_an_error(tmp_path: Path, talk: list[Peer], says: str) -> None:
    """Also where the other side never says another word: then at the end of the time that is given."""
    with pytest.raises(ObserveError, match=says):
        _systemd(tmp_path, talk, 2.0 if talk in ([_silent], [_mute]) else 30.0).list_units()
