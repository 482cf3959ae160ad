"""The rows of every host: what each answers, and what stands for one that does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.errors import NotFound
from reconciler.listing.document import Listing, listing_document
from reconciler.listing.row import Row
from reconciler.remote.all_hosts import everywhere
from reconciler.status.values import Pause
from specs.compiled import Fleet, Peer
from tests.remote.test_ssh import SSH, program

NOW = 1_700_000_000.0


def listing(*rows: Row, host: str = "near") -> Listing:
    return Listing(fleet="pair", tenant_id="ada", host=host, observed_at=NOW, compared="0" * 40, rows=rows)


def row(name: str, host: str) -> Row:
    return Row(kind="agent", name=name, tenant_id="ada", host=host, observed_at=NOW)


def fleet(*peers: tuple[str, str, str | None]) -> Fleet:
    return Fleet(
        name="pair",
        tenant_id="ada",
        host="near",
        revision="0" * 40,
        socket="pair",
        holder_session="_holder",
        agents=(),
        peers=tuple(
            Peer(name=name, agent_class="code", runtime="stub", state="running", host=host, ssh=ssh)
            for name, host, ssh in peers
        ),
    )


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `mosaic` over there prints, as a file that a test may change."""
    program(tmp_path / "ssh", SSH)
    program(tmp_path / "mosaic", f'#!/bin/sh\nprintf "%s\\n" "$*" >{tmp_path}/asked\ncat {tmp_path}/answer\n')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    answer = tmp_path / "answer"
    answer.write_text(json.dumps(listing_document(listing(row("coder0", "machine-17"), host="machine-17"))))
    return answer


def test_each_host_answers_for_itself(far: Path) -> None:
    """Under the name that the fleet has for it; one process for each host, whatever it has on it."""
    peers = (("coder0", "far", "ada@far.example"), ("coder1", "far", None))
    found = everywhere(listing(row("lead", "near")), fleet(*peers), timeout_s=30)
    assert [(one.name, one.host) for one in found.rows] == [("coder0", "far"), ("lead", "near")]
    assert (far.parent / "asked").read_text() == "fleet ps --fleet pair -o json\n"
    assert len((far.parent / "log").read_text().splitlines()) == 1


def test_what_is_wrong_with_a_whole_host_is_told(far: Path) -> None:
    there = replace(listing(row("coder0", "far"), host="machine-17"), problems=("linger is off",), rejected="a tab")
    far.write_text(json.dumps(listing_document(there)))
    found = everywhere(listing(row("lead", "near")), fleet(("coder0", "far", "ada@far.example")), timeout_s=30)
    assert found.problems == ("far: linger is off", "far: the newest commit is not taken: a tab")
    assert found.wrong
    far.write_text(json.dumps(listing_document(replace(there, rejected="", pause=Pause(reason="storm")))))
    found = everywhere(listing(row("lead", "near")), fleet(("coder0", "far", "ada@far.example")), timeout_s=30)
    assert (found.problems, found.wrong) == ((), False)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ("", "it gave no answer"),
        ("[]", "it gave no answer"),
        ("{}", "is the same version installed there?"),
        ('{"kind": "AgentList", "agents": [{"name": 1}]}', "is the same version installed there?"),
    ],
)
def test_an_answer_that_is_none_is_a_row_that_says_so(far: Path, answer: str, says: str) -> None:
    far.write_text(answer)
    found = everywhere(listing(row("lead", "near")), fleet(("coder0", "far", "ada@far.example")), timeout_s=30)
    assert [(one.kind, one.name) for one in found.rows] == [("host", "far"), ("agent", "lead")]
    assert says in found.rows[0].why
    assert found.wrong


@pytest.mark.usefixtures("far")
def test_a_host_that_is_not_reached_hides_no_other() -> None:
    peers = (("a", "one", "ada@shut"), ("b", "two", "ada@far.example"), ("c", "three", "ada@nowhere"))
    found = everywhere(listing(row("lead", "near")), fleet(*peers), timeout_s=30)
    assert sorted((one.kind, one.name, one.host) for one in found.rows) == [
        ("agent", "coder0", "two"),
        ("agent", "lead", "near"),
        ("host", "one", "one"),
        ("host", "three", "three"),
    ]


def test_who_is_asked_for_is_shown_or_the_host_that_hides_him() -> None:
    silent = Row(kind="host", name="far", tenant_id="ada", host="far", wrong=True)
    rows = listing(row("lead", "near"), row("coder1", "up"), silent)
    homes = {"coder0": "far", "coder1": "up"}
    assert [one.name for one in rows.only(["coder0"], homes).rows] == ["far"]
    assert [one.name for one in rows.only(["coder1", "lead"], homes).rows] == ["lead", "coder1"]
    assert rows.only([], homes) is rows
    with pytest.raises(NotFound):
        rows.only(["far"], homes)
