"""Where an agent's pane runs: in its own scope or elsewhere, and which of its limits are in force. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from providers.launch.environment import limits_of
from providers.names import PANE_PREFIX, agent_of_scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from providers.evidence import Kept, SessionEvidence
    from providers.host import Look, Pane
    from providers.steps import Confine
    from specs.compiled import Agent

OWN = "own"  # of a scope: the agent's own
TOTAL = "total"  # reported with the limits: the memory of the machine, in bytes
_PAGE = 1 << 16  # the largest page size of a kernel
_UNITS = {"K": 10, "M": 20, "G": 30, "T": 40, "P": 50, "E": 60}


class Placed(NamedTuple):
    """See `SessionEvidence`."""

    scope: str | None = None
    limits: Mapping[str, Kept] = {}
    unkept: tuple[str, ...] = ()


def placed(agent: Agent | None, pane: Pane, look: Look, *, launching: bool) -> Placed:
    """Where a pane is, for an agent that should run; and which of its limits this host cannot enforce. Reads one small
    kernel file for each pane, and one more for each declared limit. While our launch program runs in the pane, the pane
    counts as in its place."""
    if agent is None or agent.state != "running":
        return Placed()
    wanted = limits_of(agent.limits)
    if pane.dead or launching:
        return Placed(OWN, wanted)
    scope = scope_field(agent.name, look.unit_of(pane.pid))
    if not wanted or scope != OWN:
        return Placed(scope, dict.fromkeys(wanted))
    kept = look.limits(pane.pid, tuple(wanted))
    if not kept:
        return Placed(scope, wanted)  # it has just ended
    unkept = tuple(name for name in wanted if kept.get(name) is None)
    return Placed(scope, limits_field(wanted, kept), unkept)


def scope_field(agent: str, unit: str) -> str:
    """`OWN`, or the unit. A process that has ended shows no unit: the next look decides."""
    return OWN if not unit or agent_of_scope(unit) == agent else unit


def limits_field(wanted: Mapping[str, int | str], kept: Mapping[str, Kept]) -> dict[str, Kept]:
    """The limits in force, of those that are wanted: in the wanted spelling, if the value is the same."""
    return {name: value if _same(name, value, kept) else kept.get(name) for name, value in wanted.items()}


def confine(agent: str, seen: SessionEvidence, limits: Mapping[str, int | str]) -> Confine:
    """The step that puts a living pane into a scope of its own with these limits, or sets the limits of the scope that
    it is in. The name contains the agent and the process, so nothing else has it."""
    from providers.steps import Confine

    pid, ticks = seen.pane.pid, seen.start_ticks
    unit = f"{PANE_PREFIX}{agent}:{pid:x}-{ticks:x}.scope"
    properties = tuple(f"{name}={value}" for name, value in sorted(limits.items()))
    return Confine(agent=agent, pid=pid, start_ticks=ticks, unit=unit, properties=properties)


def size(text: str, total: int = 0) -> int:
    """Bytes of `2G`, or of `50%` of `total`, as systemd reads them."""
    if text.endswith("%"):
        return int(total * float(text[:-1]) / 100)
    unit = text[-1:].upper()
    return int(float(text[:-1]) * (1 << _UNITS[unit])) if unit in _UNITS else int(text)


def _same(name: str, wanted: int | str, kept: Mapping[str, Kept]) -> bool:
    value = kept.get(name)
    if not isinstance(value, int):
        return value == "max" and wanted == "infinity"
    if wanted == "infinity":
        return False
    if name != "MemoryMax":
        return value == wanted
    text = str(wanted)
    exact = size(text, int(kept.get(TOTAL) or 0))
    # The kernel counts in pages; systemd computes a part of the memory from its own total.
    return abs(value - exact) <= (exact * 0.02 if text.endswith("%") else _PAGE)
