"""`reconcile --watch`: it sees by itself what happens, and neither its life nor its end is an agent's."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.hosts.waiting import eventually
from tests.scenarios.fleet import NAME, Fleet, stub

TWO = ("a", "b")


class Watch:
    """A resident loop; `reports` are the documents it has printed."""

    def __init__(self, fleet: Fleet, *args: str) -> None:
        self.fleet = fleet
        self.process: subprocess.Popen[str] = fleet.start(fleet.argv("--watch", *args))
        self.lines: list[str] = []
        self.said: list[str] = []
        for stream, lines in ((self.process.stdout, self.lines), (self.process.stderr, self.said)):
            assert stream is not None
            threading.Thread(target=lambda s=stream, to=lines: to.extend(s), daemon=True).start()

    @property
    def reports(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in list(self.lines)]

    @property
    def pid(self) -> int:
        """The loop's process id, as the host sees it."""
        return next(p for p in self.fleet.named("python") if "--watch" in self.fleet.read(f"/proc/{p}/cmdline"))

    def until(self, condition: Any, what: str) -> None:
        """Wait for something that the loop is to bring about."""
        eventually(
            lambda: self.process.poll() is not None or condition(), timeout=60, what=f"{what}; it said {self.said}"
        )
        assert self.process.poll() is None, self.said

    def seen(self, revision: str, outcome: str = "converged") -> None:
        """Wait for a report of a commit."""
        self.until(
            lambda: any((one["revision"], one["outcome"]) == (revision, outcome) for one in self.reports),
            f"{outcome} at {revision}",
        )

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal it, and its exit code."""
        self.fleet.kill(self.pid, signal=signal.Signals(number).name.removeprefix("SIG"))
        return self.process.wait(60)


@contextmanager
def watching(fleet: Fleet, *args: str) -> Iterator[Watch]:
    """A loop that has converged once, ended afterwards if it still runs."""
    watch = Watch(fleet, *args)
    try:
        watch.until(lambda: watch.reports, "a first report")
        yield watch
    finally:
        if watch.process.poll() is None:
            watch.end()


def begin(fleet: Fleet) -> str:
    fleet.rules["reconcile"]["interval"] = "1h"  # whatever is seen soon is seen for another reason
    return fleet.declare(*TWO)


def test_it_converges_heals_and_takes_commits(fleet: Fleet) -> None:
    first = begin(fleet)
    with watching(fleet) as watch:
        watch.seen(first)
        before = fleet.up(*TWO)

        fleet.kill(before["a"])
        watch.until(lambda: fleet.pids().get("a", before["a"]) != before["a"], "a new process of a")
        fleet.tmux("kill-session", "-t", "=b")
        watch.until(lambda: fleet.pids().get("b", before["b"]) != before["b"], "a new process of b")
        fleet.sh(f"rm {fleet.units}/default.target.wants/mosaic-agent@a.service")
        fleet.sh("systemctl --user stop mosaic-agent@b.service")
        watch.until(lambda: fleet.enabled() >= {f"mosaic-agent@{name}.service" for name in TWO}, "both enabled")

        fleet.agents["c"] = stub()
        second = fleet.commit()
        watch.seen(second)
        fleet.up("a", "b", "c")
        fleet.agents["c"]["state"] = "stopped"
        watch.seen(fleet.commit())
        fleet.up(*TWO)

        assert all(line.endswith("\n") and json.loads(line)["kind"] == "ReconcileReport" for line in watch.lines)
        kept = fleet.pids()
        assert watch.end() == 143
    assert fleet.pids() == kept
    assert fleet.converge().done == []


def test_the_tmux_server_is_back_by_itself(fleet: Fleet) -> None:
    begin(fleet)
    with watching(fleet) as watch:
        before = fleet.up(*TWO)
        fleet.tmux("kill-server")
        watch.until(lambda: set(fleet.pids()) == set(TWO) and fleet.pids() != before, "new processes")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_its_end_is_no_agents_end(fleet: Fleet, number: int, code: int) -> None:
    begin(fleet)
    with watching(fleet) as watch:
        before = fleet.up(*TWO)
        assert watch.end(number) == code
    assert fleet.up(*TWO) == before
    fleet.kill(before["a"])  # with nobody there to see it
    with watching(fleet) as watch:
        watch.until(lambda: set(fleet.pids()) == set(TWO), "both")
        assert fleet.up(*TWO)["b"] == before["b"]


def test_the_kill_switch(fleet: Fleet) -> None:
    begin(fleet)
    with watching(fleet) as watch:
        before = fleet.up(*TWO)
        fleet.cli("fleet", "pause", "--reason", "hands off")
        watch.until(lambda: watch.reports[-1]["outcome"] == "paused" or _paused(fleet), "the switch is seen")
        fleet.kill(before["a"])
        fleet.agents["c"] = stub()
        later = fleet.commit()
        watch.seen(later, "paused")
        assert fleet.pids() == {"b": before["b"]}
        assert fleet.condition("Paused")["message"] == "hands off"
        fleet.sh(f"rm {fleet.mosaic}/fleet/run/PAUSED")  # by hand, so nobody tells the loop
        watch.seen(later)
        assert fleet.up("a", "b", "c")["b"] == before["b"]
        # A folder that was deleted and made anew is heard as well.
        fleet.sh(f"rm -r {fleet.mosaic}/fleet/run && mkdir -m 700 {fleet.mosaic}/fleet/run")
        fleet.sh(f"echo again > {fleet.mosaic}/fleet/run/PAUSED")
        watch.until(lambda: _paused(fleet), "the switch in a new folder")


def _paused(fleet: Fleet) -> bool:
    return bool(fleet.condition("Paused")["status"] == "True")


def test_sync_and_sighup_ask_for_a_look(fleet: Fleet) -> None:
    """A remote is asked rarely; whoever wants it sooner says so."""
    begin(fleet)
    tree, bare = fleet.repo, f"{fleet.host.home}/remote.git"
    fleet.git("clone", "-q", "--bare", tree, bare)
    fleet.repo = f"file://{bare}"
    with watching(fleet) as watch:
        for ask in (lambda: fleet.cli("fleet", "sync"), lambda: fleet.kill(watch.pid, signal="HUP")):
            fleet.repo = tree
            fleet.agents[f"x{len(fleet.agents)}"] = stub()
            later = fleet.commit()
            fleet.git("push", "-q", bare, "main")
            ask()
            watch.seen(later)
        assert sorted(fleet.pids()) == sorted(fleet.agents)


def test_only_one_resident_and_single_runs_beside_it(fleet: Fleet) -> None:
    begin(fleet)
    with watching(fleet) as watch:
        other = fleet.run(fleet.argv("--watch"))
        assert other.code == 75
        assert "another run holds the lock" in other.err
        before = fleet.up(*TWO)
        runs = [fleet.reconcile()]

        def let_in() -> bool:
            if runs[-1].code == 75:
                runs.append(fleet.reconcile())
            return runs[-1].code != 75

        fleet.wait(let_in, "a run between two of the loop's own")
        assert (runs[-1].code, runs[-1].done) == (0, [])
        assert fleet.cli("fleet", "suspend", "a", "--here", "--reason", "mine").code == 0
        fleet.kill(before["a"])
        watch.until(lambda: any(one["reason"] == "suspended" for one in watch.reports[-1]["held"]), "a held start")
        assert fleet.cli("fleet", "unsuspend", "a", "--here").code == 0
        watch.until(lambda: set(fleet.pids()) == set(TWO), "both")


def test_a_bus_that_is_lost_and_comes_back(fleet: Fleet) -> None:
    begin(fleet)
    with watching(fleet) as watch:
        before = fleet.up(*TWO)
        fleet.host.kill_manager()
        fleet.kill(before["a"])
        fleet.cli("fleet", "sync")
        watch.until(lambda: any(one["unknown"] for one in watch.reports), "that it cannot see")
        assert all(not [x for x in one["actions"] if x["disrupts"]] for one in watch.reports)
        assert fleet.pids()["b"] == before["b"]
        fleet.restart_manager()
        fleet.cli("fleet", "sync")
        watch.until(lambda: set(fleet.pids()) == set(TWO), "both")
        assert fleet.pids()["b"] == before["b"]
        # And it hears from systemd again: nobody asks it to look now.
        fleet.sh("systemctl --user stop mosaic-agent@a.service")
        watch.until(lambda: set(fleet.pids()) == set(TWO) and fleet.active() == list(TWO), "a again")


def test_a_bad_commit_and_a_good_one(fleet: Fleet) -> None:
    good = begin(fleet)
    with watching(fleet) as watch:
        watch.seen(good)
        before = fleet.up(*TWO)
        bad = fleet.commit(raw={"roster.yaml": "nonsense"})
        watch.until(lambda: any(bad[:12] in line for line in watch.said), "that the commit is rejected")
        fleet.kill(before["a"])
        watch.until(lambda: fleet.pids().get("a", before["a"]) != before["a"], "a new process of a")
        fleet.agents["c"] = stub()
        watch.seen(fleet.commit())
        assert fleet.up("a", "b", "c")["b"] == before["b"]


def test_a_storm_of_events_is_bounded_work(fleet: Fleet) -> None:
    """A thousand wake-ups: some looks, not a thousand, and the loop is still there."""
    begin(fleet)
    with watching(fleet) as watch:
        before = fleet.up(*TWO)
        looks = fleet.status()["updated_at"]
        fleet.sh(f"i=0; while [ $i -lt 1000 ]; do echo x >{fleet.mosaic}/fleet/run/b.hb; i=$((i+1)); done")
        fleet.sh(f"cd {fleet.repo}; i=0; while [ $i -lt 300 ]; do : >.git/refs/x; rm .git/refs/x; i=$((i+1)); done")
        count = len(watch.reports)
        fleet.kill(before["a"])
        watch.until(lambda: fleet.pids().get("a", before["a"]) != before["a"], "a new process of a")
        assert count < 20, "it says what is new, and nothing was"
        assert looks
        assert fleet.up(*TWO)["b"] == before["b"]


def test_it_says_nothing_while_nothing_is_new(fleet: Fleet) -> None:
    begin(fleet)
    with watching(fleet) as watch:
        first = fleet.status()["last_run"]
        eventually(lambda: fleet.cli("fleet", "sync").code == 0 and fleet.status()["last_run"] != first, timeout=90)
        assert len(watch.reports) == 1
        assert fleet.exists(f"{fleet.host.runtime_dir}/mosaic/{NAME}/trigger.sock")
        watch.end()
        assert not fleet.exists(f"{fleet.host.runtime_dir}/mosaic/{NAME}/trigger.sock")
