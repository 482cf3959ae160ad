"""The real programs go on with their conversations: killed and healed, restarted, replaced by a newer version.

What counts is the next request: the model is told the earlier turns of this agent, and nothing of the other agent of
the same program in the same folder. `MOSAIC_TEST_TRIES` says how often each way is tried (once by default),
`MOSAIC_TEST_PROGRAMS` with which programs, and `MOSAIC_TEST_REPLACED=1` adds the replacement of the programs, which
needs the older versions too: `./dev going-on`.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from providers.launch.conversations import ConversationRecord, StartRequest, parse
from providers.machine import heartbeat_files
from tests.hosts.fixtures import RealHosts
from tests.hosts.waiting import eventually
from tests.real_agents.api import FakeApi
from tests.real_agents.bench import RealFleet, runtime_of
from tests.real_agents.offline import EmptyNetwork, OfflineHost
from tests.real_agents.packages import OLDER, installed

TRIES = int(os.environ.get("MOSAIC_TEST_TRIES", "1"))
REPLACED = bool(os.environ.get("MOSAIC_TEST_REPLACED"))
EACH = ("claude", "codex", "pi", "opencode")
PROGRAMS = tuple(os.environ.get("MOSAIC_TEST_PROGRAMS", " ".join(EACH)).split())
REBOOT = "reboot"
WAYS = ("kill -9, heal", "fleet restart", "newer version", REBOOT)
TWINS = tuple(f"{name}-two" for name in PROGRAMS)
AGENTS = (*PROGRAMS, *TWINS)
REPORT = os.environ.get("MOSAIC_TEST_REPORT", "")  # a file that each try adds a line to
# Backoff is not what these tests are about: an agent that was killed may come back at once, however often.
FLEET = """\
version: 1
name: real
floor: none
reconcile:
  rollout: {on_change: immediately, max_unavailable: 20}
  backoff: {initial: 1s, maximum: 2s}
  quarantine: {restarts: 1000, within: 1s}
  restart_budget: 10000
