"""Build the documents of a run from its values. Pure. No secret is known here: compared values are references, and the
content of a file never leaves its step."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from providers.base import Action, Json, Kind, Provider
from providers.host import HostFacts
from reconciler.helpers.times import rfc3339
from reconciler.model import AgentView, Outcome, Plan
from reconciler.status.document import API_VERSION, condition_document, held_document, hidden_document
from specs.dataclass import asdict

if TYPE_CHECKING:
    from providers.steps import Step
    from reconciler.git.log import HistoryLine
    from reconciler.loop.result import RunResult
    from reconciler.status.status import FleetStatus

StepsOf = Callable[[Action], Sequence["Step"]]


def steps_by(registry: Mapping[Kind, Provider], facts: HostFacts) -> StepsOf:
    """The steps of an action, from the provider of its kind: exactly those that a run carries out."""
    return lambda action: registry[action.key.kind].steps(action, facts)


def plan_document(
    plan: Plan, registry: Mapping[Kind, Provider], facts: HostFacts, commits: Sequence[HistoryLine] = ()
) -> dict[str, Json]:
    """`kind: Plan`. `commits`: those that would come into force; they are for people, and the digest excludes them."""
    steps_of = steps_by(registry, facts)
    return {
        "apiVersion": API_VERSION,
        "kind": "Plan",
        "fleet": plan.fleet,
        "tenant_id": plan.tenant_id,
        "host": plan.host,
        "revision": plan.revision,
        "observed_at": rfc3339(plan.observed_at),
        "observed_digest": str(plan.observed_digest),
        "digest": plan_digest(plan, steps_of),
        "paused": plan.paused is not None,
        "paused_reason": plan.paused,
        "commits": [
            {"sha": one.sha, "subject": one.subject, "author": one.author, "when": one.when} for one in commits
        ],
        "actions": [action_document(action, steps_of) for action in plan.actions],
        "held": [held_document(held) for held in plan.held],
        "unknown": _unknown(plan),
        "orphans": list(plan.orphans),
        "refused": list(plan.refused),
        "settling": list(plan.settling),
        "summary": asdict(plan.summary),
    }


def plan_digest(plan: Plan, steps_of: StepsOf) -> str:
    """The digest covers what decides: the commit, the observation, and every action down to the content of the files it
    writes. It excludes the time, so the same plan made twice has one digest."""
    from providers.steps import WriteFile

    decides = {
        "fleet": plan.fleet,
        "host": plan.host,
        "revision": plan.revision,
        "observed": str(plan.observed_digest),
        "actions": [
            {
                **action_document(action, steps_of),
                "contents": [
                    sha256(step.content.encode("utf-8", "surrogatepass")).hexdigest()
                    for step in steps_of(action)
                    if isinstance(step, WriteFile)
                ],
            }
            for action in plan.actions
        ],
    }
    return _digest(decides)


def _digest(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return f"sha256:{sha256(canonical.encode()).hexdigest()}"


def action_document(action: Action, steps_of: StepsOf) -> dict[str, Json]:
    """One action, with its steps as the commands that a person would type."""
    return {
        "id": action.id,
        "verb": str(action.verb),
        "provider": str(action.key.kind),
        "target": action.target,
        "agent": action.agent,
        "reason": str(action.reason),
        "disrupts": action.disrupts,
        "depends_on": list(action.depends_on),
        "changes": [{"path": change.path, "live": change.live, "desired": change.desired} for change in action.changes],
        **({"losses": list(action.losses)} if action.losses else {}),
        **({"forced": {"by": action.forced, "despite": action.despite}} if action.forced else {}),
        "steps": [step.command for step in steps_of(action)],
    }


def report_document(result: RunResult, registry: Mapping[Kind, Provider], facts: HostFacts) -> dict[str, Json]:
    """`kind: ReconcileReport`: what was done in all passes, and what remains after the last."""
    plan, steps_of = result.plan, steps_by(registry, facts)
    return {
        "apiVersion": API_VERSION,
        "kind": "ReconcileReport",
        "fleet": plan.fleet,
        "tenant_id": plan.tenant_id,
        "host": plan.host,
        "outcome": result.outcome,
        "revision": plan.revision,
        "attempted_revision": result.status.attempted_revision or None,
        "passes": result.passes,
        "started_at": rfc3339(result.started_at),
        "duration_s": round(result.duration_s, 3),
        "actions": [outcome_document(outcome, steps_of) for outcome in result.outcomes],
        "held": [held_document(held) for held in plan.held],
        "unknown": _unknown(plan),
        "orphans": list(plan.orphans),
        "refused": list(plan.refused),
        "pending": [action.id for action in plan.actions],
        "warnings": list(result.warnings),
        "conditions": [condition_document(condition) for condition in result.status.conditions],
    }


def outcome_document(outcome: Outcome, steps_of: StepsOf) -> dict[str, Json]:
    """An action with its outcome."""
    return {
        **action_document(outcome.action, steps_of),
        "result": outcome.result,
        "error": outcome.error,
        "duration_s": round(outcome.duration_s, 3),
    }


def receipt_document(
    status: FleetStatus,
    plan: Plan,
    outcomes: Sequence[Outcome],
    registry: Mapping[Kind, Provider] | None = None,
    facts: HostFacts | None = None,
) -> dict[str, Json]:
    """The receipt of a run that acted. `plan` is the first that it applied: its digest is the plan document's, and
    `observed` is what that look showed of each agent. `outcomes` are those of all passes.

    Without a registry the actions are recorded without their steps.
    """
    steps_of: StepsOf = steps_by(registry, facts) if registry is not None and facts is not None else lambda _action: ()
    run = status.last_run
    actions = [outcome_document(outcome, steps_of) for outcome in outcomes]
    return {
        "apiVersion": API_VERSION,
        "kind": "Receipt",
        "fleet": status.fleet,
        "tenant_id": status.tenant_id,
        "host": status.host,
        "revision": plan.revision,
        "observed_digest": str(plan.observed_digest),
        "observed_at": rfc3339(plan.observed_at),
        "observed": [_seen(view) for _, view in sorted(plan.views.items())],
        "plan_digest": plan_digest(plan, steps_of),
        "trigger": run.trigger if run else "",
        "outcome": run.outcome if run else "",
        "started_at": rfc3339(run.started_at) if run else None,
        "duration_s": round(run.duration_s, 3) if run else None,
        "actions": actions,
    }


def _seen(view: AgentView) -> dict[str, Json]:
    return {
        "name": view.name,
        "unit": view.unit_active,
        "session": view.session,
        "program": view.program,
        "pid": view.pid if view.session == "alive" else None,
        "health": str(view.health),
        "heartbeat": view.heartbeat,
    }


def _unknown(plan: Plan) -> list[Json]:

    return [hidden_document(what, why) for what, why in plan.not_seen.items()]
