"""What needs no program: the dialects, the paper that is handed over, the table and the document."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from http.client import HTTPConnection
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from reconciler.commands import mosaic
from reconciler.conformance.answers import TEXT, dialect_of, stream, turn_of, whole
from reconciler.conformance.document import contract_document
from reconciler.conformance.fake_api import FakeApi
from reconciler.conformance.homes import home_of
from reconciler.conformance.model import PROOFS, ContractReport, Proof, Trial, complete
from reconciler.conformance.stage import Stage, handover
from reconciler.conformance.trial import FIRST
from reconciler.render.fleet_files.contract_text import contract_text
from reconciler.schemas.registry import schema_of
from specs.models.runtimes import KNOWN
from tests.commands.calling import call
from tests.materials import parsed

CHAT: dict[str, Any] = {
    "tools": [{"type": "function", "function": {"name": "bash"}}],
    "messages": [
        {"role": "system", "content": "be good"},
        {"role": "user", "content": "before"},
        {"role": "assistant", "content": "yes"},
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
    ],
}
PASSED = tuple(Proof(name=name, outcome="pass", evidence="it was seen", seconds=0.5) for name in PROOFS)


def trial(**fields: Any) -> Trial:
    known: dict[str, Any] = {"runtime": "pi", "path": "/b/pi", "version": "0.73.1", "wanted": False, "proofs": PASSED}
    return Trial(**{**known, **fields})


def report(*trials: Trial) -> ContractReport:
    return ContractReport(tenant_id="ada", host="build-1", at=1_763_600_000.0, trials=trials)


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/messages?beta=true", "messages"),
        ("/v1/responses", "responses"),
        ("/v1/chat/completions", "chat"),
        ("/v1/models", ""),
    ],
)
def test_the_dialect_is_known_by_the_path(path: str, dialect: str) -> None:
    assert dialect_of(path) == dialect


def test_a_turn_is_what_a_user_says() -> None:
    turn = turn_of("chat", json.dumps(CHAT).encode())
    assert turn is not None
    assert (turn.new, turn.all, turn.system) == (("one", "two"), ("before", "one", "two"), "be good")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", json.dumps({**CHAT, "tools": []}).encode(), b"[" * 100_000])
def test_what_is_no_turn_is_none(body: bytes) -> None:
    assert turn_of("chat", body) is None
    assert turn_of("", json.dumps(CHAT).encode()) is None


@pytest.mark.parametrize("dialect", ["messages", "responses", "chat"])
def test_every_event_of_an_answer_is_json_and_it_says_the_text(dialect: Any) -> None:
    head, rest = stream(dialect, 7)
    events = [part.partition(b"data: ")[2] for part in (head + rest).split(b"\n\n") if part]
    parsed = [json.loads(event) for event in events if event != b"[DONE]"]
    assert len(parsed) > 2
    assert TEXT in json.dumps(parsed)
    assert json.loads(whole(7))["content"][0]["text"] == TEXT


def test_the_api_remembers_turns_and_thinks_until_it_is_told_to_go_on() -> None:
    with FakeApi() as api:
        api.think()
        with closing(HTTPConnection(api.url.removeprefix("http://"), timeout=60)) as connection:
            connection.request("POST", "/v1/chat/completions", json.dumps(CHAT).encode())
            answer = connection.getresponse()
            first = answer.readline()
            assert json.loads(first.removeprefix(b"data: "))["object"] == "chat.completion.chunk"
            assert [turn.new for turn in api.turns()] == [("one", "two")]
            api.go_on()
            assert TEXT in answer.read().decode()


@pytest.mark.parametrize("runtime", ["claude", "codex", "pi", "opencode"])
def test_a_home_knows_nothing_but_the_loopback(runtime: str) -> None:
    home = home_of(runtime, project="/p", url="http://127.0.0.1:1")
    text = json.dumps([dict(home.files), dict(home.env)])
    assert "127.0.0.1:1" in text
    assert text.count("http") == text.count("http://127.0.0.1:1")
    assert home_of("stub", project="/p", url="x") == type(home)()


def test_nothing_of_the_operators_environment_goes_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_AUTH_TOKEN", "OPENAI_API_KEY", "SSH_AUTH_SOCK", "GITHUB_TOKEN", "TMUX"):
        monkeypatch.setenv(name, "a-secret")
    with Stage("stub", "/usr/bin:/bin") as stage:
        assert "a-secret" not in stage.environ.values()
        inside = {name: value for name, value in stage.environ.items() if name.startswith(("XDG_", "MOSAIC_H", "HOME"))}
        assert all(value.startswith(f"{stage.root}/") for value in inside.values())
        assert stage.root.stat().st_mode & 0o077 == 0
        root = stage.root
    assert not root.exists()


def test_the_paper_is_what_agent_pane_understands(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("two\nlines\n")
    pairs = (
        ("MOSAIC_AGENT_WORKDIR", str(tmp_path)),
        ("ENV", "A=b c=d"),
        ("ADD_ENV", "B=x\ny"),
        ("PROP", "TasksMax=5"),
        ("ARG", "/usr/bin/env"),
        ("ARG", "-0"),
        ("ADD_ARG", "sh"),
        ("ADD_ARG", "-c"),
        ("ADD_ARG", 'printf "%s|" "$A" "$B" "$@"'),
        ("ADD_ARG", "name"),
        ("ADD_TEXT", f"prefix=|{text}"),
        ("ADD_TEXT", f"gone=|{tmp_path}/nowhere"),
    )
    paper = tmp_path / "run/mosaic/launch/x:1"
    paper.parent.mkdir(parents=True)
    paper.write_text(handover(pairs).replace("arg -0\n", ""))
    program = str(files("providers.framework_files") / "agent-pane")
    done = subprocess.run(
        ["/bin/sh", program, "x", "1"],
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "b c=d|x\ny|prefix=two\nlines|"


def test_what_was_not_come_to_is_skipped() -> None:
    proofs = complete([Proof(name="launch", outcome="fail", evidence="x")], "it did not come up")
    assert [proof.outcome for proof in proofs] == ["fail", *["skipped"] * (len(PROOFS) - 1)]
    assert not trial(proofs=proofs).passed


@pytest.mark.parametrize(("wanted", "passed"), [(False, True), (True, False)])
def test_a_program_that_is_not_installed_fails_only_if_it_was_named(wanted: bool, passed: bool) -> None:
    assert trial(path="", version="", proofs=(), wanted=wanted).passed is passed


def test_the_document_keeps_to_its_schema() -> None:
    absent = trial(runtime="codex", path="", version="", proofs=(), wanted=True)
    document = parsed(contract_document(report(trial(), absent)))
    jsonschema.Draft202012Validator(schema_of("contract")).validate(document)
    assert document["passed"] is False
    assert [one["installed"] for one in document["runtimes"]] == [True, False]


def test_the_table() -> None:
    lost = Proof(name="reset", outcome="fail", evidence="nothing shows it " * 8)
    failed = tuple(lost if one.name == "reset" else one for one in PASSED)
    absent = trial(runtime="codex", path="", version="", proofs=())
    text = contract_text(report(trial(), absent, trial(runtime="claude", version="2.1.197 (x)", proofs=failed)))
    lines = text.splitlines()
    assert lines[0].split() == ["RUNTIME", "VERSION", "PASSED", "FAILED", "SECONDS"]
    assert lines[1].split() == ["pi", "0.73.1", "13", "of", "13", "-", "0.0"]
    assert lines[2].split() == ["codex", "not", "installed", "-", "-", "-"]
    assert lines[3].split() == ["claude", "2.1.197", "12", "of", "13", "reset", "0.0"]
    assert "  fail reset: nothing shows it nothing" in text
    assert [line for line in lines[4:] if len(line) > 80] == []
    assert text.isascii()


def test_the_first_message_is_as_hard_as_the_page_of_the_programs_says() -> None:
    assert len(FIRST.splitlines()) == 31
    assert not FIRST.isascii()


def test_a_runtime_that_nobody_knows() -> None:
    said = call(mosaic.command, "doctor", "--contract", "cluade")
    assert (said.code, said.out) == (64, "")
    assert 'did you mean "claude"?' in said.err
    assert call(mosaic.command, "doctor", "pi").code == 64
    assert set(KNOWN) == {"claude", "codex", "pi", "opencode", "stub"}
