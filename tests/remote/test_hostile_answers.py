"""What another host may print besides an answer, or instead of one: greetings, mischief, half a connection."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.delivery.remote_send import RemoteDelivery, send_elsewhere
from reconciler.errors import NotFound, Unavailable
from reconciler.listing.document import listing_document
from reconciler.remote.all_hosts import everywhere
from reconciler.remote.ssh import Asking, Destination, Remote, RemoteAnswer, Unreached
from reconciler.render.delivery_text import delivery_text
from reconciler.render.ps_text import ps_text
from specs.compiled import Peer
from tests.materials import parsed
from tests.remote.test_everywhere import fleet, listing, row
from tests.remote.test_ssh import SSH, program

PEERS = (("coder0", "far", "ada@far.example"),)
PEER = Peer(name="coder0", agent_class="code", runtime="stub", state="running", host="far", ssh="ada@far.example")
DELIVERED = {"apiVersion": "mosaic.fleet/v1", "kind": "Delivery", "result": "delivered", "evidence": "hook"}


class There:
    """The other host: what it prints, and how it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def says(self, out: str, *, err: str = "", status: int = 0) -> None:
        (self._folder / "out").write_text(out)
        (self._folder / "err").write_text(err)
        (self._folder / "status").write_text(str(status))

    def answer(self) -> RemoteAnswer:
        return Asking(Destination(host="far", target="ada@far.example"), ["fleet", "ps"], timeout_s=60).answer()

    def send(self) -> Any:
        return send_elsewhere(fleet(*PEERS), PEER, "hello", sender="near:lead", options=(), wait_s=30)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> There:
    program(tmp_path / "ssh", SSH)
    program(tmp_path / "mosaic", f"#!/bin/sh\ncd {tmp_path}\ncat err >&2\ncat out\nexit $(cat status)\n")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return There(tmp_path)


@pytest.mark.parametrize(
    "greeting",
    [
        "Welcome to far!\n",
        "\x1b[1m* * *\x1b[0m\n\n",
        "{ motd }\n",
        '{"level": "info"}\n',
        '[1]\n{"a\n{\n',
        "\xff\xfe\n",
    ],
)
def test_a_greeting_around_the_answer_is_no_part_of_it(there: There, greeting: str) -> None:
    for document in (json.dumps(DELIVERED), json.dumps(DELIVERED, indent=2)):
        there.says(f"{greeting}{document}\nGood bye.\n")
        assert there.answer().document == DELIVERED


@pytest.mark.parametrize(
    "out",
    ["", "nonsense", "[]", "3", "{" * 100_000, '{"a":' * 100_000, "\n{" * 10_000, '{"a": NaN}', '{"kind": 1'[:-1]],
)
def test_what_is_no_document_is_none(there: There, out: str) -> None:
    there.says(out)
    assert there.answer().document is None


@pytest.mark.parametrize(
    "said",
    [
        "Read from remote host far.example: Connection timed out\r\nclient_loop: send disconnect: Broken pipe",
        "Timeout, server far.example not responding.",
        "fatal: git@example: Could not resolve hostname\nConnection to far.example closed by remote host.",
    ],
)
def test_a_connection_that_ends_in_the_middle_leaves_it_open_whether_it_arrived(there: There, said: str) -> None:
    there.says("", err=f"{said}\n", status=255)
    with pytest.raises(Unavailable) as caught:
        there.answer()
    assert not isinstance(caught.value, Unreached)
    assert there.send().word == "unconfirmed"


@pytest.mark.parametrize(
    "said",
    [
        "ssh: connect to host far.example port 22: Connection refused",
        "ssh: connect to host far.example port 22: Connection timed out",
        "Warning: Permanently added something\nada@far.example: Permission denied (publickey,password).",
        "@@@ WARNING @@@\nHost key verification failed.\r",
    ],
)
def test_a_connection_that_never_was_delivers_nothing(there: There, said: str) -> None:
    there.says("", err=f"{said}\n", status=255)
    assert there.send().word == "not-delivered"


@pytest.mark.parametrize("status", [0, 1, 2, 3, 70, 126, 143])
@pytest.mark.parametrize(
    "out", ["", "garbage", '{"kind": "Delivery"}', '{"kind": "Delivery", "result": ["sent"]}', '{"kind": "Fleet"}']
)
def test_without_an_answer_nobody_knows_whether_it_arrived(there: There, out: str, status: int) -> None:
    """To call it not delivered would have it sent twice."""
    there.says(out, err="bash: something is wrong\n", status=status)
    found = there.send()
    assert (found.word, found.evidence) == ("unconfirmed", "")
    assert "far" in found.reason
    assert "mosaic agent tail coder0" in found.way


def test_what_was_refused_there_is_refused_here(there: There) -> None:
    there.says("", err='error: no agent is called "coder0"\n', status=4)
    with pytest.raises(Remote, match="no agent is called"):
        there.send()


def test_the_exit_code_is_that_of_the_word(there: There) -> None:
    there.says(json.dumps({**DELIVERED, "result": "not-delivered", "evidence": {"a": 1}}), status=0)
    found = there.send()
    assert isinstance(found, RemoteDelivery)
    assert (found.code, found.delivery.word if found.delivery else "") == (1, "not-delivered")


def test_the_words_of_another_host_steer_no_terminal(there: There) -> None:
    there.says(json.dumps({**DELIVERED, "result": "unconfirmed", "reason": "\x1b]0;mine\x07\x1b[2Jgone\nfar"}))
    found = there.send()
    assert isinstance(found, RemoteDelivery)
    assert found.delivery is not None
    assert delivery_text("coder0", found.delivery).isprintable()


def rows(there: There, **fields: object) -> Any:
    document = listing_document(listing(row("coder0", "far"), host="far"))
    parsed(document["agents"])[0].update(fields)
    there.says(json.dumps(document))
    return everywhere(listing(row("lead", "near")), fleet(*PEERS), timeout_s=60)


@pytest.mark.parametrize(
    "fields",
    [
        {"enabled": ["x"]},
        {"enabled": "yes"},
        {"available": 1},
        {"restarts": float("inf")},
        {"idle_s": float("inf")},
        {"cpu_s": float("nan")},
        {"memory_bytes": float("inf")},
        {"up_s": 1, "observed_at": "9999999-01-01"},
        {"evidence": [{"source": "tmux", "what": "title", "value": {"a": []}, "at": None}]},
        {"heartbeat": []},
        {"next": 3},
    ],
)
def test_a_row_that_makes_no_sense_is_a_host_that_is_not_understood(there: There, fields: dict[str, object]) -> None:
    found = rows(there, **fields)
    assert [(one.kind, one.name) for one in found.rows] == [("host", "far"), ("agent", "lead")]
    assert ps_text(found, wide=True)


def test_no_field_of_a_row_steers_a_terminal(there: There) -> None:
    bad = "\x1b[31mred\x9b2J\r\n\u202e"
    words = ("name", "tenant_id", "class", "runtime", "desired", "unit", "session", "socket", "program", "health")
    more: dict[str, object] = {"problems": [bad], "next": {"verb": bad, "reason": bad, "at": None}}
    beat = {"state": bad, "age_s": 1.0, "source": bad}
    found = rows(there, **dict.fromkeys(words, bad), **more, heartbeat=beat, notes=[bad])
    assert [one.kind for one in found.rows] == ["agent", "agent"]
    for width in (None, 80, 20):
        for wide in (False, True):
            shown = ps_text(found, width=width, wide=wide)
            assert all(line.isprintable() for line in shown.split("\n"))
    with pytest.raises(NotFound):
        found.rows_of("nope")
