"""What people read: whole, and harmless to a terminal whatever the names are. The words are in tests/golden."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.base import HeldReason, Json, Kind
from reconciler.helpers.words import value
from reconciler.render.plan_text import plan_text
from reconciler.render.report_text import report_text
from reconciler.render.status_text import status_text
from reconciler.status.values import Pause
from specs.compiled import Suspension
from tests import builders as make
from tests.golden import runs

NOW = make.NOW


SUSPENDED = Suspension(reason="move", by="bob", until=None)
NASTY = st.text(st.characters(codec="utf-8"), max_size=10) | st.sampled_from(
    ["\x1b[31m", "\x9b2J", "a\nb", "\u202e", "\r"]
)


@settings(deadline=None)  # the machine may be busy
@given(NASTY, NASTY)
def test_no_name_and_no_reason_reaches_the_terminal_raw(name: str, reason: str) -> None:
    nasty = make.plan(
        fleet=name,
        host=name,
        revision=name,
        actions=(make.action(agent=name, target=name, changes=(make.change(name, reason, {name: [reason]}),)),),
        held=(make.held(HeldReason.WORKING, name, target=name, message=reason),),
        unknown={Kind.UNIT: reason},
        orphans=(name,),
        refused=(reason,),
        settling=(name,),
        views={name: make.view(name, runtime=name, agent_class=name, why=reason)},
    )
    status = make.status(plan=nasty, pause=Pause(reason=reason, by=name), suspended={name: SUSPENDED})
    for text in (
        plan_text(nasty, make.steps_of),
        plan_text(nasty, make.steps_of, more="", apply=name),
        report_text(runs.result(nasty, status=status)),
        status_text(status, now=NOW),
    ):
        assert all(char == "\n" or char.isprintable() or char == " " or ord(char) > 0x9F for char in text)
        assert not set(text) & set("\x1b\r\x9b\u202e\u2028")
        assert len(text.splitlines()) < 60  # a name does not make lines of its own


def test_a_plan_tells_in_full_first_what_it_ends() -> None:
    text = plan_text(runs.FULL, make.steps_of)
    restart, enable, reload = runs.FULL.actions
    assert text.index(restart.target) < text.index("coder2") < text.index("framework")
    assert all(f"$ {step.command}\n" in text for step in make.steps_of(restart))
    assert not [step for one in (enable, reload) for step in make.steps_of(one) if step.command in text]


def test_a_plan_in_full_has_every_step_and_every_field() -> None:
    text = plan_text(runs.FULL, make.steps_of, more="")
    for action in runs.FULL.actions:
        assert all(f"$ {step.command}\n" in text for step in make.steps_of(action))
        assert all(change.path in text for change in action.changes)


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        (None, "(absent)"),
        ("", '""'),
        ("plain words", "plain words"),
        ("two\nlines", '"two lines"'),
        (" padded", '"padded"'),
        ("(absent)", '"(absent)"'),
        (True, "true"),
        (1.5, "1.5"),
        (["a", "b c"], '["a", "b c"]'),
        ({"k": None}, '{"k": null}'),
    ],
)
def test_a_value_is_shown_whole(item: Json, shown: str) -> None:
    assert value(item) == shown


def test_nothing_is_cut() -> None:
    long = "x" * 5000
    changed = make.action(changes=(make.change("argv", "a", long),))
    assert long in plan_text(make.plan(actions=(changed,)), make.steps_of, more="")
    assert long in plan_text(make.plan(actions=(replace(changed, disrupts=True),)), make.steps_of)
    assert long in status_text(make.status(plan=make.plan(views={"a": make.view("a", why=long)})), now=NOW)