"""
READY_S = 300.0  # all of them start at the same time, and opencode asks for a network that is not there


@dataclass(kw_only=True)
class Talks:
    """What each agent has been told so far, oldest first, and the number of its starts."""

    fleet: RealFleet
    said: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in AGENTS})
    generation: int = 0

    def begin(self) -> None:
        """The agents that are tried, and nobody else; each has had one turn."""
        self.fleet.states = dict.fromkeys({"shared", *EACH} - set(PROGRAMS), "stopped")
        more: Mapping[str, dict[str, object]] = {name: {} for name in AGENTS}
        self.fleet.more = dict(more)
        self.fleet.prepare()
        self.fleet.write(self.fleet.repository / "fleet.yaml", FLEET)
        self.fleet.commit("Restart all at once", {})
        self.up()
        for name in AGENTS:
            self.say(name)

    def up(self) -> None:
        self.fleet.reconcile().assert_converged()
        for name in AGENTS:
            self.fleet.until(name, lambda reading: reading.composer == "empty" and not reading.asks, timeout=READY_S)

    def say(self, name: str) -> None:
        """One more turn, to its end; the request has all the turns before it and nothing of anybody else."""
        text = f"This is word {len(self.said[name])} for agent {name}."
        self.fleet.say(name, text)
        request = self.fleet.api.wait_for(runtime_of(name), text, timeout=READY_S)
        heard = [one for one in request.user_texts if "for agent" in one]
        told = [one for one in [*self.said[name], text] if any(one in words for words in heard)]
        assert told == [*self.said[name], text], f"{name} has forgotten: {heard}\n{self.record(name)}"
        others = [one for one in heard if f"for agent {name}." not in one]
        assert others == [], f"{name} has turns of another agent"
        assert self.contract(name) in "".join(request.system.split()), f"{name} has no contract"
        self.said[name].append(text)
        self.fleet.until(name, lambda reading: reading.turn != "busy" and reading.composer == "empty", timeout=READY_S)
        eventually(lambda: self.ended(name), what=f"the end of the turn of {name}", every=0.1)

    def contract(self, name: str) -> str:
        """What its program was told of the fleet, without the spaces."""
        path = self.fleet.run_folder.parent / f"agents/{name}.d/contract.md"
        return "".join(self.fleet.host.path_outside(path).read_text().split())

    def ended(self, name: str) -> bool:
        """Whether its own report says that the turn is over, and its conversation is recorded."""
        kind = "turn" if runtime_of(name) in ("claude", "codex") else "hb"
        path = self.fleet.host.path_outside(self.fleet.run_folder / f"{name}.{kind}")
        if not path.exists():
            return False
        found = heartbeat_files.parse(path.read_bytes(), time.time())
        record = self.record(name)
        return found.status == "ok" and any(one.said and one.session == record.current for one in record.conversations)

    @property
    def conversations(self) -> Path:
        return self.fleet.run_folder.parent / "conversations"

    def record(self, name: str) -> ConversationRecord:
        path = self.fleet.host.path_outside(self.conversations / f"{name}.log")
        return parse(path.read_text() if path.exists() else "")

    def begun(self, names: Iterable[str]) -> dict[str, tuple[str, str]]:
        """How the last starts of these began, after one more run."""
        self.fleet.reconcile()
        last = {name: self.record(name).last_start for name in names}
        return {name: (one.how, one.reason) for name, one in last.items() if one is not None}

    def kill(self) -> None:
        self.fleet.kill_panes(*AGENTS)

    def restart(self) -> None:
        """What `mosaic fleet restart` commits."""
        self.generation += 1
        for name in AGENTS:
            self.fleet.more[name]["generation"] = self.generation
        self.fleet.commit(f"Restart them all ({self.generation})", {})

    def replace(self, prefix: Path) -> None:
        """From now on the programs are those that npm has put there; the ones that run are killed."""
        self.fleet.write(self.fleet.host.home / ".npmrc", f"prefix={prefix}\n")
        self.kill()

    def begin_again(self, number: int, prefix: Path) -> None:
        """A new conversation for everybody, with the programs that are there."""
        for name in AGENTS:
            request = StartRequest(nonce=f"again-{number}").render()
            self.fleet.write(self.conversations / f"{name}.once", f"{request}\n")
            self.said[name] = []
        self.replace(prefix)
        self.up()
        for name in AGENTS:
            last = self.record(name).last_start
            assert last is not None
            assert last.reason == "requested", (name, last)
            self.say(name)

    def all_say(self, way: str, attempt: int) -> None:
        for name in AGENTS:
            last = self.record(name).last_start
            assert last is not None
            assert (last.how, last.reason) == ("resumed", ""), (name, last)
            self.say(name)
            if REPORT:
                with Path(REPORT).open("a") as file:
                    file.write(
                        json.dumps({"program": runtime_of(name), "agent": name, "way": way, "try": attempt}) + "\n"
                    )


@pytest.fixture(scope="module")
def talks(real_hosts: RealHosts, network: EmptyNetwork, programs: Path) -> Iterator[Talks]:
    share = [programs, installed(OLDER)] if REPLACED else [programs]
    with real_hosts(lambda: OfflineHost(network, share=share)) as host, closing(FakeApi(network)) as api:
        talks = Talks(fleet=RealFleet(host=host, api=api, prefix=share[-1]))
        talks.begin()
        yield talks


@pytest.mark.parametrize("attempt", range(TRIES))
def test_after_a_kill(talks: Talks, attempt: int) -> None:
    talks.kill()
    talks.up()
    talks.all_say(WAYS[0], attempt)


@pytest.mark.parametrize("attempt", range(TRIES))
def test_after_a_restart_that_was_asked_for(talks: Talks, attempt: int) -> None:
    talks.restart()
    talks.up()
    talks.all_say(WAYS[1], attempt)


# A conversation whose file is no longer what the program takes, or an id that it has never heard of.
DAMAGED = {"claude": ("fresh", "gone"), "codex": ("fresh", "refused"), "pi": ("fresh", "refused")}
UNHEARD = {"opencode": ("resumed", "refused")}  # it keeps all conversations in one database: back in its own


if REPLACED:

    @pytest.mark.parametrize("attempt", range(TRIES))
    def test_after_the_programs_were_replaced_by_newer_ones(talks: Talks, programs: Path, attempt: int) -> None:
        """Of a conversation that the older ones have begun."""
        if attempt:
            talks.begin_again(attempt, installed(OLDER))
        talks.replace(programs)
        talks.up()
        talks.all_say(WAYS[2], attempt)

    def test_after_a_refusal(talks: Talks, programs: Path) -> None:
        """One start that the program refuses, one that it takes; with the versions that are pinned."""
        talks.replace(programs)
        talks.up()
        ends = DAMAGED | UNHEARD
        names = [name for name in AGENTS if name in ends]
        for name in names:
            if name in UNHEARD:
                request = StartRequest(nonce="unheard", session="ses_unheardof").render()
                talks.fleet.write(talks.conversations / f"{name}.once", f"{request}\n")
                continue
            [file] = {one.file for one in talks.record(name).conversations if one.session == talks.record(name).current}
            talks.fleet.write(Path(file), "" if name == "claude" else "neither JSON nor empty\n")
            talks.said[name] = []
        talks.fleet.kill_panes(*names)
        eventually(
            lambda: talks.begun(names) == {name: ends[name] for name in names},
            every=1.0,
            timeout=READY_S,
            what="starts",
        )
        for name in names:
            talks.fleet.until(name, lambda reading: reading.composer == "empty" and not reading.asks, timeout=READY_S)
            talks.say(name)
