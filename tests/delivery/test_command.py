"""`mosaic agent send` and `mosaic agent outbox`: what a person types, and what is answered."""

from __future__ import annotations

import io
import json
import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from providers.host import HostFacts
from providers.machine.facts import gather
from reconciler.commands import mosaic
from reconciler.delivery.outbox import Outbox
from reconciler.delivery.verdict import Delivery
from reconciler.errors import Refused
from reconciler.schemas.registry import schema_of
from reconciler.state.store import Store
from specs.compiled import Agent
from tests import builders as make
from tests.commands.calling import Said, call
from tests.commands.stored import stored
from tests.launch.bench import make_agent, make_fleet

FLEET = replace(make_fleet(make_agent("coder0"), make_agent("coder1", state="stopped")), name="demo")


class Sent:
    """Stands in for the delivery."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, dict[str, Any]]] = []
        self.answer = Delivery(word="delivered", evidence="hook")

    def __call__(self, agent: Agent, text: str, by: object, **options: Any) -> Delivery:
        del by
        self.calls.append((agent.name, text, options))
        return self.answer


@pytest.fixture
def facts(isolated: Path) -> HostFacts:
    del isolated
    return gather(os.environ)


@pytest.fixture
def store(facts: HostFacts) -> Store:
    return stored(facts, FLEET)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, store: Store) -> Sent:
    del store
    made = Sent()
    monkeypatch.setattr("reconciler.delivery.send.deliver", made)
    return made


def agent(*args: str) -> Said:
    return call(mosaic.command, "agent", *args)


def fits(which: str, said: Said) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(said.out)
    jsonschema.Draft202012Validator(schema_of(which)).validate(document)
    return document


def test_a_message(sent: Sent) -> None:
    said = agent("send", "coder0", "-m", "status\x1b[31m check\n")
    assert (said.code, said.out) == (0, "delivered to coder0 (evidence: hook)\n")
    assert sent.calls[0][:2] == ("coder0", "[build-1:operator -> build-1:coder0] status check")
    assert sent.calls[0][2]["verify"] is False
    agent("send", "coder0", "-m", "x", "--verify", "--verify-timeout", "9s", "--source-label", "build-1:coder1")
    assert sent.calls[1][1] == "[build-1:coder1 -> build-1:coder0] x"
    assert (sent.calls[1][2]["verify"], sent.calls[1][2]["timeout_s"]) == (True, 9.0)


@pytest.mark.parametrize(
    ("found", "code", "line"),
    [
        (Delivery(word="delivered", evidence="pane"), 0, "delivered to coder0 (evidence: pane)"),
        (Delivery(word="sent"), 0, "sent to coder0"),
        (Delivery(word="unconfirmed", reason="why", way="look"), 3, "unconfirmed to coder0: why"),
        (Delivery(word="not-delivered", reason="why", way="look"), 1, "not-delivered to coder0: why"),
    ],
)
def test_the_words_and_their_exit_codes(sent: Sent, found: Delivery, code: int, line: str) -> None:
    sent.answer = found
    said = agent("send", "coder0", "-m", "x")
    assert (said.code, said.out.strip()) == (code, line)
    assert said.err == ("help: look\n" if found.way else "")
    said = agent("send", "coder0", "-m", "x", "-o", "json")
    document = fits("delivery", said)
    assert said.code == code
    assert (document["result"], document["kind"], document["agent"]) == (found.word, "Delivery", "coder0")
    assert "x" not in (document["reason"], document["help"])


def test_a_queued_message_says_so(sent: Sent) -> None:
    sent.answer = Delivery(word="delivered", evidence="api", queued=True)
    assert "queued" in agent("send", "coder0", "-m", "x").out
    assert fits("delivery", agent("send", "coder0", "-m", "x", "-o", "json"))["queued"] is True


def test_the_log_has_no_text(sent: Sent, store: Store) -> None:
    agent("send", "coder0", "-m", "a word of mine")
    (line,) = (store.state / "events.ndjson").read_text().splitlines()
    record = json.loads(line)
    jsonschema.Draft202012Validator(schema_of("event")).validate(record)
    assert (record["type"], record["result"], record["bytes"]) == ("message", "delivered", 14)
    assert "word" not in line
    assert len(sent.calls) == 1


def test_a_file_and_standard_input(sent: Sent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "words"
    path.write_text("from a file\n")
    agent("send", "coder0", "-f", str(path))
    for options in ((), ("-f", "-")):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("größe\n".encode())))
        assert agent("send", "coder0", *options).code == 0
    assert [text.partition("] ")[2] for _, text, _ in sent.calls] == ["from a file", "größe", "größe"]


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        (["codr0", "-m", "x"], 4, "did you mean coder0"),
        (["coder0", "-m", "x", "-f", "y"], 64, "either -m or -f"),
        (["coder0", "-m", ""], 64, "empty"),
        (["coder0", "-m", "\x1b[0m\n"], 64, "empty"),
        (["coder0", "-m", "x" * 300_000], 64, "262144"),
        (["coder0", "-f", "/nothing"], 4, "no file"),
        (["coder0", "-f", "/"], 1, "cannot be read"),
        (["coder0", "-m", "x", "--source-label", "two words"], 64, "label"),
        (["coder0", "-m", "x", "--when", "available", "--verify"], 64, "--verify"),
        (["coder0", "-m", "x", "--expires", "1h"], 64, "--expires"),
    ],
)
def test_what_is_not_sent(sent: Sent, args: list[str], code: int, word: str) -> None:
    said = agent("send", *args)
    assert said.code == code
    assert word in said.err
    assert said.out == ""
    assert sent.calls == []


def test_what_is_no_text(sent: Sent, tmp_path: Path) -> None:
    path = tmp_path / "binary"
    path.write_bytes(b"ab\xff")
    said = agent("send", "coder0", "-f", str(path))
    assert (said.code, sent.calls) == (64, [])
    assert "not UTF-8 text: byte 2" in said.err
    path.write_bytes(b"x" * (5 << 20))
    assert "larger than" in agent("send", "coder0", "-f", str(path)).err


def test_for_later(store: Store, sent: Sent) -> None:
    store.guard(store.runtime / "trigger.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(store.runtime / "trigger.sock"))
        listener.settimeout(30)
        said = agent("send", "coder0", "-m", "later", "--when", "available")
        assert listener.recv(64)
    assert said.code == 0
    assert "the resident reconciler delivers it when coder0 is available" in said.out
    args = ("send", "coder1", "-m", "x", "--when", "available")
    document = fits("delivery", agent(*args, "--expires", "1h", "-o", "json"))
    assert document["result"] == "stored"
    one, two = Outbox(store).messages()
    assert (one.text, two.id, round(two.expires - two.created)) == ("later", document["id"], 3600)
    assert sent.calls == []
    assert "declared stopped" in agent(*args).err


def test_the_outbox(store: Store) -> None:
    assert agent("outbox").out == "the outbox is empty\n"
    assert fits("outbox", agent("outbox", "-o", "json"))["messages"] == []
    outbox = Outbox(store)
    one = outbox.put(agent="coder0", sender="build-1:operator", text="first\nmessage", now=make.NOW)
    two = outbox.put_kickstart(agent="coder1", sender="build-1:mosaic", kickstart="Hello.", now=make.NOW)
    outbox.end(one, make.NOW, state="unconfirmed", reason="nobody knows")
    text = agent("outbox").out
    assert f"{one.id}: nobody knows" in text
    assert "first message" in text
    assert "1 message may have arrived or not" in text
    rows = fits("outbox", agent("outbox", "-o", "json"))["messages"]
    assert [(row["id"], row["what"], row["state"]) for row in rows] == [
        (two.id, "kickstart", "waiting"),
        (one.id, "message", "unconfirmed"),
    ]
    assert [row["agent"] for row in fits("outbox", agent("outbox", "coder0", "-o", "json"))["messages"]] == ["coder0"]
    said = agent("outbox", "--cancel", one.id)
    assert (said.code, said.err) == (0, f"cancelled {one.id} for coder0\n")
    assert agent("outbox", "--cancel", one.id).code == 4
    assert agent("outbox", "nobody").code == 4


def test_a_full_outbox(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.delivery.outbox.MAX_OF_AGENT", 1)
    agent("send", "coder0", "-m", "x", "--when", "available")
    said = agent("send", "coder0", "-m", "x", "--when", "available")
    assert said.code == Refused.exit_code
    assert "the outbox is full" in said.err
    assert len(Outbox(store).messages()) == 1
