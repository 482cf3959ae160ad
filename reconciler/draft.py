"""Draft: a plan while it is being made."""

from __future__ import annotations

from dataclasses import dataclass, field

from providers.base import Action, FieldChange, HeldReason, Present, Reason, Resource, ResourceKey, Verb
from reconciler.model import Held


@dataclass(slots=True)
class Draft:
    """Collects actions and held items. `gate`: ids that every start of an agent has to wait for; `shut`: why no agent
    may be started in this pass at all."""

    now: float
    actions: dict[str, Action] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    gate: list[str] = field(default_factory=list)
    shut: str = ""

    def add(
        self,
        verb: Verb,
        key: ResourceKey,
        target: str,
        reason: Reason,
        *,
        agent: str | None = None,
        disrupts: bool = False,
        depends_on: tuple[str, ...] = (),
        changes: tuple[FieldChange, ...] = (),
        desired: Resource | None = None,
        present: Present | None = None,
    ) -> str:
        """Add one action and return its id. Dependencies on actions that were not planned are left out."""
        identity = f"{verb}:{key.kind}:{key.name}"
        known = tuple(sorted(name for name in set(depends_on) if name in self.actions))
        self.actions[identity] = Action(
            id=identity,
            verb=verb,
            key=key,
            target=target,
            agent=agent,
            reason=reason,
            disrupts=disrupts,
            depends_on=known,
            changes=changes,
            desired=desired,
            present=present,
        )
        return identity

    def hold(
        self,
        agent: str | None,
        target: str,
        verb: Verb,
        reason: HeldReason,
        message: str,
        *,
        since: float | None = None,
        until: float | None = None,
        changes: tuple[FieldChange, ...] = (),
    ) -> None:
        """Note something that is due and is not done."""
        self.held.append(
            Held(
                agent=agent,
                target=target,
                verb=verb,
                reason=reason,
                message=message,
                since=since or self.now,
                until=until,
                changes=changes,
            )
        )
