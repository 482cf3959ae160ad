"""`mosaic fleet status` fits 80 columns, and shows what is not as it should be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from providers.base import HeldReason
from reconciler.render.status_text import WIDTH, as_wished, status_text
from reconciler.status.conditions import ConditionStatus, ConditionType
from reconciler.status.status import FleetStatus
from reconciler.status.values import Pause
from specs.compiled import Suspension
from tests import builders as make
from tests.golden import runs

NOW = make.NOW


def much(names: tuple[str, ...]) -> FleetStatus:
    views = {
        name: make.view(name, session="missing", waiting="permission", why="it has no session, and " + "so on " * 30)
        for name in names
    }
    held = tuple(make.held(HeldReason.WORKING, name, target=f"mosaic-agent@{name}.service") for name in names)
    plan = replace(runs.FULL, views=views, held=held, refused=("no " * 60,), orphans=("unit old.service " * 9,))
    whole = Suspension(reason="a long story " * 8, by="bob", until=NOW + 9)
    return make.status(plan=plan, pause=Pause(reason="storm " * 30, by="ada", since=NOW - 60), suspended={"*": whole})


@pytest.mark.parametrize("names", [("a",), ("coder0", "orchestrator"), ("agent-" + "x" * 40,), ()])
@pytest.mark.parametrize("verbose", [False, True])
def test_it_fits_eighty_columns(names: tuple[str, ...], verbose: bool) -> None:
    text = status_text(much(names), now=NOW + 5000, verbose=verbose)
    long = [line for line in text.splitlines() if len(line) > WIDTH]
    assert all(line.startswith("    now: ") for line in long), long  # a command is not broken


def test_what_is_as_wished_is_one_line() -> None:
    status = make.status()
    shown = status_text(status, now=NOW)
    assert not [one for one in status.conditions if f"{one.type} " in shown]
    assert all(f"{one.type} " in status_text(status, now=NOW, verbose=True) for one in status.conditions)


def test_what_is_not_as_wished_is_shown() -> None:
    status = much(("coder0",))
    shown = status_text(status, now=NOW)
    wrong = [one for one in status.conditions if not as_wished(one) and one.type is not ConditionType.PAUSED]
    assert wrong
    assert all(f"{one.type} " in shown and str(one.reason) in shown for one in wrong)
    assert not [one for one in status.conditions if as_wished(one) and f"{one.type} " in shown]
    assert "PAUSED by ada" in shown


@pytest.mark.parametrize(
    ("kind", "status", "wished"),
    [
        (ConditionType.READY, ConditionStatus.TRUE, True),
        (ConditionType.READY, ConditionStatus.FALSE, False),
        (ConditionType.READY, ConditionStatus.UNKNOWN, False),
        (ConditionType.STALLED, ConditionStatus.FALSE, True),
        (ConditionType.STALLED, ConditionStatus.TRUE, False),
        (ConditionType.PAUSED, ConditionStatus.TRUE, False),
        (ConditionType.RECONCILING, ConditionStatus.TRUE, True),
        (ConditionType.RECONCILING, ConditionStatus.UNKNOWN, False),
    ],
)
def test_which_conditions_are_as_wished(kind: ConditionType, status: ConditionStatus, wished: bool) -> None:
    one = next(one for one in make.status().conditions if one.type is kind)
    assert as_wished(replace(one, status=status)) is wished
