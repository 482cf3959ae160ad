"""What `mosaic fleet ps` and `mosaic agent status` say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from providers.programs.base import Choice
from reconciler.attention.cases import UnconfirmedMessage, cases_of
from reconciler.attention.register import OpenCase
from reconciler.inspection.describe import describe
from reconciler.listing.row import RowCase, Sync
from reconciler.model import AgentHistory, History, Readiness
from reconciler.render.attention_text import FailingRow, attention_text, case_rows
from reconciler.render.describe_text import describe_text
from reconciler.render.ps_text import ps_text
from reconciler.status.values import Pause
from tests import builders as make
from tests.builders import view
from tests.golden.book import Text
from tests.inspection.seen import listed, listing, row
from tests.inspection.test_rows import FLEET, started
from tests.laws.driver import reconciler

LONG = "its unit is active, but its pane is dead (its program has ended with status 1); restart held: crash-loop " \
    "(in quarantine: it ended 5 times or more in a short time)"  # fmt: skip
DEAD = row(
    "coder0", readiness=Readiness.DEAD, sync=Sync.HELD, problems=(LONG,), wrong=True, session="dead", pid=0, idle=None,
    heartbeat="unknown", cpu_s=None, memory=None, restarts=5,
)  # fmt: skip
ASKS = row("lead", agent_class="orchestrator", readiness=Readiness.WAITING, notes=("it waits for a person (login)",))
OFF = row(
    "night", desired="stopped", readiness=Readiness.DEAD, session="missing", pid=0, idle=None, heartbeat="unknown",
    cpu_s=None, memory=None, notes=("declared stopped",), enabled=False, unit="inactive",
)  # fmt: skip
ROWS = (DEAD, ASKS, row("worker"), OFF)
TROUBLE = listed(
    row(),
    rejected="commit b is not a valid fleet; 1a2b3c4d5e6f stays in force",
    newest="b" * 40,
    pause=Pause(reason="storm", by="bob", since=make.NOW - 60),
    problems=("linger could not be seen: it hangs",),
)


def ps() -> Iterator[Text]:
    yield Text("a pipe", ps_text(listed(*ROWS)))
    yield Text("80 columns", ps_text(listed(*ROWS, fleet="longer"), width=80))
    yield Text("200 columns", ps_text(listed(*ROWS), width=200))
    yield Text("-o wide", ps_text(listed(*ROWS), width=80, wide=True))
    yield Text("two hosts", ps_text(listed(row("a"), row("b", host="build-2")), width=80))
    yield Text("no agents", ps_text(listed(), width=80))
    yield Text("all is well", ps_text(listed(row()), width=80))
    asked = (RowCase("4be1f0a2", "permission", make.NOW - 300),)
    yield Text("one needs a person", ps_text(listed(replace(ASKS, attention=asked), row()), width=80))
    yield Text("rejected, paused, and a problem of the fleet", ps_text(TROUBLE, width=80))
    yield Text("a commit that is not applied yet", ps_text(listed(row(), in_force="c" * 40), width=80))
    yield Text("the newest commit is not taken", ps_text(listed(row(), rejected="it is not valid"), width=80))
    extra = row("x", kind="orphan", sync=Sync.EXTRA, wrong=True)
    yield Text("a session of nobody", ps_text(listed(row(), extra), width=80))


PERMISSION = view(
    "coder0", readiness=Readiness.WAITING, waiting="permission", life="4242.17",
    question="Bash command\n\n  rm -rf build\n\nDo you want to proceed?",
    choices=(
        Choice(label="Yes", keys=("1",), means="allow", selected=True),
        Choice(label="Yes, and do not ask again for rm", keys=("2",)),
        Choice(label="No, and say what to do differently", keys=("Escape",), means="deny"),
    ),
)  # fmt: skip
LIMIT = view("coder1", readiness=Readiness.STUCK, stuck="limit", until="3pm (UTC)", readiness_why="its screen: a limit")
DOWN = view("coder2", session="dead", pid=0, readiness=Readiness.DEAD, no_start="claude is not on an agent's PATH")


def cases() -> tuple[OpenCase, ...]:
    """What needs a person at three agents, five minutes later; somebody was notified of the first."""
    seen = {one.name: one for one in (PERMISSION, LIMIT, DOWN)}
    history = History(agents={"coder2": AgentHistory(quarantined_since=make.NOW - 60)})
    sent = [UnconfirmedMessage(id="0mu6w1c0-1f2e", agent="coder1", sender="ada", created=make.NOW - 400)]
    found = cases_of(seen, history, unconfirmed=sent, suspended={"coder1"}, now=make.NOW)
    made = [OpenCase(case=one, number=at, raised=one.id) for at, one in enumerate(found)]
    return (replace(made[0], notified={"page-me": make.NOW + 30}), *made[1:])


def attention() -> Iterator[Text]:
    now = make.NOW + 312
    rows = case_rows(cases(), "build-1", now)
    fails = [FailingRow(notifier="desktop", host="build-1", since=make.NOW, error="notify-send is not on PATH")]
    yield Text("a dialog, a limit, a message, and an agent that does not start", attention_text(rows, [], now=now))
    yield Text("one on another host", attention_text([*rows[:1], {**rows[1], "host": "build-2"}], [], now=now))
    yield Text("nothing, and a notifier that fails", attention_text([], fails, now=now))


def described() -> Iterator[Text]:
    """One agent of a simulated host that waits for a person, and one that git does not declare."""
    world, store = started()
    world.turn("thinker", "waiting=permission", age=90.0)
    seen = listing(world, store, FLEET)
    one = next(row for row in seen.rows if row.name == "thinker")
    look = reconciler(world, store).look(FLEET)
    made = describe(seen, one, look.plan, AgentHistory(), None, {}, install="none", interval=60.0)
    event = {"ts": "2025-11-20T03:00:00Z", "type": "action-done", "message": "start it", "agent": "thinker"}
    yield Text("it waits", describe_text(made))
    yield Text("it has ended before", describe_text(replace(made, events=(event,), crash=("Traceback", "boom"))))
    looping = AgentHistory(restarts=9, quarantined_since=make.NOW - 60)
    dead = describe(
        listed(DEAD), DEAD, make.plan(), looping, make.status(), {}, install="timer", interval=60.0
    )  # fmt: skip
    yield Text("in quarantine", describe_text(dead))
    orphan = row("ghost", kind="orphan", desired="undeclared", agent_class="", runtime="")
    ghost = describe(listed(orphan), orphan, make.plan(), AgentHistory(), None, {}, install="watch", interval=60.0)
    yield Text("git does not declare it", describe_text(ghost))
