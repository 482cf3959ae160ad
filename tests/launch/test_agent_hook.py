"""`agent-hook`: what a program's hooks leave behind, by a real sh, and what never makes it stand in the way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from providers import framework_files
from providers.host import HeartbeatFile
from providers.machine import heartbeat_files

HOOK = f"{framework_files.__path__[0]}/agent-hook"
SESSION = "0197b6b0-3f4e-7c11-a1b2-0123456789ab"


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A home and a runtime folder; this very process stands for the agent's program."""

    home: Path
    runtime: Path
    environ: dict[str, str] = field(default_factory=dict)

    def call(self, *args: str, said: object = None, **more: str) -> subprocess.CompletedProcess[str]:
        text = said if isinstance(said, str) else json.dumps(said if said is not None else {"session_id": SESSION})
        return subprocess.run(
            ["sh", HOOK, *args],
            input=text, text=True, capture_output=True, timeout=60, check=False, env=self.environ | more,
        )  # fmt: skip

    @property
    def run(self) -> Path:
        return self.home / "fleet" / "run"

    def turn(self) -> HeartbeatFile:
        return heartbeat_files.parse((self.run / "a.turn").read_bytes(), time.time())


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    environ = {
        "PATH": os.environ["PATH"],
        "MOSAIC_AGENT_NAME": "a",
        "MOSAIC_HOME": str(tmp_path / "home"),
        "MOSAIC_AGENT_PID": str(os.getpid()),
        "XDG_RUNTIME_DIR": str(tmp_path / "runtime"),
    }
    return Agent(home=tmp_path / "home", runtime=tmp_path / "runtime", environ=environ)


def silent(done: subprocess.CompletedProcess[str]) -> bool:
    return (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_turn_is_written_whole_and_read_as_a_heartbeat(agent: Agent) -> None:
    before = time.time()
    assert silent(agent.call("PreToolUse", "busy"))
    turn = agent.turn()
    assert (turn.error, turn.pid, turn.status) == (None, os.getpid(), "busy")
    assert before - 1 <= turn.ts <= time.time() + 1
    assert turn.words == {"source": "hook", "event": "PreToolUse", "session": SESSION}
    assert os.listdir(agent.run) == ["a.turn"]
    assert (agent.run / "a.turn").stat().st_mode & 0o777 == 0o600
    assert silent(agent.call("Stop", "ok"))
    assert agent.turn().status == "ok"


def test_what_an_event_does_not_end_stays(agent: Agent) -> None:
    def stuck() -> str:
        return agent.turn().stuck

    assert silent(agent.call("Notification", "ok", "keep=stuck"))
    assert stuck() == ""  # there was no record at all
    assert silent(agent.call("StopFailure", "ok", "stuck=rate_limit"))
    for _ in range(2):
        assert silent(agent.call("Notification", "ok", "keep=stuck"))
        assert (agent.turn().event, stuck()) == ("Notification", "rate_limit")
    assert silent(agent.call("Notification", "ok", "keep=stuck", "stuck=server_error"))
    assert stuck() == "server_error"
    record = (agent.run / "a.turn").read_text()
    (agent.run / "a.turn").write_text(record.replace(f"pid={os.getpid()} ", f"pid={os.getpid()}1 "))
    assert silent(agent.call("Notification", "ok", "keep=stuck"))
    assert stuck() == ""  # another process had that
    (agent.run / "a.turn").write_text(record.replace("stuck=server_error", "stuck=$(id)"))
    assert silent(agent.call("Notification", "ok", "keep=stuck"))
    assert stuck() == ""
    (agent.run / "a.turn").write_text(record)
    assert silent(agent.call("Stop", "ok"))
    assert stuck() == ""


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("PermissionRequest", "busy", "waiting=permission"), {"waiting": "permission"}),
        (("StopFailure", "ok", "stuck=@error"), {"stuck": "rate_limit"}),
        (("Notification", "busy", "waiting=@nothing"), {"waiting": "unknown"}),
        (("Notification", "busy", "waiting=a b", "mumble", "pid=1"), {}),
        (("PreToolUse", "busy", "waiting=question@error:rate_limit"), {"waiting": "question"}),
        (("PreToolUse", "busy", "waiting=question@error:other"), {}),
        (("PreToolUse", "busy", "waiting=question@nothing:rate_limit"), {}),
        (("PermissionRequest", "busy", "waiting=permission", "waiting=login@error:rate_limit"), {"waiting": "login"}),
        (("PermissionRequest", "busy", "waiting=permission", "waiting=login@error:x"), {"waiting": "permission"}),
        (("PostModelRequest", "ok", "stuck=failed", "only=error:rate_limit"), {"stuck": "failed"}),
    ],
)
def test_words_come_from_the_call_or_from_the_event(agent: Agent, args: tuple[str, ...], words: dict[str, str]) -> None:
    assert silent(agent.call(*args, said={"session_id": SESSION, "error": "rate_limit"}))
    usual = {"source": "hook", "event": args[0], "session": SESSION}
    assert agent.turn().words == usual | words


