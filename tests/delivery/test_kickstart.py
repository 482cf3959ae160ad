"""First words: once for each life, and never for one that goes on."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from providers.machine.facts import gather
from reconciler.delivery.kickstart import first_words, kickstart
from reconciler.delivery.outbox import Outbox
from reconciler.errors import MosaicError, NotFound
from reconciler.loop.converge import Converged, Pass
from reconciler.model import Observation
from reconciler.run import lives_round
from reconciler.state.store import Store
from tests import builders as make
from tests.launch.bench import make_agent, make_fleet
from tests.world import FACTS

NOW = make.NOW
AGENT = make_agent("coder0", kickstart="Hello.")
FLEET = make_fleet(AGENT, make_agent("coder1"))


class Lives:
    """Runs that see `coder0` as some process, and what they put into the outbox."""

    def __init__(self, home: Path) -> None:
        self.store = Store(home / "state", home / "run")
        self.facts = replace(FACTS, mosaic_home=str(home / "mosaic"))
        self.fleet = FLEET

    def run(self, pid: int, *, started: bool = False, since: float | None = NOW - 60, **view: Any) -> int:
        """How many first words wait then; they are taken out."""
        seen = make.view("coder0", pid=pid, **view)
        other = make.view("coder1", pid=pid)
        observation = Observation(present={}, unknown={}, taken_at=NOW, boot_id="boot", digest="d")
        plan = make.plan(views={"coder0": seen, "coder1": other})
        done = Converged(last=Pass(observation=observation, plan=plan), outcomes=[make.outcome()] if started else [])
        lives = lives_round.observe(
            self.fleet, plan.views, self.store, self.facts, boot="boot", now=NOW,
            started=lives_round.started_by(done), since=since,
        )  # fmt: skip
        lives_round.finish(self.fleet, lives, self.store, "reconcile", now=NOW)
        outbox = Outbox(self.store)
        messages = outbox.messages()
        for one in messages:
            assert (one.agent, one.kickstart, one.sender) == ("coder0", "Hello.", "private-host:mosaic")
            outbox.cancel(one.id, NOW)
        return len(messages)


@pytest.fixture
def lives(tmp_path: Path) -> Lives:
    return Lives(tmp_path)


def test_a_life_that_this_run_began(lives: Lives) -> None:
    assert lives.run(7, started=True, since=None) == 1
    assert lives.run(7) == 0
    assert lives.run(8, started=True) == 1
    assert lives.run(8) == 0


def test_a_life_that_began_by_itself(lives: Lives) -> None:
    lives.run(7, started=True)
    assert lives.run(8) == 1  # at boot, or by hand


def test_a_life_that_was_there_before(lives: Lives) -> None:
    assert lives.run(7) == 0
    assert lives.run(8) == 1


def test_the_run_that_began_it_was_ended(lives: Lives) -> None:
    lives.run(7)
    lives.store.write(lives.store.state / "lives.json", "{}")
    assert lives.run(9, since=NOW - 8000) == 1  # younger than the run before
    lives.store.write(lives.store.state / "lives.json", "{}")
    assert lives.run(9, since=NOW - 60) == 0


def test_between_two_lives_nothing_is_forgotten(lives: Lives) -> None:
    lives.run(7, started=True)
    for session in ("missing", "dead", "unknown"):
        assert lives.run(0, session=session) == 0
    assert lives.run(7) == 0
    assert lives.run(8) == 1


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"coder0": 5}', "\udcff"])
def test_a_damaged_record_tells_no_life_that_goes_on(lives: Lives, damage: str) -> None:
    lives.run(7, started=True)
    (lives.store.state / "lives.json").write_text(damage, errors="surrogateescape")
    assert lives.run(7) == (damage == '{"coder0": 5}')


def test_after_a_reset(lives: Lives) -> None:
    assert kickstart(AGENT, "build-1", lives.store, now=NOW)
    assert kickstart(AGENT, "build-1", lives.store, now=NOW)
    assert len(Outbox(lives.store).messages()) == 1
    assert not kickstart(make_agent("coder1"), "build-1", lives.store, now=NOW)


def test_first_words(tmp_path: Path) -> None:
    agent = make_agent("coder0", working_directory=str(tmp_path))
    facts = gather({"HOME": str(tmp_path)})
    (tmp_path / "hello.md").write_text("Read the plan.\n\n")
    for template in ("./hello.md", "~/hello.md", f"{tmp_path}/hello.md"):
        assert first_words(template, agent, facts) == "Read the plan."
    assert first_words("hello.md", agent, facts) == "hello.md"
    with pytest.raises(NotFound, match=r"nothing\.md is not there"):
        first_words("./nothing.md", agent, facts)
    with pytest.raises(MosaicError, match="cannot be read"):
        first_words("./", agent, facts)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(MosaicError, match="fifo cannot be read: it is not a file"):
        first_words("./fifo", agent, facts)
    (tmp_path / "hello.md").write_bytes(b"\xff")
    with pytest.raises(MosaicError, match="UTF-8"):
        first_words("./hello.md", agent, facts)
    (tmp_path / "hello.md").write_text("")
    with pytest.raises(MosaicError, match="empty"):
        first_words("./hello.md", agent, facts)
