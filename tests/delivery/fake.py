"""A program with a composer, as small as it may be, that can misbehave. Run as `python -I -S fake.py`.

FAKE_WAYS: words that say how it behaves; FAKE_LOG: the file that gets each message as it was submitted, one JSON string
a line; FAKE_RECEIPTS: the folder for receipts, if it gives any.

    fold      long pastes are shown as a placeholder     draft     a person's words stand in the composer already
    queue     it is busy: messages go into a queue       dialog    a paste opens a question
    deaf      the first Enter is lost                    stone     every Enter is lost
    swallow   Enter empties the composer, and no more    echo      the same, and shows the text as sent
    mixed     a person types right behind a paste        late      it takes a second to show anything
    die       it ends on Enter                           lost      pastes are lost
    busy      its record says so once it has a message   asks      it shows a question from the beginning
    keeps     a draft cannot be cleared                  dawdles   it takes two seconds to do what Enter asks for
"""

from __future__ import annotations

import json
import os
import select
import sys
import termios
import time

RULE = "-" * 40
BEGINS, ENDS, LINE_END = b"\x1b[200~", b"\x1b[201~", b"\x05"


class Fake:
    def __init__(self) -> None:
        self.ways = set(os.environ.get("FAKE_WAYS", "").split())
        self.log = os.environ["FAKE_LOG"]
        self.receipts = os.environ.get("FAKE_RECEIPTS", "")
        self.spoken: list[str] = []
        self.queue: list[str] = []
        self.draft = "half a thought" if "draft" in self.ways else ""
        self.folds: list[tuple[str, str]] = []
        self.asks = "may I?" if "asks" in self.ways else ""
        self.enters = 0
        self.due = 0.0

    def visible(self, text: str) -> str:
        for holder, whole in self.folds:
            text = text.replace(whole, holder)
        return text

    def paint(self) -> None:
        columns, rows = os.get_terminal_size()
        composer = wrap(self.visible(self.draft), columns - 2)[-8:]
        foot = [RULE, *(f"> {line}" for line in composer), RULE]
        foot += [f"queued: {one}" for one in self.queue] + ([f"ask: {self.asks}"] if self.asks else [])
        above = [line for text in self.spoken for line in wrap(self.visible(text), columns)]
        lines = [*above[-(rows - len(foot) - 1) :], *foot]
        os.write(1, ("\x1b[2J\x1b[H" + "\r\n".join(lines)).encode())

    def paste(self, text: str) -> None:
        if "lost" in self.ways:
            return
        if "fold" in self.ways and text.count("\n") > 3:
            self.folds.append((f"[Pasted text #{len(self.folds) + 1} +{text.count(chr(10))} lines]", text))
        self.draft += text
        if "mixed" in self.ways:
            self.draft += " and another thing"
        if "dialog" in self.ways:
            self.asks = "may I?"

    def enter(self) -> None:
        self.enters += 1
        if "dawdles" in self.ways:
            time.sleep(2.0)
        if "die" in self.ways:
            sys.exit(3)
        if self.asks:
            self.spoken.append("approved!")
            self.asks = ""
            return
        if "stone" in self.ways or ("deaf" in self.ways and self.enters == 1) or not self.draft.strip():
            return
        text, self.draft = self.draft, ""
        if "queue" in self.ways:
            self.queue.append(text.split("\n")[0])
        elif "swallow" not in self.ways:
            self.spoken.append(f"you: {text}")
        if self.ways & {"swallow", "echo"}:
            return
        with open(self.log, "a") as log:
            log.write(json.dumps(text) + "\n")
        if self.receipts and os.path.isdir(self.receipts):
            path = f"{self.receipts}/{time.monotonic_ns()}"
            with open(path, "w") as receipt:
                json.dump({"prompt": text, "queued": "queue" in self.ways}, receipt)
            os.rename(path, f"{path}.json")
        if "busy" in self.ways:
            self.record()

    def record(self) -> None:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        path = os.environ["FAKE_RECORD"]
        with open(path + ".new", "w") as record:
            record.write(f"ts={stamp} pid={os.getpid()} status=busy source=hook event=UserPromptSubmit\n")
        os.rename(path + ".new", path)

    def feed(self, data: bytes) -> bytes:
        """Take input; what is not complete yet is given back."""
        while data:
            if data.startswith(BEGINS):
                whole, end, rest = data[len(BEGINS) :].partition(ENDS)
                if not end:
                    return data
                self.paste(whole.decode())
                data = rest
            elif BEGINS.startswith(data[: len(BEGINS)]) and len(data) < len(BEGINS):
                return data
            elif data[:1] == b"\r":
                self.enter()
                data = data[1:]
            elif data[:1] == b"\x15":  # a line at a time
                self.draft = self.draft if "keeps" in self.ways else self.draft.rpartition("\n")[0]
                data = data[1:]
            elif data[:1] == b"\x7f":
                self.draft = self.draft if "keeps" in self.ways else self.draft[:-1]
                data = data[1:]
            elif data.startswith(LINE_END):  # the cursor is there already
                data = data[len(LINE_END) :]
            else:
                self.draft += data[:1].decode("latin-1")
                data = data[1:]
        return b""

    def run(self) -> None:
        rest = b""
        late = 1.0 if "late" in self.ways else 0.0
        while True:
            self.paint()
            data = os.read(0, 1 << 20)
            while select.select([0], [], [], late)[0]:
                data += os.read(0, 1 << 20)
            rest = self.feed(rest + data)


def wrap(text: str, columns: int) -> list[str]:
    found: list[str] = []
    for line in text.split("\n"):
        found += [line[at : at + columns] for at in range(0, len(line), columns)] or [""]
    return found


if __name__ == "__main__":
    mode = termios.tcgetattr(0)
    mode[0] &= ~(termios.ICRNL | termios.IXON)
    mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    termios.tcsetattr(0, termios.TCSANOW, mode)
    os.write(1, b"\x1b[?2004h")
    Fake().run()
