"""codex: what its launch adds, and what its screens say."""

# ruff: noqa: RUF001 - the marks are the program's own

from __future__ import annotations

import os
import shlex
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from providers.host import Overlay
from providers.launch.contract import OVERLAYS, PROFILE, compose
from providers.programs.base import AgentPaths, Extra, Reading
from providers.programs.codex import HOOKS, PART_MAX, PARTS, PROGRAM, TIMEOUT_S, trusted_hash
from specs.compiled import PersonaText
from tests.launch.bench import make_agent
from tests.programs.captures import plain, screen
from tests.programs.strategies import screens
from tests.strategies import make_fleet
from tests.world_model import FACTS

PLACE = AgentPaths(
    folder='/home/o\'neil/my "state"/agents/a.d',
    bin_dir='/home/o\'neil/my "state"/bin',
    contract='/home/o\'neil/my "state"/agents/a.d/contract.md',
    home="/home/o'neil",
)
LONG = "queued three which is a rather long message that does not fit on one line of"
FIRST = "queued one\nwith two lines"


def added(*argv: str) -> Extra:
    agent = make_agent("a", argv=argv)
    return PROGRAM.extra(agent, PLACE)  # noqa: S610 - no Django here


def test_what_was_sent_is_no_draft() -> None:
    """A message that was sent has the mark of the composer, too, but a faint one."""
    sent = screen("codex.idle.80")
    assert "› hello" in sent.lines
    assert PROGRAM.read(sent).composer == "empty"


def test_a_line_that_tells_of_work_stands_for_a_title_that_does_not() -> None:
    busy = replace(screen("codex.busy-tool.80"), title="a title of somebody's own")
    assert PROGRAM.read(busy) == Reading(turn="busy", composer="empty", why="it says how to interrupt it")


def test_nothing_is_claimed_of_a_start() -> None:
    """It shows its composer for a moment before the dialog that may follow."""
    lines = (
        "  >_ OpenAI Codex (v0.169.0)",
        "     ~/project",
        "",
        "› Ask Codex to do anything",
        "",
        "  ? for shortcuts",
    )
    assert PROGRAM.read(plain(*lines, title="host")) == Reading()
    shown = plain(*lines[:-1], f"  ← for agents · {lines[-1].strip()}", title="host")
    assert PROGRAM.read(replace(shown, cursor=(2, 3))).composer == "draft"
    assert PROGRAM.read(shown).composer == "hidden"  # the cursor is elsewhere


@pytest.mark.parametrize(
    "lines", [(), ("",), ("› hello",), ("› hello", "", "left"), ("  a", "", "  b"), ("$ codex", "", "  Press any key")]
)
def test_nothing_is_claimed_of_an_unknown_screen(lines: tuple[str, ...]) -> None:
    assert PROGRAM.read(plain(*lines, title="project")) == Reading()


def test_its_title_alone_tells_of_work_and_of_a_question() -> None:
    assert PROGRAM.read(plain(title="⠹ project")) == Reading(turn="busy", why="its title shows a spinner")
    asks = PROGRAM.read(plain(title="[ . ] Action Required | project"))
    assert asks == Reading(turn="busy", asks="permission", why="its title says that an action is required")


@given(screens())
@settings(deadline=None)
def test_reading_is_total(any_screen: object) -> None:
    assert isinstance(PROGRAM.read(any_screen), Reading)  # type: ignore[arg-type]


def test_its_hooks_come_with_their_hashes() -> None:
    extra = added("codex", "--no-daemon")
    assert (extra.files, extra.text_args, extra.env) == ((), (), ())
    assert set(extra.args[::2]) == {"-c"}
    overrides = {key: value for key, _, value in (word.partition("=") for word in extra.args[1::2])}
    states = tomllib.loads(f"x = {overrides.pop('hooks.state')}")["x"]
    hook = f"{PLACE.bin_dir}/agent-hook"
    called: dict[str, list[str]] = {}
    for key, value in overrides.items():
        event = key.removeprefix("hooks.")
        (entries,) = (group["hooks"] for group in tomllib.loads(f"x = {value}")["x"])
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in event)[1:]
        for number, entry in enumerate(entries):
            assert (entry["type"], entry["timeout"]) == ("command", TIMEOUT_S)
            state = states.pop(f"/<session-flags>/config.toml:{snake}:0:{number}")
            assert state == {"trusted_hash": trusted_hash(event, entry["command"])}
            called.setdefault(event, []).append(entry["command"])
    assert [PLACE.contract in shlex.split(command) for command in called.pop("SessionStart")] == [True] * PARTS
    assert called == {event: [shlex.join((hook, event, *words))] for event, words in HOOKS.items()}
    assert states == {}


