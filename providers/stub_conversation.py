"""The conversation of a stub agent: its turns in a file, and the arguments that choose one, as those of claude do.

    --session-id ID    begin a conversation under this id; ends with exit status 1 if there is one
    --resume ID        go on with this one; ends with exit status 1 if there is none
    --refuse-resume    end with exit status 1 instead of going on with one
    --ask-at-resume    wait for a person instead of going on with one, and do nothing else

It imports next to nothing, as the stub itself.
"""

from __future__ import annotations

import os
import signal
import time

TYPE_CHECKING = False  # typing itself takes a while to import
if TYPE_CHECKING:
    from collections.abc import Callable


class StubConversation:
    """Where the turns of a conversation are kept: a file of lines, made with the first turn. `log`: the agent's
    conversation record, which gets each id, and once more when the first turn is taken up in it; "" for no agent's.
    `say`: shows a line on the terminal."""

    def __init__(self, folder: str, log: str, life: str, say: Callable[[str], None]) -> None:
        self._folder, self._log, self._life = folder, log, life
        self._said = False
        self.say = say
        self.id = ""

    @property
    def path(self) -> str:
        return f"{self._folder}/{self.id}"

    def turns(self) -> list[str]:
        """The turns of it so far."""
        try:
            with open(self.path, encoding="utf-8") as file:
                return file.read().splitlines()
        except OSError:
            return []

    def begin(self, session: str) -> None:
        """Be in this conversation from now on."""
        self.id, self._said = session, False
        self._note()

    def add(self, text: str) -> None:
        """One more turn."""
        try:
            os.makedirs(self._folder, 0o700, exist_ok=True)
            with open(self.path, "a", encoding="utf-8", opener=private) as file:
                file.write(" ".join(text.split()) + "\n")
        except OSError as error:
            self.say(f"cannot keep the conversation: {error.strerror}")
        if not self._said:
            self._said = True
            self._note()

    def _note(self) -> None:
        if not self._log:
            return
        words = f"at={int(time.time())}\tlife={self._life}\tprogram=stub\tid={self.id}\tsource=native"
        try:
            os.makedirs(os.path.dirname(self._log), 0o700, exist_ok=True)
            with open(self._log, "a", encoding="utf-8", opener=private) as file:
                file.write(f"\nid\t{words}\tsaid={int(self._said)}\tfile={self.path}\n")
        except OSError as error:
            self.say(f"cannot note the conversation: {error.strerror}")


def private(path: str, flags: int) -> int:
    """A file for its owner only, opened."""
    return os.open(path, flags, 0o600)


def choose(arguments: list[str], conversation: StubConversation) -> None:
    """Begin the conversation that the arguments choose, or one of its own. Ends this program where it cannot."""
    values = {word: "".join(arguments[at + 1 : at + 2]) for at, word in enumerate(arguments)}
    resumed, given = values.get("--resume", ""), values.get("--session-id", "")
    conversation.id = resumed or given
    known = bool(conversation.id and conversation.turns())
    if resumed and (not known or "--refuse-resume" in values):
        conversation.say(f"stub: no conversation found with id {resumed}")
        raise SystemExit(1)
    if given and known:
        conversation.say(f"stub: the id {given} is in use")
        raise SystemExit(1)
    if resumed and "--ask-at-resume" in values:
        conversation.say("stub: go on here? [y/N]")
        while True:
            signal.pause()
    conversation.begin(resumed or given or os.urandom(8).hex())
