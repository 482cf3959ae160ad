"""Messages to the four real programs: what is answered is compared with what the API really received.

Every message is written down with its answer, and at the end none of the answers may have been wrong: what was called
delivered came in once, whatever else was going on, and what was not delivered never did.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.delivery.text import clean
from tests.hosts.namespace import CHECKOUT
from tests.hosts.waiting import eventually
from tests.real_agents.api import FakeApi
from tests.real_agents.bench import SOCKET, RealFleet
from tests.real_agents.replies import say

EACH = ("claude", "codex", "pi", "opencode")
WORDS = {"claude": "hook", "codex": "hook", "pi": "api", "opencode": "api"}  # the program's own word for a message
DRAFT = "half a thought"
MODELS = {"claude": "/model", "codex": "/model", "pi": "/model", "opencode": "/models"}
SEVERAL = "\n".join(f"line {number} of this one" for number in range(31))
# More than the 100,000 bytes that are as much as a person would ever paste.
LONG = "\n".join(f"{number:6} is a line of a very long message" for number in range(3000))
ODD = (
    "Grüße, 世界, \U0001f469\u200d\U0001f4bb café שלום",
    "a path that ends in C:\\",
    "look at @README",
    "try /model",
    "see #1",
    "echo done; ls ;",
    "-t foo -- --help",
    "C-c Enter Escape q",
    "!ls",
    "#{pane_id} #(id) $HOME `id` '\"",
    "a\tb\x03\x1b[31mc\x1b[0m\x1b[201~d",
    "one\n\n\n  two  three",
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    agent: str
    text: str
    code: int
    document: dict[str, Any]

    @property
    def word(self) -> str:
        return str(self.document["result"])

    def is_(self, word: str, evidence: str | Sequence[str] | None = None, *, queued: bool | None = None) -> None:
        assert self.word == word, self.document
        assert self.code == {"delivered": 0, "sent": 0, "unconfirmed": 3, "not-delivered": 1}[word]
        if evidence is not None:
            allowed = [evidence] if isinstance(evidence, str) else evidence
            assert self.document["evidence"] in allowed, self.document
        if queued is not None:
            assert self.document["queued"] is queued, self.document


@dataclass(kw_only=True)
class Talk:
    """The four programs on one host, and all that was said to them."""

    fleet: RealFleet
    answers: list[Answer] = field(default_factory=list)
    number: int = 0

    @property
    def api(self) -> FakeApi:
        return self.fleet.api

    def begin(self, agent: str, text: str, *options: str) -> tuple[str, subprocess.Popen[Any]]:
        """A message on its way; each has a number, so that it can be told from all others."""
        self.number += 1
        text = f"Message {self.number}. {text}"
        argv = [sys.executable, "-m", "reconciler.commands", "agent", "send", agent, "-o", "json", *options]
        pipe = subprocess.PIPE
        process = self.fleet.host.popen(
            argv, env={"PYTHONPATH": str(CHECKOUT)}, stdin=pipe, stdout=pipe, stderr=pipe, text=True
        )
        assert process.stdin
        process.stdin.write(text)
        process.stdin.close()
        return text, process

    def end(self, agent: str, text: str, process: subprocess.Popen[Any]) -> Answer:
        process.stdin = None  # it has all of it
        out, err = process.communicate(timeout=180)
        assert out, err
        answer = Answer(agent=agent, text=clean(text), code=process.returncode, document=json.loads(out))
        self.answers.append(answer)
        return answer

    def send(self, agent: str, text: str, *options: str) -> Answer:
        return self.end(agent, *self.begin(agent, text, "--verify", "--verify-timeout", "60s", *options))

    def came_in(self, answer: Answer) -> int:
        """How often a message is in the conversation that the API was last shown."""
        turns = self.api.turns(answer.agent)
        wanted = _bare(answer.text)
        return sum(_bare(text).count(wanted) for text in turns[-1].user_texts) if turns else 0

    def arrives(self, answer: Answer) -> None:
        eventually(
            lambda: self.came_in(answer) == 1, timeout=60, what=f"{answer.text[:40]!r} at {answer.agent}", every=0.05
        )

    def ready(self, agent: str) -> None:
        """It takes input, and has nothing to do."""
        self.fleet.until(agent, lambda seen: seen.composer == "empty" and not seen.asks and seen.turn != "busy")

    def keys(self, agent: str, *keys: str) -> None:
        self.fleet.host.tmux(SOCKET, "send-keys", "-t", f"={agent}:", *keys)


def _bare(text: str) -> str:
    """Without white space: claude and pi make four blanks of a tab."""
    return "".join(text.split())


@pytest.fixture(scope="module")
def talk(fleet: RealFleet) -> Talk:
    fleet.commit("Only the four", {"shared": "stopped"})
    fleet.reconcile().assert_converged()
    fleet.wait_until_ready(EACH)
    return Talk(fleet=fleet)


@pytest.mark.parametrize("agent", EACH)
def test_one_line_and_many(talk: Talk, agent: str) -> None:
    for text in ("Status?", SEVERAL, LONG):
        talk.ready(agent)
        answer = talk.send(agent, text)
        answer.is_("delivered", WORDS[agent])
        talk.arrives(answer)


@pytest.mark.parametrize("agent", EACH)
def test_every_kind_of_text(talk: Talk, agent: str) -> None:
    for text in ODD:
        talk.ready(agent)
        answer = talk.send(agent, text)
        answer.is_("delivered", WORDS[agent])
        cleaned = Answer(
            agent=agent, text=answer.text.replace("\x03\x1b[31mc\x1b[0m\x1b[201~d", "cd"), code=0, document={}
        )
        talk.arrives(cleaned)
        talk.answers[-1] = Answer(agent=agent, text=cleaned.text, code=answer.code, document=answer.document)


@pytest.mark.parametrize("agent", EACH)
def test_without_verify(talk: Talk, agent: str) -> None:
    talk.ready(agent)
    answer = talk.end(agent, *talk.begin(agent, SEVERAL))
    answer.is_("sent")
    talk.arrives(answer)


@pytest.mark.parametrize("agent", EACH)
def test_while_it_works(talk: Talk, agent: str) -> None:
    """What goes into its queue, or into the turn that is going on, comes in once that has gone on."""
    talk.ready(agent)
    held = say("Done.", held=True)
    talk.api.script(agent, held)
    work = talk.send(agent, "Work on it.")
    work.is_("delivered", WORDS[agent])
    talk.arrives(work)
    talk.fleet.until(agent, lambda seen: seen.turn == "busy" and seen.composer == "empty")
    meanwhile = [talk.send(agent, text) for text in ("And this.", SEVERAL)]
    for answer in meanwhile:
        answer.is_("delivered", (WORDS[agent], "pane"))
    if agent != "codex":  # it begins the turn again, with what it has been told meanwhile
        assert [answer.document["queued"] for answer in meanwhile] == [True, True]
        assert [talk.came_in(answer) for answer in meanwhile] == [0, 0]
    held.release()
    for answer in meanwhile:
        talk.arrives(answer)
    talk.ready(agent)


@pytest.mark.parametrize("agent", EACH)
def test_a_persons_draft_is_left_alone(talk: Talk, agent: str) -> None:
    talk.ready(agent)
    talk.keys(agent, "-l", DRAFT)
    talk.fleet.until(agent, lambda seen: seen.draft == DRAFT)
    for text in ("Not now.", SEVERAL):
        answer = talk.send(agent, text)
        answer.is_("not-delivered")
        assert "draft" in answer.document["reason"]
    talk.fleet.until(agent, lambda seen: seen.draft == DRAFT)
    talk.keys(agent, "-N", str(len(DRAFT)), "BSpace")
    talk.ready(agent)


@pytest.mark.parametrize("agent", EACH)
def test_copy_mode_is_left_alone(talk: Talk, agent: str) -> None:
    talk.ready(agent)
    talk.fleet.host.tmux(SOCKET, "copy-mode", "-t", f"={agent}:")
    for text in ("Not now.", SEVERAL):
        answer = talk.send(agent, text)
        answer.is_("not-delivered")
        assert "copy mode" in answer.document["reason"]
    talk.keys(agent, "-X", "cancel")
    talk.ready(agent)


@pytest.mark.parametrize("agent", EACH)
def test_a_dialog_is_left_alone(talk: Talk, agent: str) -> None:
    talk.ready(agent)
    talk.keys(agent, "-l", MODELS[agent])
    talk.fleet.until(agent, lambda seen: seen.composer == "draft")
    talk.keys(agent, "Enter")
    talk.fleet.until(agent, lambda seen: seen.asks == "menu" and seen.composer == "hidden")
    for text in ("Not now.", SEVERAL):
        answer = talk.send(agent, text)
        answer.is_("not-delivered")
        assert "waits for a person" in answer.document["reason"]
    talk.keys(agent, "Escape")
    talk.ready(agent)


@pytest.mark.parametrize("agent", EACH)
def test_two_senders_at_once(talk: Talk, agent: str) -> None:
    talk.ready(agent)
    verify = ("--verify", "--verify-timeout", "60s")
    under_way = [talk.begin(agent, text, *verify) for text in ("From one.", SEVERAL)]
    answers = [talk.end(agent, text, process) for text, process in under_way]
    for answer in answers:
        answer.is_("delivered")
        talk.arrives(answer)


def test_no_answer_was_wrong(talk: Talk) -> None:
    """Sent last of all, so that whatever still was to come has come."""
    for agent in EACH:
        talk.ready(agent)
        last = talk.send(agent, "The last one.")
        last.is_("delivered", WORDS[agent])
        talk.arrives(last)
    counts = [(one.agent, one.text[:60], one.word, talk.came_in(one)) for one in talk.answers]
    assert {word for _, _, word, _ in counts} == {"delivered", "sent", "not-delivered"}
    assert [one for one in counts if one[3] != (0 if one[2] == "not-delivered" else 1)] == []
