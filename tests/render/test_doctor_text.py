"""`mosaic doctor` shows what is wrong and counts the rest; warnings come last."""

from __future__ import annotations

import re

from reconciler.doctor.check import RESULTS, Check, CheckResult, Report
from reconciler.render.doctor_text import doctor_text


def report(*results: CheckResult) -> Report:
    checks = tuple(
        Check(name=f"check{number}", group="programs", result=result, found="so", mend=("true",) * (result == "fail"))
        for number, result in enumerate(results)
    )
    return Report(fleet="demo", tenant_id="ada", host="build-1", at=0.0, checks=checks)


def shown(text: str) -> list[str]:
    return re.findall(r"^  (\w+) +check\d", text, re.MULTILINE)


def test_what_is_well_is_counted_and_not_listed() -> None:
    text = doctor_text(report("ok", "warn", "ok", "fail"))
    assert shown(text) == ["FAIL", "WARN"]
    assert "4 checks: 1 failure, 1 warning, 2 ok (--all lists them)" in text


def test_all_lists_it_above_what_is_wrong() -> None:
    text = doctor_text(report("warn", "ok", "unknown", "fail", "ok"), everything=True)
    assert shown(text) == ["ok", "ok", "FAIL", "UNKNOWN", "WARN"]
    assert "--all" not in text


def test_where_all_is_well_there_is_one_count() -> None:
    text = doctor_text(report("ok", "ok"))
    assert shown(text) == []
    assert "2 checks: all is well" in text


def test_every_result_has_room_beside_its_name() -> None:
    text = doctor_text(report(*RESULTS), everything=True)
    assert len(shown(text)) == len(RESULTS)
