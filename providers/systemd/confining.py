"""Put a living pane into a scope of its own, or limits on its scope: the calls to systemd."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from providers.base import ObserveError
from providers.launch.placement import size
from providers.names import PANE_PREFIX, agent_of_scope
from providers.processes import procfs
from providers.steps import Confine, StepResult
from providers.systemd.calls import Call, Queued, Sink

if TYPE_CHECKING:
    from providers.systemd.connection import Frame

TIMEOUT_S = 15.0
TMUX_PREFIX = "tmux-spawn-"  # of the scopes that tmux requests, one for each pane
STOP_S = 5  # as agent-scope sets it: how long the processes in the scope may take to end
_GONE = "UnixProcessIdUnknown"  # systemd's error for a process that does not exist
_INFINITY = (1 << 64) - 1


class Confining(Queued):
    """A scope for the processes `pids`, done when systemd's job has ended and the first of them is seen in it."""

    def __init__(self, name: str, step: Confine, pids: tuple[int, ...], sink: Sink) -> None:
        own = [
            ("Description", ("s", f"Agent {step.agent} of Mosaic Fleet")),
            ("Slice", ("s", f"{PANE_PREFIX.removesuffix('-')}s.slice")),
            ("TimeoutStopUSec", ("t", STOP_S * 1_000_000)),
            ("CollectMode", ("s", "inactive-or-failed")),
            ("PIDs", ("au", list(pids))),
        ]
        body: tuple[Any, ...] = (step.unit, "fail", [*own, *properties(step)], [])
        super().__init__(
            f"make {step.unit}", "StartTransientUnit", "ssa(sv)a(sa(sv))", body, timeout_s=TIMEOUT_S, retry=False
        )
        self.name, self.step, self.sink = name, step, sink

    def ended(self, result: str) -> Call | None:
        self.over = True
        try:
            unit = procfs.unit_of(self.step.pid)
        except ObserveError as error:
            unit = str(error)
        if result == "done" and unit in ("", self.step.unit):
            self.sink(self.name, StepResult(ok=True))
        else:
            self.failed(f"{self.what} ended as {result!r}, and process {self.step.pid} is in {unit}")
        return None

    def failed(self, reason: str) -> None:
        if _GONE in reason:  # one of them ended in the meantime, and nothing was moved: the next look sees what is left
            self.sink(self.name, StepResult(ok=True, changed=False))
        else:
            self.sink(self.name, StepResult(ok=False, changed=False, error=reason))


class Limiting(Call):
    """Limits for an existing scope; in force at once, and gone with it."""

    def __init__(self, name: str, step: Confine, unit: str, sink: Sink) -> None:
        body = (unit, True, properties(step))
        super().__init__(f"limit {unit}", "SetUnitProperties", "sba(sv)", body, timeout_s=TIMEOUT_S)
        self._name, self._sink = name, sink

    def answered(self, frame: Frame) -> None:  # noqa: ARG002 - it is empty
        self._sink(self._name, StepResult(ok=True))

    def failed(self, reason: str) -> None:
        self._sink(self._name, StepResult(ok=False, changed=False, error=reason))


def confining(name: str, step: Confine, sink: Sink, uid: int) -> Call | None:
    """The call that does it; None if no call was needed or possible, with the result given to the sink."""
    try:
        if procfs.start_ticks(step.pid) != step.start_ticks:
            sink(name, StepResult(ok=True, changed=False))  # it has ended, so there is no process to move
            return None
        unit = procfs.unit_of(step.pid)
        if agent_of_scope(unit) == step.agent:
            if step.properties:
                return Limiting(name, step, unit, sink)
            sink(name, StepResult(ok=True, changed=False))
            return None
        return Confining(name, step, _with_children(step.pid, uid), sink)
    except ObserveError as error:
        sink(name, StepResult(ok=False, changed=False, error=str(error)))
        return None


def properties(step: Confine) -> list[tuple[str, tuple[str, Any]]]:
    """`MemoryMax=2G` as systemd takes it over D-Bus."""
    found: list[tuple[str, tuple[str, Any]]] = []
    for text in step.properties:
        name, _, value = text.partition("=")
        if value.endswith("%"):
            found.append((f"{name}Scale", ("u", int(float(value[:-1]) * 0xFFFFFFFF / 100))))
        else:
            found.append((name, ("t", _INFINITY if value == "infinity" else size(value))))
    return found


def _with_children(pid: int, uid: int) -> tuple[int, ...]:
    """The pane's process and its children in the same scope: a process that was moved elsewhere stays there. A scope
    that tmux requested is that pane's alone, so all its processes belong together."""
    processes, place = procfs.scan(uid), procfs.unit_of(pid)
    if place.startswith(TMUX_PREFIX):
        return (pid, *(one for one in processes if one != pid and procfs.unit_of(one) == place))
    children: dict[int, list[int]] = {}
    for process in processes.values():
        children.setdefault(process.ppid, []).append(process.pid)
    found = [pid]
    for parent in found:
        found.extend(child for child in children.get(parent, ()) if procfs.unit_of(child) == place)
    return tuple(found)
