"""Carry out a plan as a graph. Independent actions run side by side, each step with its own deadline; a failure skips
only what depends on it; the kill switch is checked before every step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from providers.base import Action, Kind, Verb
from providers.evidence import NO_FILE, FileEvidence
from providers.host import Host
from providers.kinds.registry import Registry
from providers.steps import CaptureDead, Step, StepResult
from reconciler.model import Outcome, Plan
from specs.dataclass import dataclass, field

# Jobs under way at once. systemd and tmux are single-threaded, and each start makes a scope too: 200 agents on systemd
# 252 and two cores were up after 3.2 s with 8 at a time, 3.7 s with 16, 6.7 s with 64, 8.4 s all at once; a bare loop
# took 3.4 s. A slow job stops counting after a while, so that jobs that hang hold up no others.
IN_FLIGHT = 8
SLOW_S = 2.0
POLL_S = 1.0  # how often a wait for slow steps checks the kill switch and the deadline

ActionResult = Literal["done", "unchanged", "failed", "skipped"]


PEERS_AT_ONCE = 64  # lists of peers that are written before what has ended meanwhile is looked at
FILES, LINKS, JOBS, PEERS = range(4)
_PHASES = {
    Verb.WRITE: FILES, Verb.PROJECT: FILES, Verb.RESEED: FILES, Verb.DELETE: FILES,
    Verb.ENABLE: LINKS, Verb.DISABLE: LINKS,
}  # fmt: skip


class Clock(Protocol):
    def __call__(self) -> float: ...


@dataclass(slots=True)
class _Running:
    action: Action
    steps: Sequence[Step]
    position: int = 0
    started: float = 0.0
    changed: bool = False
    captured: str = ""


@dataclass(slots=True)
class _Graph:
    """Which actions may run next. A dependency that is not in the plan does not block an action."""

    waiting: dict[str, Action]
    done: set[str] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)

    def ready(self, known: set[str]) -> list[Action]:
        return [
            action
            for action in self.waiting.values()
            if all(need in self.done or need not in known for need in action.depends_on)
        ]

    def doomed(self) -> list[Action]:
        return [action for action in self.waiting.values() if not self.bad.isdisjoint(action.depends_on)]


def apply(
    plan: Plan,
    host: Host,
    registry: Registry,
    *,
    monotonic: Clock,
    deadline: float,
    stop: Callable[[], bool] = lambda: False,
    doing: Callable[[str], None] = lambda _text: None,
) -> tuple[Outcome, ...]:
    """Run the plan's actions and return the outcome of each, in the plan's order.

    `deadline` is on the `monotonic` clock (seconds): no action begins after it, and none is cut off in the middle: each
    step ends by itself. `stop` asks whether to begin nothing more (a signal, a newer commit). `doing` receives the
    progress.
    """
    return _Run(plan, host, registry, monotonic, deadline, stop, doing).all()


class _Run:
    def __init__(
        self,
        plan: Plan,
        host: Host,
        registry: Registry,
        monotonic: Clock,
        deadline: float,
        stop: Callable[[], bool],
        doing: Callable[[str], None],
    ) -> None:
        self._plan, self._host, self._registry = plan, host, registry
        self._monotonic, self._deadline, self._stop = monotonic, deadline, stop
        self._doing = doing
        self._graph = _Graph({action.id: action for action in plan.actions})
        self._known = set(self._graph.waiting)
        self._needed = {need for action in plan.actions for need in action.depends_on}
        self._running: dict[str, _Running] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._halted = ""

    def all(self) -> tuple[Outcome, ...]:
        while self._graph.waiting or self._running:
            self._look_up()
            if self._halted:
                self._skip(list(self._graph.waiting.values()), self._halted)
            begun = self._begin()
            if not self._running:
                if not begun and self._graph.waiting:
                    self._skip(list(self._graph.waiting.values()), "its dependencies can not be met")
                continue
            self._report_progress()
            for identity, result in self._host.completed(POLL_S):
                self._ended(identity, result)
        return tuple(self._outcomes[action.id] for action in self._plan.actions)

    def _report_progress(self) -> None:
        under_way = [f"{run.action.verb} {run.action.target}" for run in self._running.values()]
        more = f" and {len(under_way) - 1} more" if len(under_way) > 1 else ""
        self._doing(f"{len(self._outcomes)} of {len(self._known)} done: {under_way[0]}{more}")

    def _look_up(self) -> None:
        if self._halted:
            return
        if self._stop():
            self._halted = "the run was asked to stop"
        elif self._monotonic() >= self._deadline:
            self._halted = "the run's deadline has passed"
        elif self._host.paused() is not None:
            self._halted = "the fleet was paused"

    def _begin(self) -> bool:
        """Begin as many ready actions as there is room for, in one batch, so that like steps become one call.

        Files come before links, and links before jobs, each as one batch: systemd reads its folders again after every
        change in them, so enabling one agent between the starts of two others would make every start expensive.

        One agent that stops or starts may change the list of peers in the contracts of all others. Unless one of those
        is to start, that is written last, and waits for no job that is under way.
        """
        ready = self._graph.ready(self._known)
        if not ready:
            return False
        phases = [self._phase(action) for action in ready]
        running = [self._phase(run.action) for run in self._running.values()]
        now = PEERS if min(phases) == PEERS and min(running, default=PEERS) >= JOBS else min([*phases, *running])
        moment = self._monotonic()
        quick = sum(moment - run.started < SLOW_S for run in self._running.values())
        room = {JOBS: IN_FLIGHT - quick, PEERS: PEERS_AT_ONCE - running.count(PEERS)}.get(now, len(ready))
        fresh = [action for action, phase in zip(ready, phases, strict=True) if phase == now][: max(0, room)]
        if not fresh:
            return False
        batch: list[tuple[str, Step]] = []
        for action in fresh:
            del self._graph.waiting[action.id]
            steps = self._registry[action.key.kind].steps(action, self._host.facts)
            run = _Running(action, steps, started=self._monotonic())
            if not steps:
                self._finish(run, "unchanged", None)
                continue
            self._running[action.id] = run
            batch.append((action.id, steps[0]))
        if batch:
            self._host.begin(batch)
        return True

    def _phase(self, action: Action) -> int:
        if action.verb is Verb.WRITE and action.key.kind is Kind.EXTRAS and action.id not in self._needed:
            return PEERS if (FileEvidence.of(action.present) or NO_FILE).only_peers else FILES
        return _PHASES.get(action.verb, JOBS)

    def _ended(self, identity: str, result: StepResult) -> None:
        run = self._running[identity]
        step = run.steps[run.position]
        run.changed = run.changed or result.changed
        if isinstance(step, CaptureDead):
            run.captured = result.output  # best effort: a failure to save its last words must not keep an agent down
        elif not result.ok:
            self._finish(run, "failed", result.error or f"{step.command} failed")
            return
        run.position += 1
        if run.position == len(run.steps):
            self._finish(run, "done" if run.changed else "unchanged", None)
            return
        self._look_up()
        if self._halted:
            self._finish(run, "skipped", f"{self._halted}, between two of its steps")
            return
        self._host.begin([(identity, run.steps[run.position])])

    def _finish(self, run: _Running, result: ActionResult, error: str | None) -> None:
        self._running.pop(run.action.id, None)
        duration = self._monotonic() - run.started
        self._outcomes[run.action.id] = Outcome(
            action=run.action, result=result, error=error, duration_s=duration, captured=run.captured
        )
        if result in ("done", "unchanged"):
            self._graph.done.add(run.action.id)
            return
        self._graph.bad.add(run.action.id)
        while doomed := self._graph.doomed():
            self._skip(doomed, f"{run.action.target} comes first, and was not done")

    def _skip(self, actions: Sequence[Action], why: str) -> None:
        for action in actions:
            self._graph.waiting.pop(action.id, None)
            self._graph.bad.add(action.id)
            self._outcomes[action.id] = Outcome(action=action, result="skipped", error=why)
