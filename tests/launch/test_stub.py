"""The stub agent on a terminal of its own."""

from __future__ import annotations

import codecs
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from providers.stub import PASTE_BEGINS, PASTE_ENDS, Composer
from tests.hosts.waiting import eventually
from tests.launch.bench import STUB

INTERVAL = 0.1


class Terminal:
    """A stub, its terminal and its heartbeat."""

    def __init__(self, home: Path, more: dict[str, str] | None = None) -> None:
        self.heartbeat = home / "fleet" / "run" / "s.hb"
        self.master, slave = pty.openpty()
        self.text = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.receipts = home / "mosaic" / "await" / "s"
        env = {"MOSAIC_AGENT_NAME": "s", "MOSAIC_HOME": str(home), "MOSAIC_HEARTBEAT_INTERVAL": str(INTERVAL), "X": "é"}
        env |= {"XDG_RUNTIME_DIR": str(home), **(more or {})}
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", STUB], stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)

    def __enter__(self) -> Self:
        self.shows("stub s is ready")
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def say(self, text: str | bytes) -> None:
        os.write(self.master, text.encode() if isinstance(text, str) else text)

    def shows(self, text: str) -> None:
        """Wait for a text after what was waited for before."""

        def seen() -> bool:
            while select.select([self.master], [], [], 0)[0]:
                self.text += self._decoder.decode(os.read(self.master, 65536))  # a character may come in two parts
            return text in self.text

        eventually(seen, what=f"{text!r} on the terminal, which has {self.text!r}")
        self.text = self.text.partition(text)[2]

    def words(self) -> dict[str, str]:
        eventually(self.heartbeat.exists, what="a heartbeat")
        text = self.heartbeat.read_text()
        assert text.endswith("\n")
        return dict(word.split("=", 1) for word in text.split())

    def beats(self) -> bool:
        """Whether a heartbeat comes within several intervals."""
        before = self.heartbeat.stat().st_mtime_ns
        deadline = time.monotonic() + 6 * INTERVAL
        while time.monotonic() < deadline:
            if self.heartbeat.stat().st_mtime_ns != before:
                return True
        return False


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path) as terminal:
        yield terminal


def test_it_answers_and_beats(stub: Terminal) -> None:
    words = stub.words()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", words.pop("ts"))
    assert re.fullmatch(r"[0-9a-f]{16}", words.pop("session"))
    said = {"pid": str(stub.process.pid), "status": "ok", "source": "native", "interval": "0.1"}
    assert words == said | {"event": "SessionStart"}
    assert stub.heartbeat.stat().st_mode & 0o777 == 0o600
    stub.say("hello, wörld\r")
    stub.shows("stub s> hello, wörld\r\n")
    eventually(stub.beats, timeout=90, what="a heartbeat")
    eventually(lambda: [one.name for one in stub.heartbeat.parent.iterdir()] == ["s.hb"], what="nothing half-written")
    assert Path(f"/proc/{stub.process.pid}/comm").read_text() == "stub\n"


def test_a_paste_of_several_lines_is_one_message(stub: Terminal) -> None:
    stub.say(PASTE_BEGINS + b"one\rtwo\n" + PASTE_ENDS)
    stub.shows("two")
    stub.say("three\r")
    stub.shows("stub s> one\r\nstub s> two\r\nstub s> three\r\n")


def test_busy_and_idle(stub: Terminal) -> None:
    stub.say("/busy\r")
    eventually(lambda: stub.words()["status"] == "busy", what="busy")
    stub.say("/idle\r")
    eventually(lambda: stub.words()["status"] == "ok", what="ok")
    stub.say("/busy 0.3\r")
    eventually(lambda: stub.words()["status"] == "busy", what="busy")
    eventually(lambda: stub.words()["status"] == "ok", what="ok by itself")


def says(stub: Terminal, **words: str | None) -> None:
    """Wait until the heartbeat has these words; None: not at all."""
    eventually(lambda: all(stub.words().get(key) == value for key, value in words.items()), what=f"{words}")


def test_a_dialog_takes_keys_and_a_trouble_takes_messages_in_vain(stub: Terminal) -> None:
    stub.say("/dialog permission Run rm?\r")
    stub.shows("\x1b]2;stub ? permission\x07[dialog permission]\r\nRun rm?\r\n> 1. Yes\r\n")
    stub.say("x9")  # no answer of it
    stub.say("3")
    stub.shows("stub: the answer is No")
    stub.say("/trouble limit 3pm (UTC)\r")
    stub.shows("\x1b]2;stub ! limit\x07[trouble limit until 3pm (UTC)]")
    stub.receipts.mkdir(parents=True)
    stub.say("hello\r")
    stub.shows("[trouble limit until 3pm (UTC)]")
    eventually(lambda: len(list(stub.receipts.glob("[!.]*.json"))) == 1, what="a receipt all the same")
    stub.say("/idle\r")
    says(stub, event="Stop", status="ok")
    stub.say("hello again\r")
    stub.shows("stub s> hello again")
    assert "> hello\r" not in stub.text


