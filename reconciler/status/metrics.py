"""`reconcile.prom`: the numbers for Prometheus' textfile collector. Pure; the store writes them, whole, each run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import get_args

from providers.base import Health, HeldReason, Kind
from providers.programs.base import Asks, Trouble
from reconciler.model import Readiness
from reconciler.status.conditions import ConditionStatus
from reconciler.status.status import FleetStatus
from specs.compiled import CASE_KINDS

Sample = tuple[Mapping[str, str], float]
OTHER = "other"
WAITS = (*(kind for kind in get_args(Asks) if kind), "draft", OTHER)
STOPS = (*(kind for kind in get_args(Trouble) if kind), OTHER)


def metrics_text(status: FleetStatus) -> str:
    """The exposition format, version 0.0.4. Every label value that can occur is there, also with 0."""
    base = _labels({"fleet": status.fleet, "tenant_id": status.tenant_id, "host": status.host})
    run = status.last_run
    held = Counter(str(one.reason) for one in status.held)
    words = Counter((agent.health, agent.readiness) for agent in status.agents)
    out: list[str] = []

    def family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> None:
        full = f"mosaic_fleet_{name}"
        out.append(f"# HELP {full} {text}")
        out.append(f"# TYPE {full} {kind}")
        for labels, value in samples:
            more = "," + _labels(labels) if labels else ""
            out.append(f"{full}{{{base}{more}}} {_number(value)}")

    unseen = {what.partition("/")[0] for what in status.unknown}
    family("last_success_timestamp_seconds", "gauge", "End of the last run after which all was right; 0 is never.",
           [({}, status.last_success)])  # fmt: skip
    family("last_run_timestamp_seconds", "gauge", "End of the last run.", [({}, status.updated_at)])
    family("last_run_duration_seconds", "gauge", "How long the last run took.", [({}, run.duration_s if run else 0)])
    family("last_run_exit_code", "gauge", "Exit code of the last run.", [({}, run.exit_code if run else 0)])
    family("drift", "gauge", "Things that differ from git, due or held.", [({}, status.drift)])
    family("held", "gauge", "Changes that are held, by reason.",
           [({"reason": str(reason)}, held[reason]) for reason in HeldReason])  # fmt: skip
    family("failed_actions", "gauge", "Actions whose last try failed.", [({}, len(status.failed))])
    family("unknown", "gauge", "Whether a kind of thing, or one of the kind, could not be seen.",
           [({"kind": str(kind)}, kind in unseen) for kind in Kind])  # fmt: skip
    family("agents", "gauge", "Agents, by health and readiness.",
           [({"health": str(one), "readiness": str(word)}, words[one, word])
            for one in Health for word in Readiness])  # fmt: skip
    waits = Counter(_of(WAITS, agent.waiting) for agent in status.agents)
    stuck = Counter(_of(STOPS, agent.stuck) for agent in status.agents)
    family("agents_waiting", "gauge", "Agents that wait for a person, by what for.",
           [({"for": kind}, waits[kind]) for kind in WAITS])  # fmt: skip
    family("agents_stuck", "gauge", "Agents that cannot work, by what keeps them from it.",
           [({"by": kind}, stuck[kind]) for kind in STOPS])  # fmt: skip
    family("agent_restarts_total", "counter", "How often an agent was healed.",
           [({"agent": agent.name}, agent.restarts) for agent in status.agents])  # fmt: skip
    family("agent_in_sync", "gauge", "Whether an agent is as git says.",
           [({"agent": agent.name}, agent.in_sync) for agent in status.agents])  # fmt: skip
    family("paused", "gauge", "Whether the kill switch is set.", [({}, status.pause is not None)])
    kinds = Counter(str(one.kind) for one in status.attention)
    family("attention", "gauge", "Cases that need a person, by kind.",
           [({"kind": kind}, kinds[kind]) for kind in CASE_KINDS])  # fmt: skip
    ages = [max(0.0, status.updated_at - one.since) for one in status.attention]
    family("attention_oldest_seconds", "gauge", "Age of the oldest case that needs a person; 0 without any.",
           [({}, max(ages, default=0.0))])  # fmt: skip
    family("condition", "gauge", "Whether a condition is True.",
           [({"type": str(one.type)}, one.status is ConditionStatus.TRUE) for one in status.conditions])  # fmt: skip
    return "\n".join(out) + "\n"


def _of(known: Sequence[str], kind: str) -> str:
    """The kind as a label, whose values are a closed list: a program may have a word of its own."""
    return kind if kind in known or not kind else OTHER


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join([f'{name}="{_escaped(value)}"' for name, value in labels.items()])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))
