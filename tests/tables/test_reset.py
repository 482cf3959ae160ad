"""Whether a conversation is a new one, after a reset and after a restart, row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from reconciler.agents.reset_verdict import (
    RESETS,
    RESTARTS,
    ResetLook,
    ResetRecord,
    RestartLook,
    Sight,
    after_restart,
    begins_session,
    evidence,
    newest,
    objection,
    reset_text,
    would_not_start,
)
from reconciler.model import NAME_TAKEN, Readiness
from reconciler.observe.may_end import Ending, Who
from tests import builders as make
from tests.tables.fleets import make_agent
from tests.tables.rows import Examples, check, check_shape, expect, params

OLD = ResetRecord(ts=90.0, event="Stop", session="a", pid=1, by="hook")
NEW = ResetRecord(ts=100.0, event="Stop", session="b", pid=2, by="hook")
SAME = replace(NEW, session="a")
SAID = ("an older line of it", "the first thing said", "the last thing said")
WAS = Sight(lines=SAID, row=3, ready=True)
FRESH = Sight(lines=("welcome to the program",), row=1, ready=True)
LOOK = ResetLook(before=OLD, after=OLD, was=WAS, now=FRESH, submitted=100.7, late=False)
RESTART = RestartLook(before=OLD, after=NEW, since=100.7, over=False)
SILENT = ResetRecord()


def look(after: ResetRecord = OLD, **more: Any) -> ResetLook:
    return replace(LOOK, after=after, **more)


def screen(*lines: str, ready: bool = True) -> Sight:
    return Sight(lines=lines, row=len(lines), ready=ready)


BEGUN = replace(SAME, event="SessionStart")
TIPS = tuple(f"a line of greeting {number}" for number in range(6))
EXAMPLES = (
    Examples("RESETS", RESETS, {
        "another session": expect("hook", look(NEW), look(NEW, now=None), look(NEW, late=True, now=WAS),
                                  look(replace(NEW, ts=105.0))),
        "the same session": expect("", look(SAME), look(BEGUN)),
        "a session begins": expect(
            "hook", look(BEGUN, late=True), look(replace(BEGUN, session="")),
            look(replace(NEW, event="session.created"), before=replace(OLD, session="")),
        ),
        "no composer": expect("", look(now=None), look(now=replace(FRESH, ready=False))),
        "nothing had been said": expect(
            "", look(was=screen()), look(was=replace(WAS, row=0)), look(was=screen("x", "short"), now=screen(*TIPS)),
        ),
        "more on the screen": expect(
            "", look(now=screen(*TIPS)), look(now=screen(*TIPS[:4], SAID[2], TIPS[5])),
        ),
        "it still stands there": expect(
            "", look(now=WAS), look(now=screen(SAID[2])), look(was=screen("sixlet"), now=screen("sixlet")),
            look(now=screen("hello again", f"  {SAID[1]} ")),
        ),
        "a fresh screen": expect(
            "pane", LOOK, look(now=screen()), look(now=screen(SAID[0])), look(now=screen(*TIPS[:5])),
            look(now=screen(*TIPS[:2] * 4)), look(replace(NEW, ts=99.0)),
            look(replace(OLD, ts=99.9, session="b")), look(SAME, late=True), look(replace(NEW, session="")),
            look(BEGUN, late=True, before=replace(OLD, event="SessionStart")), look(OLD, before=OLD, submitted=0.0),
        ),
    }),
    Examples("RESTARTS", RESTARTS, {
        "another session": expect(("delivered", "hook"), RESTART, replace(RESTART, over=True),
                                  replace(RESTART, after=replace(NEW, ts=105.0))),
        "the same session": expect(("unconfirmed", ""), replace(RESTART, after=SAME)),
        "it may still say so": expect(
            ("", ""), replace(RESTART, before=SILENT), replace(RESTART, after=replace(NEW, pid=1)),
            replace(RESTART, after=replace(NEW, ts=99.9)), replace(RESTART, after=replace(NEW, session="")),
        ),
        "nothing to compare with": expect(("unconfirmed", ""), replace(RESTART, before=SILENT, over=True)),
        "nothing said since": expect(("unconfirmed", ""), replace(RESTART, after=OLD, over=True),
                                     replace(RESTART, after=SILENT, over=True)),
        "nothing said at all": expect(("unconfirmed", ""), replace(RESTART, before=SILENT, after=SILENT, over=True)),
    }, outcome=lambda made: (made.word, made.evidence) if not isinstance(made, str) else made),
)  # fmt: skip


@pytest.mark.parametrize(("one", "name", "decision", "situation"), params(*EXAMPLES))
def test_row(one: Examples, name: str, decision: Any, situation: Any) -> None:
    check(one, name, decision, situation)


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: one.name)
def test_shape(one: Examples) -> None:
    check_shape(one)


def test_the_functions_ask_their_tables() -> None:
    assert evidence(OLD, NEW, WAS, FRESH, submitted=100.7) == "hook"
    assert evidence(OLD, BEGUN, WAS, None, submitted=100.7, late=True) == "hook"
    assert evidence(OLD, BEGUN, WAS, None, submitted=100.7) == ""
    assert evidence(OLD, OLD, WAS, FRESH, submitted=100.7) == "pane"
    made = after_restart(OLD, SAME, since=100.7, over=True)
    assert made.reason == (
        "its program was restarted, and is in the same session as before: its command resumes the old conversation"
    )
    assert after_restart(OLD, OLD, since=100.7, over=False).word == ""


def test_a_session_is_another_one_whatever_its_name_and_its_pid() -> None:
    older, younger = replace(OLD, session="b", pid=9), replace(NEW, session="a", pid=2)
    assert evidence(older, younger, WAS, None, submitted=100.7) == "hook"
    assert after_restart(older, younger, since=100.7, over=False).word == "delivered"


def test_the_names_of_events_that_begin_a_session() -> None:
    for name in ("SessionStart", "session_start", "session.created", "session-new", "session_switch", "reset"):
        assert begins_session(name)
    for name in ("Stop", "SessionEnd", "", "session"):
        assert not begins_session(name)


def test_the_newest_record() -> None:
    assert newest([OLD, NEW, replace(OLD, ts=1.0)]) is NEW
    assert newest([]) == SILENT
    assert (SILENT.ts, SILENT.pid) == (0.0, 0)


def test_the_command_of_a_reset() -> None:
    class Texts:
        """A program that knows one way, both or none."""

        def __init__(self, **known: str) -> None:
            self.known = known

        def reset_text(self, how: str) -> str | None:
            return self.known.get(how)

    both: Any = Texts(new="/new", clear="/clear")
    clear: Any = Texts(clear="/clear")
    own = make_agent("a", reset_command="/mine")
    assert [reset_text(own, both, how) for how in ("", "new", "clear")] == ["/mine", "/new", "/clear"]
    assert reset_text(make_agent("a"), both, "") == "/new"
    assert reset_text(make_agent("a"), clear, "") == "/clear"
    assert reset_text(own, clear, "new") is None


def test_who_may_be_reset() -> None:
    gone, works = make.view(session="dead"), make.view(readiness=Readiness.WORKING)
    foreign = make.view(session="foreign")
    assert objection(gone, restart=False) == objection(make.view(session="missing"), restart=False) == "it does not run"
    assert objection(gone, restart=True) == ""
    assert objection(works, restart=False) == objection(works, restart=True) == "it works"
    with patch("reconciler.agents.reset_verdict.may_end", side_effect=lambda _, who: Ending(False, who)):
        who = [
            objection(works, restart=restart, forced=forced) for restart in (True, False) for forced in (True, False)
        ]
    assert who == [Who.FORCE, Who.RESTART, Who.FORCE, Who.RESET]
    assert objection(works, restart=True, forced=True) == objection(works, restart=False, forced=True) == ""
    assert objection(foreign, restart=True, forced=True) == "its session is not this fleet's"
    assert would_not_start(make.view()) == ""
    assert would_not_start(make.view(no_start="no folder", taken=True)) == "it would not start again: no folder"
    assert would_not_start(make.view(taken=True)) == f"it would not start again: {NAME_TAKEN}"