@pytest.mark.parametrize("condition", ["only=error:other", "only=nothing:x", "only=error", "only="])
def test_without_its_condition_nothing_is_noted(agent: Agent, condition: str) -> None:
    assert silent(agent.call("PostModelRequest", "ok", condition, said={"session_id": SESSION, "error": "rate_limit"}))
    assert not agent.home.exists()


@pytest.mark.parametrize(
    ("said", "session"),
    [
        ('{"session_id":"abc"}', "abc"),
        ('{ "session_id" : "abc" }', "abc"),
        ('{"prompt":"\\"session_id\\":\\"evil\\"","session_id":"abc"}', "abc"),
        ('{"session_id":"a b"}', None),
        ('{"session_id":"a\\nstatus=ok"}', None),
        ('{"session_id":"' + "a" * 200 + '"}', None),
        ('{"session_id":17}', None),
        ('{"session_id":', None),
        ('{"session_id":"abc', None),
        ("", None),
        ("\0\1\2 not json", None),
        ('{"prompt":"' + "x" * 200_000 + '","session_id":"late"}', None),
    ],
)
def test_the_session_is_read_in_bounds(agent: Agent, said: str, session: str | None) -> None:
    assert silent(agent.call("Stop", "ok", said=said))
    turn = agent.turn()
    assert turn.error is None
    assert turn.words.get("session") == session


def test_an_event_may_come_as_the_last_argument(agent: Agent) -> None:
    assert silent(agent.call("agent-turn-complete", "ok", '{"session_id": "abc"}', said=""))
    assert agent.turn().words["session"] == "abc"


@pytest.mark.parametrize(
    "args", [(), ("Stop",), ("Stop", "idle"), ("St op", "ok"), ("", "ok"), ("Stop\nx", "ok"), ("../x", "ok")]
)
def test_a_wrong_call_writes_nothing(agent: Agent, args: tuple[str, ...]) -> None:
    assert silent(agent.call(*args))
    assert not agent.home.exists()


@pytest.mark.parametrize(
    "more",
    [
        {"MOSAIC_AGENT_NAME": ""},
        {"MOSAIC_AGENT_NAME": "../x"},
        {"MOSAIC_AGENT_NAME": ".x"},
        {"MOSAIC_HOME": "relative"},
        {"MOSAIC_AGENT_PID": ""},
        {"MOSAIC_AGENT_PID": "0"},
        {"MOSAIC_AGENT_PID": "1x"},
        {"MOSAIC_AGENT_PID": "1"},
        {"MOSAIC_AGENT_PID": "4194305"},
    ],
)
def test_without_an_agent_of_ours_above_it_writes_nothing(agent: Agent, more: dict[str, str]) -> None:
    assert silent(agent.call("Stop", "ok", **more))
    assert not agent.home.exists()


def test_a_run_folder_that_cannot_be_written_is_no_ones_trouble(agent: Agent) -> None:
    (agent.home / "fleet").mkdir(parents=True)
    (agent.home / "fleet" / "run").write_text("a file where the folder should be")
    assert silent(agent.call("Stop", "ok"))
    assert os.listdir(agent.home / "fleet") == ["run"]


