"""The stub agent: a small real program that replaces an AI runtime in examples and tests.

It writes its own heartbeat, leaves a receipt of each message if somebody waits for one, and answers each line that it
is sent. Lines that begin with `/` are for it, and make it misbehave:

    /hang              answer nothing any more, no heartbeat either, and stay
    /silent            no more heartbeats; go on answering
    /deaf              leave no more receipts, until /idle; go on answering
    /busy [SECONDS]    say `busy` in the heartbeat, for some time or until /idle
    /ask [WORD]        say that it asks a person: permission (or the given word), until /idle
    /stuck [WORD]      say that it cannot go on, for this reason, until /idle
    /idle              say `ok` again
    /reset, /new       begin a new conversation, under a new number
    /crash [CODE]      end at once, with exit status 1 or the given one
    /spawn [stubborn]  leave a daemon behind that outlives this program (stubborn: and ignores SIGTERM)
    /env NAME          print one environment variable
    /clear             clear the screen, and begin a new conversation
    /dialog, /trouble  show a dialog, or what keeps it from working, until /idle: see `stub_screens.py`
    /quit              end with exit status 0

Every other line is a turn of its conversation: see `stub_conversation.py`.
Run as `python -I -S stub.py`: it imports next to nothing, so that hundreds of them are cheap.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time

if TYPE_CHECKING := False:  # typing itself takes a while to import
    from providers.stub_conversation import StubConversation
    from providers.stub_screens import StubScreen

NEW = ("/reset", "/new", "/clear")
PASTE_BEGINS, PASTE_ENDS = b"\x1b[200~", b"\x1b[201~"


class StubHeartbeat:
    """`$MOSAIC_HOME/fleet/run/NAME.hb`, written whole every `interval` seconds, and at once after an event. A full disk
    never ends the agent."""

    def __init__(self, name: str, folder: str, interval: float, conversation: StubConversation) -> None:
        self._conversation = conversation
        self._path = f"{folder}/{name}.hb"
        self._interval = interval
        self._due = 0.0
        self._busy_until = 0.0
        self._words = ""
        self._event = ""
        self._answered = ""
        self.silent = False
        self.turn("SessionStart")

    def wait(self) -> float | None:
        """Seconds until `write_due` must act; None: never."""
        return None if self.silent else max(0.0, self._due - time.monotonic())

    def write_due(self) -> None:
        """Write, if it is due."""
        now = time.monotonic()
        if self.silent or now < self._due:
            return
        status = "busy" if now < self._busy_until else "ok"
        if status == "ok" and self._busy_until:
            self._busy_until, self._event = 0.0, "Stop"
        self._due = min(now + self._interval, self._busy_until) if status == "busy" else now + self._interval
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        temporary = f"{self._path}.{os.getpid()}"
        words = f"ts={stamp} pid={os.getpid()} status={status} source=native interval={self._interval:g}{self._words}"
        words += f" event={self._event} session={self._conversation.id}{self._answered}\n"
        try:
            os.makedirs(os.path.dirname(self._path), 0o700, exist_ok=True)
            put(temporary, self._path, words)
        except OSError as error:
            say(f"cannot write the heartbeat: {error.strerror}")

    def begin(self) -> None:
        """A new conversation."""
        self._conversation.begin(os.urandom(8).hex())
        self.turn("SessionStart")

    def answered(self) -> None:
        """A message was answered, which changes nothing else: a busy agent stays busy."""
        self._event = "UserPromptSubmit" if self._busy_until else "Stop"
        self.well()

    def well(self) -> None:
        """What kept it from answering is over."""
        self._answered = f" answered={time.time():.6f}"
        self._due = 0.0

    def turn(self, event: str, *, busy_s: float = 0.0, words: str = "") -> None:
        """An event. From now on the agent is busy for that long, or idle, and reports these words. Shown at once."""
        self._event, self._words = event, f" {words}" if words else ""
        self._busy_until = time.monotonic() + busy_s if busy_s else 0.0
        self._due = 0.0


class Composer:
    """The text typed and not yet sent. Enter sends it, except within a bracketed paste."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._pending = b""
        self._pasting = False

    def feed(self, data: bytes) -> list[str]:
        """Take input; return the messages that it completes."""
        data, self._pending = self._pending + data, b""
        sent = []
        while data:
            marker = PASTE_ENDS if self._pasting else PASTE_BEGINS
            if data.startswith(marker):
                self._pasting = not self._pasting
                data = data[len(marker) :]
            elif marker.startswith(data):
                self._pending = data  # the rest of the marker has yet to come
                break
            else:
                byte, data = data[:1], data[1:]
                if byte in b"\r\n" and not self._pasting:
                    sent.append(self._text.decode("utf-8", "replace").replace("\r", "\n"))
                    self._text.clear()
                else:
                    self._edit(byte)
        return sent

    def _edit(self, byte: bytes) -> None:
        if byte in b"\x03\x15":  # Ctrl-C and Ctrl-U drop the draft
            self._text.clear()
            os.write(1, b"\r\x1b[K")
        elif byte in b"\x08\x7f":
            del self._text[-1:]
            os.write(1, b"\b \b")
        else:
            self._text += byte
            os.write(1, byte.replace(b"\r", b"\n"))


