"""The report as a document: counted, on one line each, and as its schema says."""

from __future__ import annotations

import json

import jsonschema

from reconciler.doctor.check import Check, Report
from reconciler.doctor.document import doctor_document
from reconciler.schemas.registry import schema_of

CHECKS = (
    Check(name="tmux", group="programs", result="ok", found="tmux 3.3a"),
    Check(name="gpg", group="programs", result="fail", found="gpg is not\non PATH", mend=("sudo apt install gnupg",)),
    Check(name="bus", group="systemd", result="unknown", found="?", advice="two\nlines"),
)


def test_the_document() -> None:
    found = doctor_document(Report(fleet="demo", tenant_id="ada", host="build-1", at=0.0, checks=CHECKS))
    jsonschema.Draft202012Validator(schema_of("doctor")).validate(json.loads(json.dumps(found)))
    assert found["summary"] == {"fail": 1, "unknown": 1, "warn": 0, "ok": 1}
    checks = found["checks"]
    assert isinstance(checks, list)
    assert [one["name"] for one in checks] == ["tmux", "gpg", "bus"]
    assert checks[1]["mend"] == ["sudo apt install gnupg"]
    assert all("\n" not in f"{one['found']}{one['advice']}" for one in checks)
