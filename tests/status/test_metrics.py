"""The textfile for Prometheus."""

from __future__ import annotations

import re

from providers.base import Health, HeldReason, Kind
from reconciler.model import AgentHistory, History
from reconciler.status.metrics import metrics_text
from tests import builders as make

SAMPLE = re.compile(r'^(mosaic_fleet_[a-z_]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)+)\} (-?[0-9.e+]+)$')


def test_every_line_is_in_the_format() -> None:
    nasty = 'a"b\\c\nd'
    status = make.status(
        plan=make.plan(fleet=nasty, held=(make.held(),), unknown={Kind.LINGER: "?"}, views={nasty: make.view(nasty)}),
        history=History(agents={nasty: AgentHistory(restarts=3)}),
    )
    text = metrics_text(status)
    families: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("# "):
            assert re.fullmatch(r"# (HELP mosaic_fleet_[a-z_]+ [^\n]+|TYPE mosaic_fleet_[a-z_]+ (gauge|counter))", line)
            families.setdefault(line.split()[2], []).append(line.split()[1])
        else:
            found = SAMPLE.match(line)
            assert found, line
            assert found[1] in families
    assert all(lines == ["HELP", "TYPE"] for lines in families.values())
    assert text.endswith("\n")
    assert 'fleet="a\\"b\\\\c\\nd"' in text


def test_the_numbers() -> None:
    status = make.status(
        plan=make.plan(held=(make.held(), make.held(agent="coder2")), actions=(make.action(),)),
        history=History(agents={"coder0": AgentHistory(restarts=3)}),
    )
    text = metrics_text(status)
    base = 'fleet="demo",tenant_id="ada",host="build-1"'
    assert f'mosaic_fleet_held{{{base},reason="working"}} 2' in text
    assert f'mosaic_fleet_held{{{base},reason="floor"}} 0' in text
    assert f"mosaic_fleet_drift{{{base}}} 3" in text
    assert f'mosaic_fleet_agent_restarts_total{{{base},agent="coder0"}} 3' in text
    assert f"mosaic_fleet_last_run_duration_seconds{{{base}}} 0.4" in text
    assert f"mosaic_fleet_last_success_timestamp_seconds{{{base}}} 0" in text
    for word in (*HeldReason, *Health, *Kind):
        assert f'"{word}"' in text


def test_success_is_a_time() -> None:
    assert "mosaic_fleet_last_success_timestamp_seconds" in metrics_text(make.status())
    assert f" {int(make.NOW)}" in metrics_text(make.status())
