"""The plan for the framework files in `$MOSAIC_HOME`: one action restores them, unless something forbids it. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from providers.base import HeldReason, Kind, Present, Reason, Verb
from providers.evidence import NO_RESEED, ReseedEvidence
from reconciler.model import Change, Verdict
from reconciler.plan.draft import Draft

TARGET = "the framework's files"


def plan_reseed(draft: Draft, changes: Iterable[Change], seen: Present | None) -> None:
    """No agent waits for it, and none is disturbed. `seen`: the observation. A file that stands in the way is held as
    long as it does, whether the rest differs or not."""
    change = next((one for one in changes if one.key.kind is Kind.RESEED), None)
    evidence = ReseedEvidence.of(seen) or NO_RESEED
    if change is not None and change.verdict is Verdict.HOLD:
        draft.hold(
            None, TARGET, Verb.RESEED, HeldReason.UNKNOWN, f"the framework's files could not be read: {change.why}"
        )
    elif change is not None and change.verdict is Verdict.CONFLICT:
        message = "the manifest of the framework's files is not a regular file: move it away, then run again"
        draft.hold(None, TARGET, Verb.RESEED, HeldReason.NOT_OWNED, message)
    elif change is not None and evidence.held is not None:
        reason, message = evidence.held
        draft.hold(None, TARGET, Verb.RESEED, reason, message, changes=change.fields)
    else:
        for path, why in sorted(evidence.blocked.items()):
            if path in evidence.unread:
                draft.hold(None, path, Verb.RESEED, HeldReason.UNKNOWN, why)
                continue
            message = f"{path} is not the framework's file ({why}): move it away, then run again"
            draft.hold(None, path, Verb.RESEED, HeldReason.NOT_OWNED, message)
        if change is not None:
            draft.add(
                Verb.RESEED,
                change.key,
                TARGET,
                Reason.DRIFT if evidence.drift else Reason.FRAMEWORK,
                changes=change.fields if change.present is not None else (),
                desired=change.desired,
                present=change.present,
            )
