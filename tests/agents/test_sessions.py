"""The conversations of an agent: what is listed, and what a restart may go back to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from providers.host import Host, HostFacts
from providers.launch.conversations import StartRequest, once_path, parse, record_path
from providers.machine.conversation_files import note_reset, read_record, request_start
from providers.steps import Step, StepResult, UnitJob
from reconciler.agents.reset import restart_anew
from reconciler.agents.sessions import AgentSession, chosen, pick, sessions_of
from reconciler.errors import MosaicError, NotFound, Refused
from tests.strategies import make_agent
from tests.world import FACTS

AGENT = replace(make_agent("coder0", runtime="claude"), working_directory="/srv/a")


@pytest.fixture
def facts(tmp_path: Path) -> HostFacts:
    return replace(FACTS, mosaic_home=str(tmp_path))


def write(facts: HostFacts, *lines: str) -> None:
    path = Path(record_path(AGENT.name, facts))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"\n{line}\n" for line in lines))


def start(life: str, at: int, session: str, *, folder: str = "/srv/a", program: str = "claude") -> str:
    return f"start\tat={at}\tlife={life}\tprogram={program}\tdir={folder}\thow=new\treason=first\tid={session}"


def test_they_are_listed_with_their_size_and_the_present_one_first(facts: HostFacts, tmp_path: Path) -> None:
    kept = tmp_path / "two.jsonl"
    kept.write_text("x" * 42)
    os.utime(kept, (5000, 5000))
    write(
        facts,
        start("1.1", 100, "one"),
        f"id\tat=110\tlife=1.1\tid=one\tsource=hook\tevent=UserPromptSubmit\tsaid=1\tfile={tmp_path}/gone.jsonl",
        start("2.2", 200, "two"),
        f"id\tat=210\tlife=2.2\tid=two\tsource=hook\tevent=UserPromptSubmit\tsaid=1\tfile={kept}",
        start("3.3", 300, "three", folder="/srv/b"),
        start("4.4", 400, "four", program="codex"),
        start("5.5", 500, "two"),
    )
    listed = sessions_of(AGENT, facts)
    assert [one.id for one in listed] == ["two", "four", "three", "one"]
    assert listed[0] == AgentSession(
        id="two", program="claude", directory="/srv/a", started=200, last=5000, size=42, present=True
    )
    assert [bool(one.why_not) for one in listed] == [False, True, True, True]
    assert chosen(AGENT, "tw", facts) == "two"
    for wanted in ("one", "three", "four"):
        with pytest.raises(Refused):
            chosen(AGENT, wanted, facts)


def test_what_is_not_known_and_what_several_begin_with(facts: HostFacts) -> None:
    known = [
        AgentSession(id=name, program="claude", directory="/srv/a", started=1, last=1) for name in ("ab1", "ab2", "ab")
    ]
    assert pick("coder0", "ab", known) == "ab"
    assert pick("coder0", "ab2", known) == "ab2"
    for wanted in ("a", "x", ""):
        with pytest.raises(NotFound):
            pick("coder0", wanted, known)
    assert sessions_of(AGENT, facts) == ()
    with pytest.raises(NotFound):
        chosen(AGENT, "ab", facts)


def test_a_program_that_goes_on_with_nothing_is_refused(facts: HostFacts) -> None:
    for agent in (replace(AGENT, runtime="own"), replace(AGENT, argv=("wrapper",))):
        with pytest.raises(Refused):
            chosen(agent, "any", facts)


def test_a_request_and_a_reset_are_written_for_the_next_start(facts: HostFacts) -> None:
    request_start("coder0", facts, StartRequest(nonce="n1", reason="locked"))
    path = Path(once_path("coder0", facts))
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("n1 fresh locked\n", 0o600)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    note_reset("coder0", facts, "1.1", 50)  # there is nothing to note yet
    assert not Path(record_path("coder0", facts)).exists()
    write(facts, start("1.1", 40, "one"))
    assert read_record("coder0", facts).current == "one"
    note_reset("coder0", facts, "1.1", 50)
    assert read_record("coder0", facts).current == ""
    assert parse("") == read_record("nobody", facts)


class StepsAtHand:
    """A host that carries out no step, and fails those of these verbs."""

    def __init__(self, *fails: str) -> None:
        self.begun: list[str] = []
        self._fails = fails

    def begin(self, batch: Sequence[tuple[str, Step]]) -> None:
        self.begun += [step.verb for _, step in batch if isinstance(step, UnitJob)]

    def completed(self, timeout: float) -> list[tuple[str, StepResult]]:
        failed = self.begun[-1] in self._fails
        return [("reset", StepResult(ok=not failed, changed=True, error=f"not within {timeout} s" if failed else None))]


@pytest.mark.parametrize(("fails", "asked"), [(("stop",), False), (("start",), True), ((), True)])
def test_a_restart_asks_only_after_the_end_and_starts_it_anyhow(
    facts: HostFacts, fails: tuple[str, ...], asked: bool
) -> None:
    write(facts, start("1.1", 40, "one"))
    host = StepsAtHand(*fails)
    with pytest.raises(MosaicError) if fails else nullcontext():
        restart_anew("coder0", facts, cast(Host, host))
    assert host.begun == ["stop", "start"]
    path = Path(once_path("coder0", facts))
    assert path.exists() is asked
    assert not asked or " after 1.1 fresh" in path.read_text()
