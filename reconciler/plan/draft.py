"""The draft of a plan: collect its actions, what they wait for, and what is held."""

from __future__ import annotations

from collections.abc import Iterable

from providers.base import Action, FieldChange, HeldReason, Present, Reason, Resource, ResourceKey, Verb
from providers.shipped.uses import Use
from reconciler.model import Held
from specs.dataclass import dataclass, field


@dataclass(slots=True)
class Draft:
    """Collects actions and held items. `gates`: for each use, the ids of the actions that it waits for. `shut`: for
    each use, why this pass may not make it at all. `up`: the tmux servers seen running: an agent on one of them waits
    for the holder only if the holder is to be restarted."""

    now: float
    actions: dict[str, Action] = field(default_factory=dict)
    held: list[Held] = field(default_factory=list)
    gates: dict[Use, list[str]] = field(default_factory=dict)
    shut: dict[Use, str] = field(default_factory=dict)
    up: frozenset[str] = frozenset()

    def wait(self, uses: Iterable[Use], identity: str) -> None:
        """Make each of `uses` wait for an action."""
        for use in uses:
            self.gates.setdefault(use, []).append(identity)

    def close(self, uses: Iterable[Use], why: str) -> None:
        """Forbid each of `uses` in this pass; the first reason stays."""
        for use in uses:
            self.shut.setdefault(use, why)

    def after(self, *uses: Use) -> tuple[str, ...]:
        """Ids of all actions that these uses wait for."""
        return tuple(dict.fromkeys(one for use in uses for one in self.gates.get(use, ())))

    def closed(self, *uses: Use) -> str:
        """Why one of these uses is forbidden, "" if none is."""
        return next((self.shut[use] for use in uses if use in self.shut), "")

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
        losses: tuple[str, ...] = (),
        forced: tuple[str, str] = ("", ""),
    ) -> str:
        """Add one action and return its id. Dependencies on actions that were not planned are left out. `forced`: who
        forces it, and despite what."""
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
            losses=losses,
            forced=forced[0],
            despite=forced[1],
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
        losses: tuple[str, ...] = (),
    ) -> None:
        """Record something that is due and is not done."""
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
                losses=losses,
            )
        )