@pytest.mark.parametrize("size", [0, 1, 100, 8_999, 9_000, 9_001, 20_000, 60_000, 160_000])
@pytest.mark.parametrize("wide", [40, 8_999, 9_500])
def test_the_contract_is_said_in_parts_that_codex_does_not_cut(tmp_path: Path, size: int, wide: int) -> None:
    """Each up to the end of a line; what a single hook prints is cut at about 10,000 bytes."""
    path = tmp_path / "it's a contract.md"
    line = "\u00e9" * (wide // 2 - 1) + "\n"
    text = (line * (size // len(line.encode()) + 1))[: size // 2]
    path.write_text(text)
    agent = make_agent("a", runtime="codex", argv=("codex", "--no-daemon"))
    words = PROGRAM.extra(agent, replace(PLACE, contract=str(path))).args  # noqa: S610 - no Django here
    (value,) = (word.removeprefix("hooks.SessionStart=") for word in words if word.startswith("hooks.SessionStart="))
    commands = [entry["command"] for group in tomllib.loads(f"x = {value}")["x"] for entry in group["hooks"]]
    said = [subprocess.run(["sh", "-c", one], capture_output=True, check=True).stdout.decode() for one in commands]
    assert "".join(said) == text + ("\n" if text and not text.endswith("\n") else "")
    assert all(len(part.encode()) <= max(9_000, wide + 1) for part in said[:-1])
    path.unlink()
    assert [subprocess.run(["sh", "-c", one], capture_output=True, check=True).stdout for one in commands] == [
        b""
    ] * PARTS


@pytest.mark.parametrize(
    ("source", "known", "said"),
    [("startup", "", True), ("resume", "", True), ("resume", "1", False), ("clear", "1", True), ("compact", "1", True)],
)
def test_what_a_conversation_has_is_not_said_again(tmp_path: Path, source: str, known: str, said: bool) -> None:
    path = tmp_path / "contract.md"
    path.write_text("the contract\n")
    agent = make_agent("a", runtime="codex", argv=("codex", "--no-daemon"))
    words = PROGRAM.extra(agent, replace(PLACE, contract=str(path))).args  # noqa: S610 - no Django here
    (value,) = (word.removeprefix("hooks.SessionStart=") for word in words if word.startswith("hooks.SessionStart="))
    command = tomllib.loads(f"x = {value}")["x"][0]["hooks"][0]["command"]
    done = subprocess.run(
        ["sh", "-c", command], input=f'{{"session_id":"x","source":"{source}"}}', text=True, capture_output=True,
        check=True, env={"PATH": os.environ["PATH"], "MOSAIC_CONTRACT_KNOWN": known},
    )  # fmt: skip
    assert done.stdout == ("the contract\n" if said else "")


@pytest.mark.parametrize("wide", [1, 80, 3_001, 4_501, 7_999, 8_500, 30_000])
def test_the_longest_contract_that_there_can_be_is_said_whole(wide: int) -> None:
    """Lines of such a length in everything that has a limit: no part is too long for codex, and none is left over."""
    long = ("\u00e9" * (wide // 2 + 1) + " word\n") * (80_000 // wide + 1)
    agent = replace(make_agent("a", runtime="codex"), argv=("codex", "--no-daemon"))
    peers = [make_agent(f"{'peer' * 14}{at}", alias="n" * 60) for at in range(16)]
    persona = PersonaText(text=long, digest="", purpose="", persistent=False)
    fleet = replace(make_fleet(agent, *peers), mission=long, personas={agent.agent_class: persona})
    own = tuple(Overlay(name=name, text=long) for name in (*PROFILE, *OVERLAYS))
    parts = [0]
    for line in compose(fleet, agent, replace(FACTS, overlays=own)).encode().splitlines(keepends=True):
        if parts[-1] and parts[-1] + len(line) > PART_MAX:
            parts.append(0)
        parts[-1] += len(line)
    assert max(parts) <= PART_MAX
    assert len(parts) < PARTS


def test_the_hash_is_the_one_that_codex_computes() -> None:
    """Taken from the file where codex 0.169 has written down what a person trusts."""
    command = "'/root/log hook'\"'\"'s.sh' PERSONAL"
    known = "sha256:cf472be750e214e6d77fa2a5725147401eece8b474e9d8aa486475c8f1a8fec2"
    assert trusted_hash("UserPromptSubmit", command, timeout_s=600) == known


@pytest.mark.parametrize(
    "argv",
    [
        ("codex",),
        ("codex", "--no-daemon", "-c", "hooks.Stop=[]"),
        ("codex", "--no-daemon", "--disable", "hooks"),
        ("codex", "--no-daemon", "--", "hello"),
    ],
)
def test_what_the_command_says_itself_is_left_to_it(argv: tuple[str, ...]) -> None:
    extra = added(*argv)
    assert (extra.args, extra.text_args, extra.files) == ((), (), ())


def test_it_is_reset_by_one_command() -> None:
    assert [PROGRAM.reset_text("new"), PROGRAM.reset_text("clear")] == ["/clear", "/clear"]
    assert (PROGRAM.heartbeats, PROGRAM.receipts) == ("hook", True)
