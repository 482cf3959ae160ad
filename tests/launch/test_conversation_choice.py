"""Which conversation a start goes on with: the part of agent-pane that decides, by a real sh, as a table of records."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from providers.launch.conversation_choice import pane_text
from providers.launch.conversations import ConversationStart, StartRequest, parse
from tests.launch.test_conversations import ONE, TWO, line, start

THREE = "33333333-3333-4333-8333-333333333333"
HEAD, FOOT = "# Which conversation the program begins", 'exec "$@"\n'
UUID = "[0-9a-f-]{36}"


@dataclass(kw_only=True)
class Pane:
    """A home with a record, and the starts in it; `kept` are conversations of which claude has a transcript."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)
    program: str = "claude"
    argv: tuple[str, ...] = ("claude", "--model", "a b", "")

    def keep(self, *kept: str, text: str = "{}\n") -> None:
        for one in kept:
            path = self.home / ".claude/projects/-a-b" / f"{one}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    @property
    def log(self) -> Path:
        return self.home / "mosaic/fleet/conversations/a.log"

    def record(self, *lines: str) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as file:
            file.write("".join(lines))

    def ask(self, request: StartRequest) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.with_suffix(".once").write_text(request.render() + "\n")

    def start(self, *, then: str = "", **more: str) -> list[str]:
        """The program's arguments after its own. `then`: more of sh, before they are printed."""
        text = pane_text()
        choice = text[text.index(HEAD) : text.index(FOOT)]
        env = {
            "PATH": os.environ["PATH"], "HOME": str(self.home), "MOSAIC_HOME": str(self.home / "mosaic"),
            "MOSAIC_AGENT_NAME": "a", "MOSAIC_AGENT_WORKDIR": "/a b", "MOSAIC_AGENT_CLASS": "coder",
            "MOSAIC_CONVERSATION": self.program, **self.env, **more,
        }  # fmt: skip
        with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
            script.write(f'set -eu\n{choice}{then}printf "%s\\0" "$@"\n')
            script.flush()
            argv = ["sh", script.name, *self.argv]
            done = subprocess.run(argv, env=env, capture_output=True, text=True, check=True, timeout=60)
        assert done.stderr == ""
        words = done.stdout.split("\0")[:-1]
        assert words[: len(self.argv)] == list(self.argv)
        return words[len(self.argv) :]

    @property
    def last(self) -> ConversationStart:
        found = parse(self.log.read_text())
        assert found.unread == 0
        assert found.last_start is not None
        return found.last_start

    def begun(self) -> tuple[str, str, str]:
        return self.last.how, self.last.reason, self.last.session


@pytest.fixture
def pane(tmp_path: Path) -> Pane:
    return Pane(home=tmp_path)


def ended(life: str, at: int, status: object = "", signal: object = "") -> str:
    return line("end", at=at, life=life, status=status, signal=signal)


