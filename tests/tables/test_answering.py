"""The tables of an answer: what is pressed, and what is seen afterwards; and how a dialog is known again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.programs.base import Choice, Reading
from providers.programs.registry import program
from providers.screen import Screen
from reconciler.answering.afterwards import SIGHTS, AfterAnswer, sight, what_it_does
from reconciler.answering.choose import FITS, AskedOf, Press, Unfit, choose, marks
from reconciler.answering.trust import AGAINST, TrustAsked, objection
from reconciler.answering.verdict import ShownDialog, WantedAnswer, shown_dialog
from reconciler.attention.case import AttentionKind
from reconciler.attention.cases import case_of
from reconciler.helpers.decision_table import first_match
from reconciler.model import Readiness
from specs.dataclass import replace
from tests import builders as make
from tests.programs import captures

YES = Choice(label="Yes", keys=("1",), means="allow", selected=True)
ALWAYS = Choice(label="Yes, and do not ask again", keys=("2",))
NO = Choice(label="No", keys=("3",), means="deny")


def dialog(*choices: Choice, takes_text: bool = False, question: str = "Run git push?") -> ShownDialog:
    return ShownDialog(
        case="1a2b3c4d",
        kind=AttentionKind.PERMISSION,
        question=question,
        choices=choices,
        takes_text=takes_text,
    )


WHOLE = dialog(YES, ALWAYS, NO)
TEXT = WantedAnswer(how="text", text="main")


@pytest.mark.parametrize(
    ("row", "wanted", "shown", "found"),
    [
        ("a text, and no field", TEXT, WHOLE, Unfit("it has no field that a text could be typed into")),
        ("a text", TEXT, dialog(takes_text=True), Press(label="a text of 4 bytes", text="main")),
        ("no choices", WantedAnswer(how="allow"), dialog(), Unfit("it is not known which choices it offers")),
        ("no such choice", WantedAnswer(how="choose", number=4), WHOLE, Unfit("it has no choice 4")),
        ("nothing means that", WantedAnswer(how="deny"), dialog(YES), Unfit("none of its choices is known to deny")),
        ("several mean that", WantedAnswer(how="allow"), dialog(YES, YES), Unfit("several of its choices allow")),
        ("no keys", WantedAnswer(how="choose", number=1), dialog(Choice(label="Yes")),
         Unfit("it is not known which keys give this answer")),
        ("a choice", WantedAnswer(how="choose", number=2), WHOLE, Press(label=ALWAYS.label, keys=("2",), number=2)),
        ("a choice", WantedAnswer(how="allow"), WHOLE, Press(label="Yes", keys=("1",), number=1)),
        ("a choice", WantedAnswer(how="deny"), WHOLE, Press(label="No", keys=("3",), number=3)),
    ],
)  # fmt: skip
def test_what_is_pressed(row: str, wanted: WantedAnswer, shown: ShownDialog, found: Press | Unfit) -> None:
    assert first_match(FITS, AskedOf(wanted, shown)).name == row
    assert choose(wanted, shown) == found


CHOICES = st.lists(
    st.builds(
        Choice,
        label=st.text(max_size=5),
        keys=st.sampled_from([(), ("1",), ("Down", "Enter")]),
        means=st.sampled_from(["", "allow", "deny"]),
    ),
    max_size=4,
)
WANTED = st.one_of(
    st.builds(WantedAnswer, how=st.sampled_from(["allow", "deny"])),
    st.builds(WantedAnswer, how=st.just("choose"), number=st.integers(1, 6)),
    st.builds(WantedAnswer, how=st.just("text"), text=st.text(min_size=1, max_size=5)),
)


@given(WANTED, CHOICES, st.booleans())
def test_nothing_is_pressed_on_a_guess(wanted: WantedAnswer, choices: list[Choice], takes_text: bool) -> None:
    found = choose(wanted, dialog(*choices, takes_text=takes_text))
    if isinstance(found, Unfit):
        return
    if wanted.how == "text":
        assert (takes_text, found.keys, found.text) == (True, (), wanted.text)
        return
    chosen = choices[found.number - 1]
    assert found.keys == chosen.keys != ()
    assert not found.text
    if wanted.how == "choose":
        assert found.number == wanted.number
    else:
        assert [one.means for one in choices].count(wanted.how) == 1
        assert chosen.means == wanted.how


@pytest.mark.parametrize(
    ("row", "look", "found"),
    [
        ("blind", {"pane": "blind"}, "blind"),
        ("ended", {"pane": "gone"}, "ended"),
        ("the same", {"dialog": WHOLE}, "same"),
        ("another", {"dialog": ShownDialog(case="0", kind=AttentionKind.TRUST, question="", choices=(),
                                           takes_text=False)}, "other"),
        ("its composer", {"reading": Reading(composer="empty")}, "gone"),
        ("at work", {"reading": Reading(turn="busy")}, "gone"),
        ("in trouble", {"reading": Reading(trouble="limit")}, "gone"),
        ("unclear", {}, "unclear"),
    ],
)  # fmt: skip
def test_what_is_seen_afterwards(row: str, look: dict[str, object], found: str) -> None:
    after = AfterAnswer(**{"pane": "ok", "before": WHOLE, **look})  # type: ignore[arg-type]
    assert first_match(SIGHTS, after).name == row
    assert sight(after) == found


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        (Reading(trouble="limit", why="it is at its limit"), "it cannot work: it is at its limit"),
        (Reading(turn="busy", composer="empty"), "it works"),
        (Reading(composer="draft"), "its composer holds a draft"),
        (Reading(composer="empty"), "it waits for its next message"),
        (Reading(), "its screen shows no dialog"),
    ],
)
def test_what_it_does_then(reading: Reading, words: str) -> None:
    assert what_it_does(reading) == words


@pytest.mark.parametrize(
    ("asks", "kind"),
    [("permission", "permission"), ("bypass", "bypass"), ("trust", "trust"), ("unknown", "dialog"), ("login", "login")],
)
def test_a_dialog_has_the_id_of_its_case(asks: str, kind: str) -> None:
    one = shown_dialog("coder0", "7.8", Reading(asks=asks, question="a\n b", choices=(YES, NO)))  # type: ignore[arg-type]
    same = shown_dialog("coder0", "7.8", Reading(asks=asks, question="a b", choices=(YES, NO)))  # type: ignore[arg-type]
    other = shown_dialog("coder0", "7.9", Reading(asks=asks, question="a b", choices=(YES, NO)))  # type: ignore[arg-type]
    assert one is not None
    assert same is not None
    assert other is not None
    assert str(one.kind) == kind
    assert one.case == same.case != other.case


def test_a_menu_of_a_person_is_none() -> None:
    assert shown_dialog("coder0", "7.8", Reading(asks="menu")) is None
    assert shown_dialog("coder0", "7.8", Reading()) is None


def test_the_marks_are_pieces_of_the_screen_that_tmux_reads_as_they_are() -> None:
    lines = ("╭─────╮", "│ Run git push #{pane_id} --force, now?", "  rm -rf /tmp/a*b", "  2. Yes", "")
    screen = Screen(lines=lines, styled=lines, cursor=(0, 0), title="", width=80, height=5)
    shown = dialog(YES, NO, question="Run git push #{pane_id} --force, now?\nrm -rf /tmp/a*b\nwrapped elsewhere")
    assert marks(screen, shown) == ("rm -rf /tmp/a", "Run git push", "--force", "pane_id", "Yes", "now")


def test_the_marks_are_of_any_script_and_there_may_be_none() -> None:
    lines = ("要运行吗?", "1. 继续", "2. Нет", "3. ok", "4. +")
    screen = Screen(lines=lines, styled=lines, cursor=(0, 0), title="", width=80, height=5)
    labels = [Choice(label=label) for label in ("继续", "Нет", "ok", "+")]
    assert marks(screen, dialog(*labels, question="要运行吗?")) == ("要运行吗", "Нет", "继续")
    assert marks(screen, dialog(*labels[2:], question="??")) == ()


TRUST = ShownDialog(
    case="1a2b3c4d",
    kind=AttentionKind.TRUST,
    question="Accessing workspace:\n /srv/work \nQuick safety check: is this yours, in /srv/work or not?",
    choices=(YES, NO),
    takes_text=False,
)


@pytest.mark.parametrize(
    ("row", "shown", "folder"),
    [
        ("another question", WHOLE, "/srv/work"),
        ("another question", dialog(YES, NO, question="Run it?\n/srv/work"), "/srv/work"),
        ("no folder", replace(TRUST, question="Do you trust this folder?"), "/srv/work"),
        ("no folder", replace(TRUST, question="Do you trust /srv/work ?"), "/srv/work"),
        ("another folder", TRUST, "/srv"),
        ("another folder", TRUST, "/srv/work/deep"),
        ("another folder", replace(TRUST, question="/srv/work\n/srv"), "/srv/work"),
        ("another folder", replace(TRUST, question="~/work"), "/home/me/work"),
        ("its own folder", TRUST, "/srv/work"),
    ],
)
def test_the_rule_speaks_for_its_own_folder_alone(row: str, shown: ShownDialog, folder: str) -> None:
    found = first_match(AGAINST, TrustAsked(dialog=shown, folder=folder))
    assert found.name == row
    assert (objection(shown, folder) == "") is (row == "its own folder")


@pytest.mark.parametrize("frame", captures.frames(), ids=str)
def test_a_dialog_is_listed_under_the_id_by_which_it_is_answered(frame: captures.Frame) -> None:
    reading = program(frame.program).read(frame.screen)
    shown = shown_dialog("coder0", "7.8", reading)
    view = make.view(
        "coder0", session="alive", life="7.8", readiness=Readiness.WAITING if reading.asks else Readiness.AVAILABLE,
        waiting=reading.asks, question=reading.question, choices=reading.choices, takes_text=reading.takes_text,
    )  # fmt: skip
    listed = case_of(view, now=0.0)
    assert (listed.id if listed is not None else None) == (shown.case if shown is not None else None)
    if shown is not None:
        assert all(mark in "\n".join(frame.screen.lines) for mark in marks(frame.screen, shown))
