"""`mosaic agent answer`: what a person types, and what is answered."""

from __future__ import annotations

import io
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from providers.machine.facts import gather
from providers.programs.base import Choice
from reconciler.answering.verdict import EXIT, AnswerWord, DialogAnswer, ShownDialog, WantedAnswer
from reconciler.attention.case import AttentionKind
from reconciler.commands import mosaic
from reconciler.remote.ssh import RemoteAnswer
from reconciler.schemas.registry import schema_of
from reconciler.state.store import Store
from specs.compiled import Agent, Peer
from tests.commands.calling import Said, call
from tests.commands.stored import stored
from tests.launch.bench import make_agent, make_fleet

FLEET = replace(
    make_fleet(make_agent("coder0")),
    name="demo",
    peers=(Peer(name="far0", agent_class="code", runtime="claude", state="running", host="far", ssh="me@far"),),
)
DIALOG = ShownDialog(
    case="1a2b3c4d",
    kind=AttentionKind.PERMISSION,
    question="Bash command\n  git push  TOKEN=abcdefgh12345678",
    choices=(Choice(label="Yes", keys=("1",), means="allow", selected=True), Choice(label="No", means="deny")),
    takes_text=False,
)
DONE = DialogAnswer(word="answered", dialog=DIALOG, pressed="Yes", now="it works")


class Answered:
    """Stands in for the answer."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, WantedAnswer, str]] = []
        self.found = DONE

    def __call__(self, agent: Agent, wanted: WantedAnswer, by: object, *, case: str) -> DialogAnswer:
        del by
        self.calls.append((agent.name, wanted, case))
        return self.found


@pytest.fixture
def store(isolated: Path) -> Store:
    del isolated
    return stored(gather(os.environ), FLEET)


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch, store: Store) -> Answered:
    del store
    made = Answered()
    monkeypatch.setattr("reconciler.answering.answer.answer", made)
    return made


def run(*args: str) -> Said:
    return call(mosaic.command, "agent", "answer", *args)


def document(said: Said) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.out)
    jsonschema.Draft202012Validator(schema_of("answer")).validate(found)
    return found


def events(store: Store) -> list[dict[str, Any]]:
    path = store.state / "events.ndjson"
    found = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    for one in found:
        jsonschema.Draft202012Validator(schema_of("event")).validate(one)
    return found


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        (["--allow"], WantedAnswer(how="allow")),
        (["--deny"], WantedAnswer(how="deny")),
        (["--choose", "2"], WantedAnswer(how="choose", number=2)),
        (["--text", "a\x1b[31m word\n"], WantedAnswer(how="text", text="a word")),
    ],
)
def test_each_way_to_answer(answered: Answered, args: list[str], wanted: WantedAnswer) -> None:
    assert run("coder0", *args, "--case", "1a2b3c4d").code == 0
    assert answered.calls == [("coder0", wanted, "1a2b3c4d")]


def test_what_a_person_reads(answered: Answered, store: Store) -> None:
    said = run("coder0", "--allow")
    assert said.out.splitlines() == [
        "case 1a2b3c4d (permission)",
        "  Bash command",
        "  git push TOKEN=[hidden]",
        "  1  Yes (--allow)",
        "  2  No (--deny)",
        "answered: agent coder0, with Yes; now it works",
    ]
    found = document(run("coder0", "--allow", "-o", "json"))
    assert (found["result"], found["pressed"], found["now"], found["then"]) == ("answered", "Yes", "it works", None)
    assert found["dialog"]["choices"][1] == {
        "number": 2, "label": "No", "means": "deny", "known": False, "selected": False,
    }  # fmt: skip
    assert answered.calls[-1][0] == "coder0"
    one = events(store)[0]
    assert (one["type"], one["agent"], one["by"], one["case"]) == ("answered", "coder0", "build-1:operator", "1a2b3c4d")
    assert one["message"] == ("its dialog (permission) was answered by build-1:operator with 'Yes': answered; it works")


@pytest.mark.parametrize(
    ("word", "code", "logged"),
    [("answered", 0, 1), ("unconfirmed", 3, 1), ("changed", 5, 0), ("no-dialog", 4, 0), ("not-answered", 1, 0)],
)
def test_the_words_and_their_exit_codes(
    answered: Answered, store: Store, word: AnswerWord, code: int, logged: int
) -> None:
    answered.found = DialogAnswer(word=word, dialog=DIALOG, reason="so it is", way="do this")
    said = run("coder0", "--allow")
    assert (said.code, int(EXIT[word])) == (code, code)
    assert f"{word}: agent coder0: so it is" in said.out
    assert "help: do this" in said.err
    assert document(run("coder0", "--allow", "-o", "json"))["reason"] == "so it is"
    assert len(events(store)) == 2 * logged


def test_the_log_has_no_text_that_was_typed(answered: Answered, store: Store) -> None:
    answered.found = replace(DONE, pressed="a text of 4 bytes")
    assert run("coder0", "--text", "word").code == 0
    assert "word" not in str(events(store))


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (["codr0", "--allow"], 4, "did you mean coder0"),
        (["coder0"], 64, "say one of"),
        (["coder0", "--allow", "--choose", "1"], 64, "say one of"),
        (["coder0", "--choose", "0"], 64, "choose"),
        (["coder0", "--text", ""], 64, "empty"),
    ],
)
def test_what_is_no_answer(answered: Answered, args: list[str], code: int, word: str) -> None:
    said = run(*args)
    assert (said.code, answered.calls) == (code, [])
    assert word in said.err


def test_an_agent_cannot_answer(answered: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("providers.processes.caller.calling_agent", lambda: "coder1")
    said = run("coder0", "--allow")
    assert (said.code, answered.calls) == (5, [])
    assert "this is called by agent coder1, and a dialog is a person's to answer" in said.err


class Ssh:
    """Stands in for the way to the other host."""

    words: list[str]
    stdin: bytes
    answer_: RemoteAnswer

    def __init__(self, there: object, words: list[str], *, timeout_s: float, stdin: bytes) -> None:
        del timeout_s
        self.there = there
        Ssh.words, Ssh.stdin = words, stdin

    def answer(self) -> RemoteAnswer:
        return Ssh.answer_


def test_on_another_host(answered: Answered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.answering.remote.Asking", Ssh)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"$(rm -rf /)\n")))
    there = {**document(run("coder0", "--allow", "-o", "json")), "host": "far", "agent": "far0", "result": "changed"}
    Ssh.answer_ = RemoteAnswer(status=5, document=there, said="")
    said = run("far0", "--text", "-", "--case", "1a2b3c4d")
    assert (said.code, said.out.splitlines()[-1]) == (5, "changed: agent far0, with Yes; now it works")
    assert Ssh.words == [
        *("agent", "answer", "far0", "--fleet", "demo", "--text", "-", "--case", "1a2b3c4d"),
        *("--source-label", "build-1:operator", "-o", "json"),
    ]
    assert Ssh.stdin == b"$(rm -rf /)"
    assert len(answered.calls) == 1
    for status, code, word in ((4, 4, "error: far: no answer"), (1, 3, "unconfirmed: agent far0")):
        Ssh.answer_ = RemoteAnswer(status=status, document=None, said="no answer")
        said = run("far0", "--choose", "3")
        assert said.code == code
        assert word in said.out + said.err
    assert Ssh.words[5:7] == ["--choose", "3"]
