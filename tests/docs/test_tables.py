"""The tables of the pages are those of the code: keys with their defaults, exit codes, events, metrics, runtimes."""

from __future__ import annotations

import re
import types
from dataclasses import fields
from typing import Any, Union, get_args, get_origin

import pytest

from providers import framework_files
from reconciler.attention.case import AttentionKind
from reconciler.context.settings import Settings
from reconciler.errors import ExitCode
from reconciler.status.events import EventType
from reconciler.status.metrics import metrics_text
from specs.models.fleet import FleetSpec
from specs.models.north_star import NorthStar
from specs.models.roster import AgentSpec, Connector, Roster, RuntimeSpec
from specs.models.runtimes import KNOWN
from specs.values.durations import parse_duration
from specs.values.fields import Spec
from tests import builders as make
from tests.docs.pages import PAGES, page, plain, tables

FIRST, DAY_TWO, INSTALL = page("docs/first-fleet.md"), page("docs/day-two.md"), page("docs/install.md")
REQUIRED = "required"
# Keys whose insides have a table of their own, or are described in words.
WHOLE = frozenset({"agents", "connector", "substrate"})


def below(annotation: Any) -> tuple[type[Spec] | None, bool]:
    """The model that a field holds, and whether it holds many."""
    many = False
    while get_origin(annotation) is not None:
        origin, args = get_origin(annotation), [one for one in get_args(annotation) if one is not type(None)]
        if origin not in (tuple, Union, types.UnionType) or not args:
            return None, False
        many = many or origin is tuple
        annotation = args[0]
    return (annotation, many) if isinstance(annotation, type) and issubclass(annotation, Spec) else (None, False)


def expected(model: type[Spec], prefix: str = "") -> dict[str, Any]:
    """Every key that may be written, dotted, with its default."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        inner, many = below(field.annotation)
        if inner is not None and name not in WHOLE:
            found |= expected(inner, f"{key}[]." if many else f"{key}.")
        else:
            found[key] = REQUIRED if field.is_required() else field.get_default(call_default_factory=True)
    return found


def shown(default: Any) -> str:
    """A default as a page has it."""
    words = {None: "none", True: "true", False: "false"}
    if default is None or isinstance(default, bool):
        return words[default]
    return {"": '""', "()": "[]"}.get(str(default), str(default))


SPECS = [
    (("roster.yaml",), 0, Roster),
    (("roster.yaml", "agents"), 0, AgentSpec),
    (("roster.yaml", "runtimes"), 1, RuntimeSpec),
    (("roster.yaml", "connector"), 0, Connector),
    (("fleet.yaml",), 0, FleetSpec),
    (("NORTH_STAR.yaml",), 0, NorthStar),
]


@pytest.mark.parametrize(("where", "which", "model"), SPECS, ids=lambda one: getattr(one, "__name__", None))
def test_every_key_has_its_row(where: tuple[str, ...], which: int, model: type[Spec]) -> None:
    rows = {plain(row[0]).removesuffix(".NAME"): plain(row[1]) for row in tables(FIRST.section(*where))[which]}
    wanted = expected(model)
    assert rows.keys() == wanted.keys()
    for key, default in wanted.items():
        if isinstance(default, float):
            assert parse_duration(rows[key]) == default, key
        else:
            assert rows[key] == shown(default), key


def test_the_runtimes() -> None:
    rows = [[plain(cell) for cell in row] for row in tables(FIRST.section("roster.yaml", "runtimes"))[0]]
    assert [row[0] for row in rows] == list(KNOWN)
    for name, command, model, unattended, heartbeat in rows:
        runtime = KNOWN[name]
        assert command == (" ".join(runtime.command) or "a program of ours")
        assert model == (runtime.model_flag or "none")
        assert unattended == (" ".join(runtime.unattended_flags) or "none")
        assert heartbeat == ("yes" if runtime.native_heartbeat else "no")


def test_the_settings() -> None:
    rows = {plain(row[0]): plain(row[1]) for row in tables(INSTALL.section("reconcile.toml"))[0]}
    assert list(rows) == [field.name for field in fields(Settings)]
    for name, default in rows.items():
        value = getattr(Settings(), name)
        if isinstance(value, float):
            assert parse_duration(default) == value
        else:
            assert default == (value or "not set")


def test_the_exit_codes() -> None:
    rows = tables(DAY_TWO.section("Exit codes"))[0]
    assert [int(row[0]) for row in rows] == [int(code) for code in ExitCode]


def test_the_kinds_of_cases() -> None:
    rows = tables(page("docs/attention.md").section("Kinds"))[0]
    assert [plain(row[0]) for row in rows] == [str(one) for one in AttentionKind]


def test_the_events() -> None:
    rows = tables(DAY_TWO.section("Events"))[0]
    assert [plain(row[0]) for row in rows] == [str(one) for one in EventType]


def test_the_metrics() -> None:
    text = metrics_text(make.status())
    families = re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)
    assert [plain(row[0]) for row in tables(DAY_TWO.section("Metrics"))[0]] == families
    named = {name for one in PAGES for name in re.findall(r"mosaic_fleet_\w*\w", one.text)} - {"mosaic_fleet_"}
    assert named <= set(families)
    labels = set(re.findall(r'\b\w+="[^"]+"', text))
    for expression in re.findall(r"mosaic_fleet_\w+\{([^}]+)\}", DAY_TWO.text):
        assert expression in labels


def test_the_status_of_a_launch_that_was_refused() -> None:
    rows = tables(page("docs/recover.md").section("A unit has failed"))[0]
    program = framework_files.text("agent-start")
    said = {int(status) for status in re.findall(r"\bfail (\d+) ", program)} - {1, 64}
    assert {int(row[0]) for row in rows} == said