class StubAgent:
    """One agent, until it is told to end."""

    def __init__(
        self, name: str, heartbeat: StubHeartbeat, receipts: str, conversation: StubConversation, screen: StubScreen
    ) -> None:
        self._name = name
        self._screen = screen
        self._conversation = conversation
        self._heartbeat = heartbeat
        self._receipts = receipts  # the folder of expected receipts; "": this stub reports for no agent
        self._deaf = False
        self._composer = Composer()

    def run(self) -> None:
        """Answer and write heartbeats until the terminal is closed."""
        say(f"stub {self._name} is ready")
        if turns := self._conversation.turns():
            say(f"stub {self._name} goes on after {len(turns)} turns, the last: {turns[-1]}")
        while True:
            self._heartbeat.write_due()
            ready, _, _ = select.select([0], [], [], self._heartbeat.wait())
            if ready:
                data = os.read(0, 65536)
                if not data:
                    return
                for message in () if self._screen.answers(data) else self._composer.feed(data):
                    self._answer(message)

    def _answer(self, message: str) -> None:
        word, _, rest = message.strip().partition(" ")
        rest = rest.strip()
        os.write(1, b"\n")
        if word in ("/deaf", "/idle"):
            self._deaf = word == "/deaf"
        self._acknowledge(message)
        if self._screen.takes(message):
            return
        if word not in ("/hang", "/silent"):
            self._turn(word, rest)
        if word == "/hang":
            while True:
                signal.pause()
        elif word == "/silent":
            self._heartbeat.silent = True
        elif word == "/crash":
            sys.stdout.flush()
            os._exit(int(number(rest, 1)))
        elif word == "/quit":
            raise SystemExit(0)
        elif word == "/spawn":
            from providers.stub_daemon import spawn

            spawn(stubborn=rest == "stubborn")
        elif word == "/env":
            say(f"{rest}={os.environ[rest]}" if rest in os.environ else f"{rest} is not set")
            return
        elif word in NEW:
            if word == "/clear":
                os.write(1, b"\x1b[2J\x1b[3J\x1b[H")
            say(f"stub {self._name} begins a new conversation")
            return
        if not word.startswith("/"):
            self._conversation.add(message)
        for line in message.split("\n"):
            say(f"stub {self._name}> {line}")

    def _turn(self, word: str, rest: str) -> None:
        if word == "/busy":
            self._heartbeat.turn("UserPromptSubmit", busy_s=number(rest, 1e9))
        elif word == "/ask":
            self._heartbeat.turn("PermissionRequest", busy_s=1e9, words=f"waiting={plain(rest) or 'permission'}")
        elif word == "/stuck":
            self._heartbeat.turn("StopFailure", words=f"stuck={plain(rest) or 'unknown'}")
        elif word in NEW:
            self._heartbeat.begin()
        elif word == "/idle":
            self._heartbeat.turn("Stop")
            self._heartbeat.well()
        else:
            self._heartbeat.answered()

    def _acknowledge(self, message: str) -> None:
        """A receipt, if a sender waits for one."""
        if self._receipts and not self._deaf and os.path.isdir(self._receipts):
            name = f"{os.getpid()}-{time.monotonic_ns()}"
            try:
                put(f"{self._receipts}/.{name}", f"{self._receipts}/{name}.json", f'{{"prompt": {quoted(message)}}}\n')
            except OSError:
                return  # the sender no longer waits