def test_a_first_start_gives_an_id_and_records_it_before(pane: Pane) -> None:
    options = pane.start()
    assert options == ["--session-id", pane.last.session]
    assert len(pane.last.session) == 36
    assert pane.begun()[:2] == ("new", "first")
    assert (pane.log.stat().st_mode & 0o777, pane.log.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    # Nothing was said: the same id once more is as good as a new one.
    assert pane.start() == options
    assert pane.begun()[:2] == ("new", "first")
    pane.keep(pane.last.session)
    assert pane.start() == ["--resume", options[1]]
    assert pane.begun() == ("resumed", "", options[1])


SAID = line("id", at=11, life="1.1", id=TWO, source="hook", said=1)
RESUMED, OTHER = start("2.2", 20, "resumed", ONE), start("3.3", 30, "fresh", TWO, reason="refused")
REFUSED = ended("2.2", 22, 1)
FAULT = "".join(start(f"{at}.1", at, "resumed", ONE) + ended(f"{at}.1", at + 1, signal=11) for at in (20, 30))


def failing(*lives: int, said: int = 0, id: str = ONE, program: str = "claude") -> str:
    """Lives that were told to go on, reported, and ended by themselves with a failure."""
    return "".join(
        start(f"{at}.1", at, "resumed", ONE).replace("=claude", f"={program}")
        + line("id", at=at + 1, life=f"{at}.1", id=id, source="hook", said=said)
        + ended(f"{at}.1", at + 2, 1)
        for at in lives
    )


# The record, more of the environment, and how the start begins: how, why, and with which id ("" for a new one).
CASES = {
    "gone on with": (RESUMED, {}, ("resumed", "", ONE)),
    "the latest after a reset in the pane": (start("1.1", 10, "resumed", ONE) + SAID, {}, ("resumed", "", TWO)),
    "a late word of an earlier life": (start("1.1", 10) + RESUMED + SAID, {}, ("resumed", "", ONE)),
    "only hooks have said something": (SAID, {}, ("resumed", "", TWO)),
    "after a reset": (RESUMED + line("reset", at=21, life="2.2"), {}, ("new", "reset", "")),
    "a reset that the program has already answered": (
        RESUMED + line("id", at=22, life="2.2", id=TWO, source="hook") + line("reset", at=21, life="2.2"), {},
        ("resumed", "", TWO),
    ),
    "a reset of an earlier life": (RESUMED + line("reset", at=21, life="1.1"), {}, ("resumed", "", ONE)),
    "killed soon": (RESUMED + ended("2.2", 21, signal=9), {}, ("resumed", "", ONE)),
    "terminated soon": (RESUMED + ended("2.2", 21, 143), {}, ("resumed", "", ONE)),
    "ended well soon": (RESUMED + ended("2.2", 21, 0), {}, ("resumed", "", ONE)),
    "refused": (RESUMED + REFUSED, {}, ("fresh", "refused", "")),
    "failed after it was there": (
        RESUMED + line("id", at=21, life="2.2", id=ONE, source="hook") + REFUSED, {}, ("resumed", "", ONE)
    ),
    "failed after it was there, three times": (failing(20, 30, 40), {}, ("fresh", "refused", "")),
    "failed after it was there, twice": (failing(20, 30), {}, ("resumed", "", ONE)),
    "failed after it was there, twice, and was then killed": (
        failing(20, 30) + start("4.4", 40, "resumed", ONE) + ended("4.4", 41, signal=9), {}, ("resumed", "", ONE)
    ),
    "failed after it was there, with a talk in between": (
        failing(20, 30) + failing(40, said=1) + failing(50, 60), {}, ("resumed", "", ONE)
    ),
    "failed after a prompt, three times": (failing(20, 30, 40, said=1), {}, ("resumed", "", ONE)),
    "failed after a reset in the pane, three times": (failing(20, 30, 40, id=TWO), {}, ("resumed", "", TWO)),
    "the one after such a refusal fails as well": (
        failing(20, 30, 40) + start("5.5", 50, "fresh", TWO, reason="refused")
        + line("id", at=51, life="5.5", id=TWO, source="hook", said=0) + ended("5.5", 52, 1),
        {}, ("resumed", "", ONE),
    ),
    "failed much later": (RESUMED + ended("2.2", 900, 1), {}, ("resumed", "", ONE)),
    "the one after a refusal": (RESUMED + REFUSED + OTHER, {}, ("resumed", "", TWO)),
    "that fails as well: not the conversation's fault": (
        RESUMED + REFUSED + OTHER + ended("3.3", 31, 1), {}, ("resumed", "", ONE)
    ),
    "a new one that fails gets another id": (
        start("3.3", 30, "new", TWO) + ended("3.3", 31, 1), {}, ("new", "first", "")
    ),
    "a fault once": (RESUMED + ended("2.2", 21, signal=11), {}, ("resumed", "", ONE)),
    "a fault again and again": (
        FAULT + start("4.4", 40, "resumed", ONE) + ended("4.4", 41, signal=6), {}, ("fresh", "refused", "")
    ),
    "an end that tmux has missed again and again": (
        FAULT + start("4.4", 40, "resumed", ONE) + ended("4.4", 41), {}, ("fresh", "refused", "")
    ),
    "killed again and again": (FAULT + RESUMED + ended("2.2", 21, signal=9), {}, ("resumed", "", ONE)),
    "another folder": (RESUMED, {"MOSAIC_AGENT_WORKDIR": "/c"}, ("fresh", "directory", "")),
    "another program": (RESUMED.replace("=claude", "=codex"), {}, ("fresh", "program", "")),
    "never": (RESUMED, {"MOSAIC_RESUME": "never"}, ("new", "policy", "")),
    "declared otherwise": (
        start("2.2", 20, "resumed", ONE, declared="x"), {"MOSAIC_DECLARED": "y"}, ("new", "declared", "")
    ),
    "declared otherwise, always": (
        start("2.2", 20, "resumed", ONE, declared="x"), {"MOSAIC_DECLARED": "y", "MOSAIC_RESUME": "always"},
        ("resumed", "", ONE),
    ),
    "nothing of it is left": (
        start("1.1", 10) + line("id", at=11, life="1.1", id=THREE, said=1), {}, ("fresh", "gone", "")
    ),
    "asked for a new one": (RESUMED, {"MOSAIC_RESUME_ONCE": "7 fresh"}, ("new", "requested", "")),
    "asked for one, for a reason": (RESUMED, {"MOSAIC_RESUME_ONCE": "7 fresh locked"}, ("fresh", "locked", "")),
    "asked for before": (
        start("2.2", 20, "resumed", ONE, once=7), {"MOSAIC_RESUME_ONCE": "7 fresh"}, ("resumed", "", ONE)
    ),
    "asked for another one": (RESUMED, {"MOSAIC_RESUME_ONCE": f"7 session {TWO}"}, ("resumed", "chosen", TWO)),
    "never, but asked for": (
        RESUMED, {"MOSAIC_RESUME": "never", "MOSAIC_RESUME_ONCE": f"7 session {TWO}"}, ("resumed", "chosen", TWO)
    ),
    "what was asked for is not there": (
        RESUMED + line("id", at=11, life="1.1", id=THREE, said=1), {"MOSAIC_RESUME_ONCE": f"7 session {THREE}"},
        ("resumed", "gone", ONE),
    ),
    "what was asked for is refused": (
        RESUMED + start("3.3", 30, "resumed", TWO, reason="chosen", once=7) + ended("3.3", 31, 1),
        {"MOSAIC_RESUME_ONCE": f"7 session {TWO}"}, ("resumed", "refused", ONE),
    ),
    "what was asked for ends again and again, and tmux has missed how": (
        RESUMED + start("3.3", 30, "resumed", TWO, reason="chosen", once=7) + ended("3.3", 31)
        + start("4.4", 40, "resumed", TWO, once=7) + ended("4.4", 41)
        + start("5.5", 50, "resumed", TWO, once=7) + ended("5.5", 51),
        {"MOSAIC_RESUME_ONCE": f"7 session {TWO}"}, ("resumed", "refused", ONE),
    ),
    "a line cut short, and NULs": (RESUMED + "\nstart\tat=30\tlife=3.3\tpro\0\0\0", {}, ("resumed", "", ONE)),
}  # fmt: skip


@pytest.mark.parametrize(("record", "more", "begun"), CASES.values(), ids=CASES)
def test_how_a_start_begins(pane: Pane, record: str, more: dict[str, str], begun: tuple[str, str, str]) -> None:
    pane.keep(ONE, TWO)
    pane.record(record)
    options = pane.start(**more)
    how, reason, session = begun
    found = parse(pane.log.read_text().replace("\0", "")).last_start
    assert found is not None
    assert (found.how, found.reason) == (how, reason)
    if session:
        assert (options, found.session) == (["--resume", session], session)
    else:
        assert options == ["--session-id", found.session]
        assert found.session not in (ONE, TWO, THREE, "")


def test_what_this_host_asks_for_holds_once_and_comes_first(pane: Pane) -> None:
    pane.keep(ONE, TWO)
    pane.record(RESUMED)
    pane.ask(StartRequest(nonce="x1", session=TWO))
    assert pane.start(MOSAIC_RESUME_ONCE="7 fresh") == ["--resume", TWO]
    assert pane.start(MOSAIC_RESUME_ONCE="7 fresh") == ["--resume", TWO]
    assert pane.begun() == ("resumed", "", TWO)
    pane.ask(StartRequest(nonce="x2", reason="locked"))
    first = pane.start(MOSAIC_RESUME_ONCE="7 fresh")
    assert pane.begun()[:2] == ("fresh", "locked")
    assert pane.start(MOSAIC_RESUME_ONCE="7 fresh") == first
    assert pane.start(MOSAIC_RESUME_ONCE="8 fresh") != first


@pytest.mark.parametrize(("program", "id"), [("codex", ONE), ("opencode", "ses_1")])
def test_one_crash_before_the_first_report_is_no_refusal(pane: Pane, program: str, id: str) -> None:
    """These report with the first prompt: without one, a crash looks like a refusal. A refusal comes again."""
    pane.program, pane.argv = program, (program, *(["--no-daemon"] * (program == "codex")))
    pane.record(start("2.2", 20, "resumed", id).replace("=claude", f"={program}") + ended("2.2", 22, 1))
    assert id in pane.start()
    assert pane.begun() == ("resumed", "", id)
    pane.record(ended(pane.last.life, int(pane.last.at) + 2, 1))
    assert pane.start() == []
    assert pane.begun()[:2] == ("fresh", "refused")


@pytest.mark.parametrize(("life", "session"), [("2.2", ""), ("1.1", ONE), ("22.2", ONE), ("2.22", ONE)])
def test_what_is_asked_about_a_life_holds_after_that_one_only(pane: Pane, life: str, session: str) -> None:
    """What a restart that was cut off has left behind costs no later life its conversation."""
    pane.keep(ONE)
    pane.record(start("1.1", 10, "resumed", ONE), RESUMED)
    pane.ask(StartRequest(nonce="x1", reason="locked", life=life))
    [option, given] = pane.start()
    assert (option, given == ONE) == (("--resume", True) if session else ("--session-id", False))
    assert pane.begun()[:2] == (("resumed", "") if session else ("fresh", "locked"))


def test_what_git_asks_for_holds_beside_an_old_request_of_this_host(pane: Pane) -> None:
    pane.keep(ONE, TWO)
    pane.record(start("2.2", 20, "resumed", ONE, local="x1"))
    assert pane.start(MOSAIC_RESUME_ONCE=f"7 session {TWO}") == ["--resume", TWO]
    pane.ask(StartRequest(nonce="x2", life="1.1"))
    assert pane.start(MOSAIC_RESUME_ONCE=f"8 session {ONE}") == ["--resume", ONE]


def test_a_request_that_is_killed_before_its_line_holds_for_the_next_start(pane: Pane) -> None:
    """The line is the decision: cut anywhere, it is either there or not."""
    pane.keep(ONE)
    pane.record(RESUMED)
    before = pane.log.read_text()
    pane.start(MOSAIC_RESUME_ONCE="7 fresh")
    whole = pane.log.read_text()
    for cut in range(len(before), len(whole), 9):
        pane.log.write_text(whole[:cut])
        pane.start(MOSAIC_RESUME_ONCE="7 fresh")
        found = parse(pane.log.read_text()).last_start
        assert found is not None
        assert found.how == "new", whole[len(before) : cut]
        assert found.session != ONE


def test_claude_is_told_not_to_record_its_prompt_where_it_knows_how(pane: Pane, tmp_path: Path) -> None:
    package = tmp_path / "lib/claude-code"
    (package / "bin").mkdir(parents=True)
    program = package / "bin/claude.exe"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/claude").symlink_to(program)
    pane.env["PATH"] = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    known = {
        "2.1.197": False,
        "2.1.283": False,
        "2.1.284": True,
        "2.1.332": True,
        "2.2.0": True,
        "2.1.1000": True,
        "2.10.1": True,
        "3.0.1": True,
        "": False,
    }
    pane.keep(ONE)
    for version, knows in known.items():
        pane.log.unlink(missing_ok=True)
        pane.record(start("2.2", 20, "resumed", ONE, mission="m1"))
        (package / "package.json").write_text(f'{{\n  "name": "x",\n  "version": "{version}",\n  "bin": {{}}\n}}\n')
        options = pane.start(MOSAIC_MISSION="m2")
        assert options[2:] == (["--system-prompt-snapshot", "off"] if knows else []), version
        assert pane.last.mission == ("m2" if knows or version == "2.1.197" else "m1"), version


@pytest.mark.parametrize(
    ("kind", "said", "interrupted"),
    [("turn", "pid=2 status=busy", True), ("turn", "pid=2 status=ok", False), ("hb", "pid=2 status=busy", True),
     ("turn", "pid=22 status=busy", False)],
)  # fmt: skip
def test_a_turn_that_had_not_ended_is_recorded(pane: Pane, kind: str, said: str, interrupted: bool) -> None:
    pane.keep(ONE)
    pane.record(start("2.2", 20, "resumed", ONE, mission="m1"))
    run = pane.home / "mosaic/fleet/run"
    run.mkdir(parents=True)
    (run / f"a.{kind}").write_text(f"ts=2026-01-01T00:00:00Z {said} source=hook event=PreToolUse\n")
    pane.start(MOSAIC_MISSION="m2")
    assert pane.last.interrupted is interrupted
    assert pane.last.mission == "m1"  # no version of claude is known here: the older contract may stay in force


@pytest.mark.parametrize("kind", ["turn", "hb"])
def test_an_agent_of_an_older_version_goes_on_as_well(pane: Pane, kind: str) -> None:
    """Nothing was recorded then; the program's last report names its conversation."""
    pane.keep(ONE)
    run = pane.home / "mosaic/fleet/run"
    run.mkdir(parents=True)
    (run / f"a.{kind}").write_text(f"ts=2026-01-01T00:00:00Z pid=2 status=ok session={ONE} event=Stop\n")
    assert pane.start() == ["--resume", ONE]
    assert pane.begun() == ("resumed", "", ONE)


def test_a_new_conversation_has_the_newest_contract(pane: Pane) -> None:
    pane.record(start("2.2", 20, "resumed", ONE, mission="m1"))
    pane.start(MOSAIC_MISSION="m2", MOSAIC_RESUME="never")
    assert pane.last.mission == "m2"


def test_an_empty_transcript_is_none(pane: Pane) -> None:
    pane.keep(ONE, text="")
    pane.record(RESUMED)
    assert pane.start() == ["--session-id", pane.last.session]
    assert pane.begun()[:2] == ("fresh", "gone")


def test_codex_names_a_conversation_itself(pane: Pane, tmp_path: Path) -> None:
    pane.program, pane.argv = "codex", ("codex", "--no-daemon")
    assert pane.start() == []
    assert pane.begun() == ("new", "first", "")
    life, rollout = pane.last.life, tmp_path / "rollout.jsonl"
    rollout.write_text("{}\n")
    pane.record(line("id", at=11, life=life, id=ONE, source="hook", said=1, file=rollout))
    assert pane.start() == ["resume", ONE, "-C", "/a b"]
    rollout.unlink()
    assert pane.start() == []
    assert pane.begun() == ("fresh", "gone", "")


def test_codex_is_told_whether_its_conversation_has_the_contract(pane: Pane, tmp_path: Path) -> None:
    """It has it once it has been given a prompt."""
    pane.program, pane.argv = "codex", ("codex", "--no-daemon")
    contract = tmp_path / "mosaic/fleet/agents/a.d/contract.md"
    contract.parent.mkdir(parents=True)
    contract.write_text("one\n")
    known = 'set -- "$@" "known: ${MOSAIC_CONTRACT_KNOWN:-}"; '
    pane.start()
    pane.record(line("id", at=11, life=pane.last.life, id=ONE, source="hook", said=1))
    assert pane.start(then=known)[-1] == "known: 1"
    contract.write_text("two\n")
    assert pane.start(then=known)[-1] == "known: "
    assert pane.start(then=known)[-1] == "known: "
    pane.record(line("id", at=11, life=pane.last.life, id=ONE, source="hook", said=1))
    assert pane.start(then=known)[-1] == "known: 1"


def test_pi_is_given_a_file(pane: Pane, tmp_path: Path) -> None:
    pane.program, pane.argv = "pi", ("pi",)
    [option, path] = pane.start()
    assert option == "--session"
    assert Path(path).parent == tmp_path / ".pi/agent/sessions/mosaic-a"
    assert pane.start() == ["--session", path]
    pane.record(line("id", at=11, life=pane.last.life, id=ONE, source="native", said=1, file=path))
    Path(path).write_text("{}\n")
    assert pane.start() == ["--session", path]
    assert pane.begun() == ("resumed", "", ONE)
    # What was begun in the pane is elsewhere.
    other = tmp_path / "other.jsonl"
    other.write_text("{}\n")
    pane.record(line("id", at=11, life=pane.last.life, id=TWO, source="native", said=1, file=other))
    assert pane.start() == ["--session", str(other)]
    pane.ask(StartRequest(nonce="1", session=ONE))
    assert pane.start() == ["--session", path]
    Path(path).write_text("")
    assert pane.start()[1] not in (path, str(other))
    assert pane.begun()[:2] == ("fresh", "gone")


def test_opencode_goes_on_by_its_id(pane: Pane) -> None:
    pane.program, pane.argv = "opencode", ("opencode",)
    assert pane.start() == []
    pane.record(line("id", at=11, life=pane.last.life, id="ses_1", source="native", said=1))
    assert pane.start() == ["-s", "ses_1"]


def test_a_long_record_is_cut_and_keeps_what_counts(pane: Pane) -> None:
    pane.keep(ONE)
    pane.record(start("2.2", 20, "resumed", ONE, once=7), (line("id", at=11, life="2.2", id=ONE)) * 1500)
    assert pane.start(MOSAIC_RESUME_ONCE="7 fresh") == ["--resume", ONE]
    assert len(pane.log.read_text().splitlines()) < 1100


def test_without_a_folder_to_write_to_it_starts_all_the_same(pane: Pane, tmp_path: Path) -> None:
    (tmp_path / "mosaic").write_text("")
    assert pane.start()[0] == "--session-id"


def test_the_part_is_good_sh(tmp_path: Path) -> None:
    path = tmp_path / "agent-pane"
    path.write_text(pane_text())
    subprocess.run(["dash", "-n", path], check=True)
    subprocess.run(["shellcheck", "--shell=sh", path], check=True)
