"""What claude's own file of its state says beyond the last word of its hooks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.host import HeartbeatFile
from providers.machine.heartbeat_files import parse
from providers.programs.turn_status import newer, status_file

PID = 4711
NOW = 1_800_000_000.0  # seconds


def file(status: object = "idle", at: object = None, **more: object) -> str:
    """As claude 2.1 writes it; `at` in milliseconds."""
    stamp = int(NOW * 1000) if at is None else at
    return json.dumps({"pid": PID, "sessionId": "s", "status": status, "statusUpdatedAt": stamp} | more)


def hook(status: Any, age_s: float = 10.0, pid: int = PID, **words: str) -> HeartbeatFile:
    return HeartbeatFile(ts=NOW - age_s, pid=pid, status=status, words={"source": "hook", "session": "s", **words})


def told(text: str, turn: HeartbeatFile | None) -> tuple[str, dict[str, str]] | None:
    """Status and words of the record that comes out, read back as everybody reads it."""
    line = newer(text, turn, PID)
    if line is None:
        return None
    found = parse(f"{line}\n".encode(), NOW)
    words = dict(found.words)
    assert (found.error, found.pid, words.pop("source")) == (None, PID, "status-file")
    assert found.ts == pytest.approx(NOW)
    return found.status, words


@pytest.mark.parametrize(
    ("text", "turn", "record"),
    [
        # A person has refused a permission, or interrupted the turn: no hook is called.
        (file("idle"), hook("busy", waiting="permission"), ("ok", {"event": "idle", "session": "s"})),
        (file("idle"), hook("busy"), ("ok", {"event": "idle", "session": "s"})),
        (file("shell"), hook("busy"), ("ok", {"event": "shell", "session": "s"})),
        # A permission was given, and what it was for goes on for a while.
        (file("busy"), hook("busy", waiting="permission"), ("busy", {"event": "busy", "session": "s"})),
        # Somebody is asked who is not the model's user.
        (
            file("waiting", waitingFor="worker request"),
            hook("busy"),
            ("busy", {"event": "waiting", "session": "s", "waiting": "permission"}),
        ),
        (file("waiting", waitingFor="input needed"), None, ("busy", {"event": "waiting", "waiting": "question"})),
        (file("idle"), None, ("ok", {"event": "idle"})),
        (file("idle"), hook("busy", pid=PID + 1), ("ok", {"event": "idle"})),
        (file("idle"), HeartbeatFile(error="it is half-written"), ("ok", {"event": "idle"})),
        # The hooks know more, or the same, or it is older than their word.
        (file("idle"), hook("ok", stuck="rate_limit"), None),
        (file("waiting", waitingFor="permission prompt"), hook("busy", waiting="question"), None),
        (file("idle"), hook("busy", age_s=-1.0), None),
        (file("idle"), hook("busy", age_s=0.0), None),
        # A menu that a person has opened, and what is not known.
        (file("waiting", waitingFor="dialog open"), hook("ok"), None),
        (file("waiting"), hook("ok"), None),
        (file("dreaming"), hook("busy"), None),
        (file(None), hook("busy"), None),
        (file(["idle"]), hook("busy"), None),
        (file("idle", at="now"), hook("busy"), None),
        (file("idle", at=True), hook("busy"), None),
        (file("idle", at=10**30), hook("busy"), None),
        (file("idle", pid=PID + 1), hook("busy"), None),
        ("", hook("busy"), None),
        ("[]", hook("busy"), None),
        ("[" * 100_000, hook("busy"), None),
    ],
)
def test_it_says_only_what_the_hooks_do_not(
    text: str, turn: HeartbeatFile | None, record: tuple[str, dict[str, str]] | None
) -> None:
    assert told(text, turn) == record


def test_said_once_it_says_no_more() -> None:
    text = file("idle")
    line = newer(text, hook("busy"), PID)
    assert line is not None
    assert newer(text, parse(line.encode(), NOW), PID) is None


@given(st.text(max_size=60) | st.dictionaries(st.text(max_size=9), st.none() | st.integers() | st.text(max_size=9)))
def test_any_file_is_harmless(content: object) -> None:
    text = content if isinstance(content, str) else json.dumps({"pid": PID, **dict(content)})  # type: ignore[call-overload]
    line = newer(text, None, PID)
    assert line is None or parse(line.encode(), 1e12).error is None


@pytest.mark.parametrize(
    ("runtime", "environ", "path"),
    [
        ("claude", {"HOME": "/home/ada"}, "/home/ada/.claude/sessions/4711.json"),
        ("claude", {"HOME": "/home/ada", "CLAUDE_CONFIG_DIR": "/srv/c"}, "/srv/c/sessions/4711.json"),
        ("claude", {}, None),
        ("claude", {"CLAUDE_CONFIG_DIR": "here"}, None),
        ("codex", {"HOME": "/home/ada"}, None),
    ],
)
def test_it_is_found_by_the_environment_of_the_process(runtime: str, environ: dict[str, str], path: str | None) -> None:
    assert status_file(runtime, environ, PID) == path
