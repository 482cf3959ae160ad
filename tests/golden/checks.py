"""What `mosaic doctor` and `mosaic fleet verify` say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from reconciler.doctor.check import Check, Report
from reconciler.doctor.leftovers import Leftovers, judge_leftovers
from reconciler.doctor.loop import KillSwitch, judge_loop
from reconciler.doctor.programs import FoundProgram, judge_programs
from reconciler.doctor.session import judge_host, judge_tmux_attach
from reconciler.inspection.verify import Reconciler
from reconciler.inspection.verify import verify as checks_of
from reconciler.render.doctor_text import doctor_text
from reconciler.render.verify_text import verify_text
from tests.doctor import test_judgements as known
from tests.golden.book import Text
from tests.inspection.seen import listing
from tests.inspection.test_rows import FLEET, started
from tests.laws.driver import reconciler

WELL = (
    FoundProgram(name="tmux", path="/usr/bin/tmux", said="tmux 3.3a"),
    FoundProgram(name="git", path="/usr/bin/git", said="git version 2.39.5"),
    FoundProgram(name="systemd", path="/usr/bin/systemd", said="systemd 252 (252.39-1~deb12u2)"),
    FoundProgram(name="python", path="/usr/bin/python3", said="Python 3.11.2"),
)


def report(*checks: Check, everything: bool = False) -> str:
    found = Report(fleet="demo", tenant_id="ada", host="build-1", at=known.NOW, checks=checks)
    return doctor_text(found, everything=everything)


def doctor() -> Iterator[Text]:
    """Made by the judgements themselves, so that their words are here, too."""
    well = (*judge_programs(WELL, {}), *judge_loop(known.TIMED, now=known.NOW), *judge_leftovers(Leftovers()))
    yield Text("all is well", report(*well))
    old = replace(WELL[0], said="tmux 3.1c")
    paused = KillSwitch(reason="a storm", by="ada", since=known.NOW - 60)
    ill = (
        *judge_programs((old, *WELL[1:3]), {"gpg": "gnupg"}),
        judge_host(("this host is known to the fleet as build-2", "reconcile --rebind-host")),
        judge_tmux_attach({"TMUX_TMPDIR": "/run/user/7/"}, 7, ("fl",)),
        *judge_loop(replace(known.TIMED, units=known.HIDDEN, kill_switch=paused), now=known.NOW),
        *judge_leftovers(Leftovers(units=("/u/mosaic-agent@.service",), heartbeats=("/r/x.hb",))),
    )
    yield Text("a failure, something unknown, warnings", report(*ill))
    yield Text("--all: a failure, something unknown, warnings", report(*ill, everything=True))


def verify() -> Iterator[Text]:
    """All checks of a simulated fleet: well, and with a dead pane and linger that is off."""
    timer = Reconciler(install="timer", enabled=True, active=True)

    def shown(by_itself: Reconciler) -> str:
        seen = reconciler(world, store).look(FLEET)
        rows = listing(world, store, FLEET)
        return verify_text(
            rows, tuple(checks_of(FLEET, seen.plan, seen.observation, rows, world.facts.user, by_itself))
        )

    world, store = started()
    yield Text("all is well", shown(timer))
    world.kill_pane("coder")
    world.linger = False
    yield Text("a pane is dead, linger is off, nobody reconciles", shown(Reconciler(install="none")))
