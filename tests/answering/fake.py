"""A program that shows dialogs, one after another, and keeps a record of every key. Run as `python -I -S fake.py`.

FAKE_DIALOGS: JSON, a list of {kind, question, choices: [[label, means], ...], ways}; FAKE_LOG: the file that gets
[number of the dialog, key] for each key; "composer" stands for no dialog. What the ways of a dialog mean:

    digit    a digit chooses at once           arrows    the arrow keys select, Enter chooses
    text     letters go into a field, Enter    ignores   no key does anything
    ends     any choice ends the program       slow      it takes a second to do what a key asks for
    back     after the choice it is shown again
SIGUSR1 shows the next dialog at once, as a program does whose question is withdrawn.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import termios
import time
from typing import Any

KEYS = {b"\x1b[A": "Up", b"\x1b[B": "Down", b"\r": "Enter", b"\x1b": "Escape"}
PASTE_BEGINS, PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"


class Fake:
    def __init__(self) -> None:
        self.dialogs: list[dict[str, Any]] = json.loads(os.environ["FAKE_DIALOGS"])
        self.number = 0
        self.selected = 0
        self.field = ""

    @property
    def dialog(self) -> dict[str, Any] | None:
        return self.dialogs[self.number] if self.number < len(self.dialogs) else None

    def ways(self) -> str:
        return str(self.dialog["ways"]) if self.dialog else ""

    def paint(self) -> None:
        one = self.dialog
        lines = ["the fake"]
        if one is None:
            lines += ["> "]
        else:
            lines += [f"ask: {one['kind']}", *(f"? {line}" for line in str(one["question"]).split("\n"))]
            for at, (label, means) in enumerate(one["choices"]):
                lines.append(f"{'>' if at == self.selected else ' '} {at + 1}. {label} |{means}|{self.ways()}")
            lines += [f"field: {self.field}"] if "text" in self.ways() else []
        os.write(1, ("\x1b[2J\x1b[H" + "\r\n".join(lines)).encode())

    def key(self, key: str) -> None:
        with open(os.environ["FAKE_LOG"], "a") as log:
            log.write(json.dumps([self.number if self.dialog else "composer", key]) + "\n")
        ways = self.ways()
        if not self.dialog or "ignores" in ways:
            return
        if "slow" in ways:
            time.sleep(1.0)
        if key in ("Up", "Down") and "arrows" in ways:
            self.selected += 1 if key == "Down" else -1
        elif (key.isdigit() and "digit" in ways) or (key == "Enter" and ("arrows" in ways or "text" in ways)):
            if "ends" in ways:
                sys.exit(1)
            if "back" not in ways:
                self.number += 1
            self.selected, self.field = 0, ""
        elif "text" in ways:
            self.field += key

    def advance(self, *_: object) -> None:
        self.number += 1
        self.paint()

    def run(self) -> None:
        signal.signal(signal.SIGUSR1, self.advance)
        while True:
            self.paint()
            data = os.read(0, 65536)
            while data:
                found = next((key for key in KEYS if data.startswith(key)), b"")
                if data.startswith(PASTE_BEGINS):
                    text, _, data = data[len(PASTE_BEGINS) :].partition(PASTE_ENDS)
                    self.key(text.decode())
                    continue
                self.key(KEYS[found] if found else data[:1].decode("latin-1"))
                data = data[len(found) or 1 :]
                self.paint()


if __name__ == "__main__":
    mode = termios.tcgetattr(0)
    mode[0] &= ~(termios.ICRNL | termios.IXON)
    mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    termios.tcsetattr(0, termios.TCSANOW, mode)
    os.write(1, b"\x1b[?2004h")
    Fake().run()
