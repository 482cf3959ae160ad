"""The doctor's report as a document, for programs. Pure."""

from __future__ import annotations

from providers.base import Json
from reconciler.doctor.check import RESULTS, Report
from reconciler.helpers.redact import one_line
from reconciler.helpers.times import rfc3339
from reconciler.status.document import API_VERSION


def doctor_document(report: Report) -> dict[str, Json]:
    """kind DoctorReport; `mend` is empty where nothing needs to be done, or no command does it."""
    return {
        "apiVersion": API_VERSION,
        "kind": "DoctorReport",
        "fleet": report.fleet,
        "tenant_id": report.tenant_id,
        "host": report.host,
        "observed_at": rfc3339(report.at),
        "summary": {result: report.count(result) for result in RESULTS},
        "checks": [
            {
                "name": check.name,
                "group": check.group,
                "result": check.result,
                "found": one_line(check.found),
                "mend": list(check.mend),
                "advice": one_line(check.advice),
            }
            for check in report.checks
        ],
    }