def test_each_event_is_said(stub: Terminal) -> None:
    stub.say("hello\r")
    says(stub, event="Stop", status="ok")
    stub.say("/busy\r")
    says(stub, event="UserPromptSubmit", status="busy")
    stub.say("/ask question\r")
    says(stub, waiting="question", status="busy")
    stub.say("/stuck rate_limit x\r")
    says(stub, waiting=None, stuck="rate_limitx", status="ok")
    stub.say("/idle\r")
    says(stub, waiting=None, stuck=None, status="ok", event="Stop")
    stub.say("/ask\r")
    says(stub, waiting="permission")


@pytest.mark.parametrize("word", ["/reset", "/new", "/clear"])
def test_a_new_conversation_has_another_number(stub: Terminal, word: str) -> None:
    eventually(stub.heartbeat.exists, what="a heartbeat")
    session = stub.words()["session"]
    stub.say(f"/stuck\r{word}\r")
    stub.shows("stub s begins a new conversation")
    eventually(lambda: stub.words()["session"] != session, timeout=90, what="another session")
    says(stub, event="SessionStart", stuck=None, status="ok")


def test_receipts_are_left_where_somebody_waits(stub: Terminal) -> None:
    stub.say("nobody waits\r")
    stub.shows("stub s> nobody waits\r\n")
    stub.receipts.mkdir(parents=True)
    text = 'two\nlines, "quoted" \\ \x07 wörld \N{GRINNING FACE}'
    stub.say(PASTE_BEGINS + text.encode() + PASTE_ENDS + b"\r")
    eventually(lambda: list(stub.receipts.glob("*.json")), what="a receipt")
    [receipt] = stub.receipts.iterdir()
    assert json.loads(receipt.read_text()) == {"prompt": text}
    assert receipt.stat().st_mode & 0o777 == 0o600


def test_a_stub_that_an_agent_has_started_speaks_for_nobody(tmp_path: Path) -> None:
    with Terminal(tmp_path, {"MOSAIC_AGENT_PID": "1"}) as stub:
        stub.receipts.mkdir(parents=True)
        stub.say("hello\r")
        stub.shows("stub s> hello")
        assert list(stub.receipts.iterdir()) == []
        assert not stub.heartbeat.exists()


def test_silent_still_answers(stub: Terminal) -> None:
    stub.say("/silent\r")
    stub.shows("stub s> /silent")
    assert not stub.beats()
    stub.say("there?\r")
    stub.shows("stub s> there?")


def test_hanging_it_does_nothing_and_stays(stub: Terminal) -> None:
    eventually(stub.heartbeat.exists, what="a heartbeat")
    stub.say("before\r/hang\rafter\r")
    stub.shows("stub s> before")
    eventually(lambda: not stub.beats(), what="no heartbeat")
    assert stub.process.poll() is None
    stub.process.send_signal(signal.SIGTERM)
    assert stub.process.wait(10) == -signal.SIGTERM


@pytest.mark.parametrize(("line", "status"), [("/crash", 1), ("/crash 42", 42), ("/quit", 0)])
def test_it_ends_as_told(stub: Terminal, line: str, status: int) -> None:
    stub.say(f"{line}\r")
    assert stub.process.wait(10) == status


def test_it_shows_its_environment(stub: Terminal) -> None:
    stub.say("/env X\r/env Y\r")
    stub.shows("X=é\r\n")
    stub.shows("Y is not set\r\n")


def test_a_folder_that_is_missing_or_full_ends_nothing(stub: Terminal) -> None:
    eventually(stub.heartbeat.exists, what="a heartbeat")
    folder = stub.heartbeat.parent
    folder.rename(folder.with_name("elsewhere"))
    eventually(stub.heartbeat.exists, what="a heartbeat in a new folder")
    folder.rename(folder.with_name("again"))
    folder.write_text("")
    stub.shows("cannot write the heartbeat")
    stub.say("still there?\r")
    stub.shows("stub s> still there?")


def test_input_in_any_pieces_is_the_same() -> None:
    whole = PASTE_BEGINS + b"a\rb" + PASTE_ENDS + b"c\x7fd\r" + b"draft\x15e\n" + b"\x1b[A\r"
    pieces = Composer()
    one_by_one = [message for byte in whole for message in pieces.feed(bytes([byte]))]
    assert one_by_one == Composer().feed(whole) == ["a\nbd", "e", "\x1b[A"]
