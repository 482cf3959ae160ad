"""What was proved, as a document for programs. Pure."""

from __future__ import annotations

from providers.base import Json
from reconciler.conformance.model import ContractReport, Trial
from reconciler.helpers.times import rfc3339
from reconciler.status.document import API_VERSION


def contract_document(report: ContractReport) -> dict[str, Json]:
    """kind ContractReport. A runtime that is not installed has no path, no version and no proofs."""
    return {
        "apiVersion": API_VERSION,
        "kind": "ContractReport",
        "fleet": "",
        "tenant_id": report.tenant_id,
        "host": report.host,
        "observed_at": rfc3339(report.at),
        "passed": report.passed,
        "runtimes": [_trial(trial) for trial in report.trials],
    }


def _trial(trial: Trial) -> dict[str, Json]:
    return {
        "runtime": trial.runtime,
        "installed": trial.installed,
        "path": trial.path or None,
        "version": trial.version or None,
        "passed": trial.passed,
        "seconds": round(trial.seconds, 2),
        "proofs": [
            {
                "name": proof.name,
                "outcome": proof.outcome,
                "evidence": proof.evidence,
                "seconds": round(proof.seconds, 2),
            }
            for proof in trial.proofs
        ],
    }
