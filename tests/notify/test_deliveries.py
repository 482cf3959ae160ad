"""Notices are handed over by programs that may fail, hang or talk too much, and none of that reaches the loop."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from providers.processes.process import Child
from providers.programs.base import Choice
from reconciler.attention.case import AttentionCase, AttentionKind
from reconciler.attention.notices import Notice, due_notices
from reconciler.attention.register import OpenCase, Register
from reconciler.notify import deliveries, email, failures
from reconciler.notify.deliveries import OUTPUT_MAX, Deliveries
from reconciler.notify.failures import failing
from reconciler.schemas.registry import schema_of
from reconciler.state.event_log import read_events
from reconciler.state.store import Store
from specs.compiled import NotifyRule
from tests.builders import NOW
from tests.hosts.waiting import eventually

HEAD = {"fleet": "demo", "tenant_id": "ada", "host": "build-1"}
CASE = AttentionCase(
    id="4be1f0a2", agent="coder0", kind=AttentionKind.PERMISSION, life="1.1", since=NOW - 60,
    question="Run <rm -rf> & build?", choices=(Choice(label="Yes", means="allow"),),
    answered_by=("mosaic agent answer coder0 --case 4be1f0a2 --allow",),
)  # fmt: skip


def notice(**rule: Any) -> Notice:
    """What the register hands over of one case."""
    register = Register(open=(OpenCase(case=CASE, number=7, raised=CASE.id),))
    made = NotifyRule(**{"name": "page", "timeout": 30.0, **rule})
    (one,) = due_notices(register, [made], head=HEAD, now=NOW, minute=lambda _: 0)[1]
    Draft202012Validator(schema_of("attention-notice")).validate(one.document)
    return one


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state", tmp_path / "run")


def deliver(store: Store, *notices: Notice, path: str | None = None, sockets: tuple[str, ...] = ()) -> list[str]:
    """Hand them over, to the end; what the events say."""
    environ = {**os.environ, "PATH": path if path is not None else os.environ["PATH"]}
    sent = Deliveries(store, environ, os.getuid(), "reconcile")
    sent.begin(notices, sockets)
    sent.wait(60.0)
    sent.close()
    events = read_events(store)
    for one in events:
        Draft202012Validator(schema_of("event")).validate(one)
    return [str(one["type"]) + (f": {one['error']}" if "error" in one else "") for one in events]


def script(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_program_gets_the_document_on_its_standard_input(store: Store, tmp_path: Path) -> None:
    found = deliver(store, notice(argv=("sh", "-c", f"cat > {tmp_path}/got")))
    assert found == ["notified"]
    document = json.loads((tmp_path / "got").read_text())
    assert document["notifier"] == "page"
    assert document["cases"][0]["answered_by"] == list(CASE.answered_by)
    assert document["summary"] == "coder0 needs you (permission): Run <rm -rf> & build?"


def test_a_failure_says_why_until_it_works_again(store: Store) -> None:
    found = deliver(store, notice(argv=("sh", "-c", "echo the pager is off >&2; exit 3")))
    assert found == ["notify-failed: sh ended with status 3: the pager is off"]
    assert failing(store)["page"].error == "sh ended with status 3: the pager is off"
    since = failing(store)["page"].since
    deliver(store, notice(argv=("no-such-program",)))
    assert failing(store)["page"].error == "no-such-program is not on PATH"
    assert failing(store)["page"].since == since
    deliver(store, notice(argv=("true",)))
    assert failing(store) == {}


def running(mark: str) -> list[str]:
    """Processes that have this among their arguments."""
    found = []
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError):
            if mark in Path(f"/proc/{pid}/cmdline").read_text().split("\0"):
                found.append(pid)
    return found


def test_one_that_hangs_is_ended_with_its_children_and_holds_up_no_other(store: Store) -> None:
    mark = f"1{os.getpid()}"  # seconds to sleep that nobody else sleeps
    hangs = notice(name="hangs", argv=("sh", "-c", f"sleep {mark} & sleep {mark}"), timeout=0.5)
    found = deliver(store, hangs, notice(argv=("true",)))
    assert sorted(found) == ["notified", "notify-failed: sh did not end within 0.5 s"]
    eventually(lambda: not running(mark), what="the end of its children")


def test_one_that_talks_too_much_is_ended(store: Store) -> None:
    (said,) = deliver(store, notice(argv=("yes",)))
    assert said == f"notify-failed: yes printed more than {OUTPUT_MAX} bytes"


def test_the_end_of_the_loop_ends_what_is_under_way(store: Store, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    sent = Deliveries(store, os.environ, os.getuid(), "watch")
    hangs = notice(argv=("sh", "-c", f"echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 1000"), timeout=1000.0)
    sent.begin([hangs, hangs], ())
    eventually(pid.exists, what="it runs")
    sent.close()
    eventually(lambda: not os.path.exists(f"/proc/{pid.read_text().strip()}/exe"), what="it has ended")


def test_one_that_begins_while_the_loop_ends_is_ended_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    started, closing = threading.Event(), threading.Event()

    class Late(Child):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.set()
            closing.wait(60)

    monkeypatch.setattr(deliveries, "Child", Late)
    mark = f"2{os.getpid()}"
    sent = Deliveries(store, os.environ, os.getuid(), "watch")
    joined = sent.wait

    def waits(seconds: float) -> None:
        closing.set()
        joined(seconds)

    monkeypatch.setattr(sent, "wait", waits)
    sent.begin([notice(argv=("sleep", mark), timeout=1000.0)], ())
    assert started.wait(60)
    sent.close()
    eventually(lambda: not running(mark), what="its end")


def test_failures_that_come_at_once_are_all_kept(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"page{number}" for number in range(4)]
    together = threading.Barrier(len(names))
    before = failures.failing

    def slow(of: Store) -> Any:
        with suppress(threading.BrokenBarrierError):
            together.wait(0.2)  # without a lock, all have read the file by then
        return before(of)

    monkeypatch.setattr(failures, "failing", slow)
    deliver(store, *(notice(name=name, argv=("false",)) for name in names))
    assert sorted(before(store)) == names


def test_the_desktop_gets_a_title_and_a_body_without_markup(store: Store, tmp_path: Path) -> None:
    script(tmp_path, "notify-send", f'printf "%s\\n" "$@" > {tmp_path}/got')
    assert deliver(store, notice(name="desktop", use="desktop"), path=f"{tmp_path}:/usr/bin:/bin") == ["notified"]
    lines = (tmp_path / "got").read_text().splitlines()
    assert lines[:3] == ["--app-name=Mosaic Fleet", "--", "coder0 needs you (permission): Run <rm -rf> & build?"]
    assert "  Run &lt;rm -rf&gt; &amp; build?" in lines
    assert "  $ mosaic agent answer coder0 --case 4be1f0a2 --allow" in lines


def test_email_goes_to_sendmail_with_a_header(store: Store, tmp_path: Path) -> None:
    script(tmp_path, "sendmail", f'printf "%s " "$@" > {tmp_path}/args; cat > {tmp_path}/mail')
    assert deliver(store, notice(name="email", use="email", to="ops"), path=f"{tmp_path}:/usr/bin:/bin") == ["notified"]
    assert (tmp_path / "args").read_text() == "-i -- ops "
    head, _, body = (tmp_path / "mail").read_text().partition("\n\n")
    assert "To: ops" in head
    assert "Subject: [demo on build-1] coder0 needs you" in head
    assert "coder0: permission since 2025-11-20T03:15:00Z" in body


def test_a_host_without_sendmail(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email, "_PLACES", ())
    (said,) = deliver(store, notice(name="email", use="email", to="ops"), path=str(tmp_path))
    assert said.startswith("notify-failed: this host has no sendmail")


def test_a_bell_without_anybody(store: Store, tmp_path: Path) -> None:
    script(tmp_path, "tmux", "exit 1")
    (said,) = deliver(store, notice(name="bell", use="bell"), path=f"{tmp_path}:/usr/bin:/bin", sockets=("fleet",))
    assert said == "notify-failed: no terminal is attached to the fleet's tmux servers"


def test_the_bell_of_an_attached_terminal(store: Store, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    try:
        script(tmp_path, "tmux", f'test "$3" = fleet || exit 1\necho {os.ttyname(theirs)}\necho /etc/passwd')
        bell = notice(name="bell", use="bell")
        assert deliver(store, bell, path=f"{tmp_path}:/usr/bin:/bin", sockets=("other", "fleet")) == ["notified"]
        assert os.read(ours, 10) == b"\a"
    finally:
        os.close(ours)
        os.close(theirs)