def put(temporary: str, path: str, text: str) -> None:
    """Write a whole file, for its owner only. Raises OSError."""
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        data = text.encode()
        while data:
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)
    os.rename(temporary, path)


def quoted(text: str) -> str:
    """A JSON string."""
    plain_ones = (c if " " <= c < "\x7f" and c not in '"\\' else escaped(c) for c in text)
    return '"' + "".join(plain_ones) + '"'


def escaped(character: str) -> str:
    """One character of a JSON string, beyond the first 65,536 as two."""
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def plain(text: str) -> str:
    """A word that a heartbeat may contain."""
    return "".join(character for character in text if character.isalnum() or character in "_-")


def say(text: str) -> None:
    """One line on the terminal, as UTF-8 whatever the locale is."""
    os.write(1, text.encode("utf-8", "replace") + b"\n")


def number(text: str, otherwise: float) -> float:
    """A number that was typed, or the default."""
    try:
        return float(text)
    except ValueError:
        return otherwise


def raw_terminal() -> None:
    """Take keys as they come, as a full-screen program does, and ask for pastes to be bracketed."""
    try:
        mode = termios.tcgetattr(0)
    except termios.error:
        return  # not a terminal: lines from a pipe are fine
    mode[0] &= ~(termios.ICRNL | termios.IXON)
    mode[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG)
    termios.tcsetattr(0, termios.TCSANOW, mode)
    os.write(1, b"\x1b[?2004h")


def main() -> None:
    """Run as the agent that the environment names."""
    try:
        with open("/proc/self/comm", "w") as comm:
            comm.write("stub")
    except OSError:
        pass  # only a name
    name = os.environ.get("MOSAIC_AGENT_NAME", "unnamed")
    home = os.environ.get("MOSAIC_HOME") or os.path.expanduser("~/.config/mosaic")
    interval = max(0.05, number(os.environ.get("MOSAIC_HEARTBEAT_INTERVAL", ""), 15.0))
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    # An agent may start another stub, with its own environment: that one reports for no agent.
    own = os.environ.get("MOSAIC_AGENT_PID", str(os.getpid())) == str(os.getpid())
    life = os.environ.get("MOSAIC_AGENT_LIFE", "") if own else ""
    log = f"{home}/fleet/conversations/{name}.log" if life else ""
    # Run by its path, it does not find its own package. Nothing of the standard library is to be found there first.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    from providers.stub_conversation import StubConversation, choose
    from providers.stub_screens import StubScreen

    conversation = StubConversation(os.path.expanduser("~/.mosaic-stub"), log, life, say)
    raw_terminal()
    choose(sys.argv[1:], conversation)
    heartbeat = StubHeartbeat(name, f"{home}/fleet/run", interval, conversation)
    heartbeat.silent = not own
    receipts = f"{runtime}/mosaic/await/{name}" if own and runtime else ""
    StubAgent(name, heartbeat, receipts, conversation, StubScreen(say)).run()


if __name__ == "__main__":
    main()
