"""The text of `mosaic fleet verify`: what is wrong and how to fix it, then what is worth knowing, then a count."""

from __future__ import annotations

from collections.abc import Sequence

from providers.base import Json
from reconciler.helpers.times import rfc3339
from reconciler.helpers.words import Paint, Tint, count, data, no_paint
from reconciler.inspection.verify import VerifyCheck, VerifyResult
from reconciler.listing.document import Listing, revision_document
from reconciler.status.document import API_VERSION


def verify_text(listing: Listing, checks: Sequence[VerifyCheck], *, paint: Paint = no_paint) -> str:
    """One line for each check that does not hold, with its fix below."""
    lines = []
    tints: tuple[tuple[VerifyResult, Tint], ...] = (("wrong", "red"), ("note", "yellow"))
    for result, tint in tints:
        for check in checks:
            if check.result == result:
                name = f"{data(check.agent)}: " if check.agent else ""
                lines.append(f"{paint(result, tint)} {name}{check.name}: {data(check.found)}")
                lines += [f"    fix: {data(check.mend)}"] if check.mend else []
    wrong = sum(check.result == "wrong" for check in checks)
    where = f"{data(listing.host)} at {data(listing.compared)[:12]}"
    lines.append(f"{count(len(checks), 'check')}, {wrong} wrong: {where}")
    return "\n".join(lines) + "\n"


def verify_document(listing: Listing, checks: Sequence[VerifyCheck]) -> dict[str, Json]:
    """The document of kind FleetVerification."""
    return {
        "apiVersion": API_VERSION,
        "kind": "FleetVerification",
        "fleet": listing.fleet,
        "tenant_id": listing.tenant_id,
        "host": listing.host,
        "observed_at": rfc3339(listing.observed_at),
        "revision": revision_document(listing),
        "wrong": sum(check.result == "wrong" for check in checks),
        "checks": [
            {
                "name": one.name,
                "agent": one.agent,
                "result": one.result,
                "found": one.found,
                "mend": one.mend or None,
            }
            for one in checks
        ],
    }
