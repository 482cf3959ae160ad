"""Values of a run, made by hand: the shortest way to one that differs in a single point."""

from __future__ import annotations

from typing import Any

from providers.base import Action, FieldChange, Health, HeldReason, Kind, Reason, ResourceKey, Verb
from providers.host import HostFacts
from providers.steps import DaemonReload, SetEnabled, Step, UnitJob, WriteFile
from reconciler.model import AgentView, Held, History, Outcome, Plan
from reconciler.plan_values import Summary
from reconciler.status.conditions import ConditionReason
from reconciler.status.status import FleetStatus, LastRun, build_status
from reconciler.status.values import SourceReport

NOW = 1_763_608_560.0  # 2025-11-20T03:16:00Z
SHA = "1a2b3c4d5e6f" + "0" * 28


def facts(root: str) -> HostFacts:
    return HostFacts(
        user="ada", uid=1000, hostname="build-1", home=root, mosaic_home=f"{root}/mosaic",
        unit_dir=f"{root}/config/systemd/user", runtime_dir=f"{root}/run", state_home=f"{root}/state",
        config_home=f"{root}/config", python="/usr/bin/python3", interpreter="/opt/venv/bin/python",
        stub_program="/opt/stub.py",
    )  # fmt: skip


def view(name: str = "coder0", **more: Any) -> AgentView:
    usual: dict[str, Any] = {
        "name": name, "agent_class": "coder", "runtime": "claude", "desired_state": "running", "unit_active": "active",
        "enabled": True, "session": "alive", "program": "claude", "pid": 4242, "started": NOW - 7200,
        "last_activity": NOW - 5, "heartbeat": "ok", "heartbeat_age": 3.0, "heartbeat_note": "",
        "health": Health.HEALTHY, "available": False, "launch_digest": "d1", "why": "",
    }  # fmt: skip
    return AgentView(**{**usual, **more})


def action(verb: Verb = Verb.START, agent: str | None = "coder0", **more: Any) -> Action:
    unit = f"mosaic-agent@{agent}.service"
    usual: dict[str, Any] = {
        "id": f"{verb}:unit:{agent}", "verb": verb, "key": ResourceKey(Kind.UNIT, agent or "shared"), "target": unit,
        "agent": agent, "reason": Reason.NEW,
    }  # fmt: skip
    return Action(**{**usual, **more})


def held(reason: HeldReason = HeldReason.WORKING, agent: str | None = "coder1", **more: Any) -> Held:
    usual: dict[str, Any] = {
        "agent": agent, "target": f"mosaic-agent@{agent}.service", "verb": Verb.RESTART, "reason": reason,
        "message": "it works", "since": NOW - 60, "until": NOW + 300,
    }  # fmt: skip
    return Held(**{**usual, **more})


def plan(**more: Any) -> Plan:
    usual: dict[str, Any] = {
        "fleet": "demo", "tenant_id": "ada", "host": "build-1", "revision": SHA, "observed_at": NOW,
        "observed_digest": "seen", "paused": None, "actions": (), "held": (), "unknown": {}, "orphans": (),
        "refused": (), "settling": (), "heals": frozenset(), "summary": Summary(unchanged=1),
        "views": {"coder0": view()},
    }  # fmt: skip
    return Plan(**{**usual, **more})


def outcome(made: Action | None = None, result: Any = "done", **more: Any) -> Outcome:
    return Outcome(action=made or action(), result=result, duration_s=0.02, **more)


def source(reason: ConditionReason = ConditionReason.REVISION_ACCEPTED, **more: Any) -> SourceReport:
    usual: dict[str, Any] = {"attempted": SHA, "applied": SHA, "message": ""}
    return SourceReport(reason=reason, **{**usual, **more})


def last_run(**more: Any) -> LastRun:
    usual: dict[str, Any] = {
        "started_at": NOW - 1, "duration_s": 0.4, "trigger": "timer", "outcome": "converged", "exit_code": 0,
        "passes": 1,
    }  # fmt: skip
    return LastRun(**{**usual, **more})


def status(previous: FleetStatus | None = None, **more: Any) -> FleetStatus:
    usual: dict[str, Any] = {
        "plan": plan(), "outcomes": (), "source": source(), "history": History(), "suspended": {}, "pause": None,
        "now": NOW, "last_run": last_run(),
    }  # fmt: skip
    return build_status(previous, **{**usual, **more})


def change(path: str = "model", live: Any = "opus", desired: Any = "sonnet") -> FieldChange:
    return FieldChange(path=path, live=live, desired=desired)


def steps_of(made: Action) -> tuple[Step, ...]:
    """A stand-in for the providers: enough to be printed."""
    if made.verb is Verb.RELOAD:
        return (DaemonReload(),)
    if made.verb is Verb.WRITE:
        return (WriteFile(path=made.target, content="ENV=TOKEN=not-for-anyone\n", mode=0o600),)
    if made.verb in (Verb.ENABLE, Verb.DISABLE):
        return (SetEnabled(unit=made.target, enabled=made.verb is Verb.ENABLE),)
    verb: Any = str(made.verb)
    return (UnitJob(verb=verb, unit=made.target),)


class Steps:
    """A provider that only knows steps."""

    def steps(self, made: Action, facts: HostFacts) -> tuple[Step, ...]:
        del facts
        return steps_of(made)


REGISTRY: Any = {kind: Steps() for kind in Kind}