def test_a_receipt_is_left_only_where_somebody_waits(agent: Agent) -> None:
    said = {"session_id": SESSION, "prompt": 'two\nlines, "quoted", ünïcode ' + "x" * 300_000}
    assert silent(agent.call("UserPromptSubmit", "busy", said=said))
    assert not agent.runtime.exists()
    folder = agent.runtime / "mosaic" / "await" / "a"
    folder.mkdir(parents=True)
    assert silent(agent.call("PreToolUse", "busy", said=said))
    assert not os.listdir(folder)
    assert silent(agent.call("UserPromptSubmit", "busy", said=said))
    [receipt] = folder.iterdir()
    assert json.loads(receipt.read_text()) == said
    assert (receipt.suffix, receipt.stat().st_mode & 0o777) == (".json", 0o600)
    assert agent.turn().words["session"] == SESSION


# What a program does that the agent has started: it calls the hook of the agent whose environment it inherited.
CALL = 'sh "$HOOK" Stop ok </dev/null'


@pytest.mark.parametrize(
    ("chain", "speaks"),
    [
        (["sh", "-c", f"{CALL}; :"], True),
        (["prog", f"{CALL}; :"], True),
        (["prog", f"prog -c '{CALL}; :'; :"], True),
        (["prog", f"setsid -w prog -c '{CALL}; :'; :"], False),
        (["prog", "bash -c 'prog -c \"$CALL; :\"; :'; :"], False),
        (["prog", 'prog -c "$CALL; :"; :'], True),
        (["prog", "other -c 'prog -c \"$CALL; :\"; :'; :"], False),
    ],
)
def test_only_the_agents_own_program_speaks(agent: Agent, tmp_path: Path, chain: list[str], speaks: bool) -> None:
    """`prog` and `other` are shells under names of programs, so that their calls can be told from those of a shell."""
    bash = shutil.which("bash")
    assert bash is not None
    for name in ("prog", "other"):
        (tmp_path / name).symlink_to(bash)
    first, *rest = chain
    words = [first, *rest] if first == "sh" else [first, "-c", *rest]
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(words, env=agent.environ | {"PATH": path, "HOOK": HOOK, "CALL": CALL}, timeout=60, check=False)
    assert (agent.run / "a.turn").exists() is speaks


@pytest.mark.parametrize("between", [(), ("Notification",), ("PreToolUse", "SessionStart", "Notification")])
def test_the_first_prompt_of_each_life_is_recorded_once(agent: Agent, between: tuple[str, ...]) -> None:
    """Whatever was said last before it; a later start takes a conversation in which nothing was said for empty."""
    log, other = agent.home / "fleet/conversations/a.log", {"session_id": "other"}

    def recorded() -> list[tuple[str, str]]:
        rows = [dict(word.partition("=")[::2] for word in line.split("\t")) for line in log.read_text().splitlines()]
        return [(row["id"], row["said"]) for row in rows if "id" in row]

    one, two = (f"{os.getpid()}.{ticks}" for ticks in (7, 8))
    for event in ("SessionStart", *between, "UserPromptSubmit", "Stop", "UserPromptSubmit"):
        assert silent(agent.call(event, "ok", MOSAIC_AGENT_LIFE=one))
    assert recorded() == [(SESSION, "0"), (SESSION, "1")]
    for event in ("SessionStart", "UserPromptSubmit", "UserPromptSubmit"):
        assert silent(agent.call(event, "ok", said=other, MOSAIC_AGENT_LIFE=one))
    assert recorded()[2:] == [("other", "0"), ("other", "1")]
    # Back in the first one, and then in the next life: said once more, as a life counts for itself.
    assert silent(agent.call("UserPromptSubmit", "ok", MOSAIC_AGENT_LIFE=one))
    for event in ("SessionStart", *between, "UserPromptSubmit", "UserPromptSubmit"):
        assert silent(agent.call(event, "ok", MOSAIC_AGENT_LIFE=two))
    assert recorded()[4:] == [(SESSION, "1"), (SESSION, "1")]
