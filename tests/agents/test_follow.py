"""What is new on a screen: told once, in order, and not before it has come to rest."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from reconciler.terminal.new_lines import SETTLED, Follower

HEIGHT = 5
SAY = st.text(alphabet="ab", min_size=1, max_size=2)  # often the same


class Pane:
    """A log that scrolls by, and what a look sees of it."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self._top = max(0, len(self.lines) - HEIGHT)
        self.follower = Follower(self.screen)

    @property
    def screen(self) -> list[str]:
        return self.lines[-HEIGHT:]

    def look(self) -> list[str]:
        window = self.lines[self._top :]
        self._top = max(0, len(self.lines) - HEIGHT)
        return self.follower.look(window, self.screen)

    def settle(self) -> list[str]:
        return [line for _ in range(SETTLED) for line in self.look()]


@given(st.lists(SAY, max_size=8), st.lists(st.lists(SAY, max_size=12), max_size=8))
def test_a_log_is_told_whole_and_in_order(before: list[str], bursts: list[list[str]]) -> None:
    pane = Pane(*before)
    told = []
    for burst in bursts:
        pane.lines += burst
        told += pane.look()
    told += pane.settle()
    assert told == [line for burst in bursts for line in burst]
    assert pane.settle() == pane.follower.end() == []


@given(st.lists(st.lists(st.sampled_from(["", "a", "b", "c", "dd"]), max_size=6), max_size=8))
def test_whatever_is_drawn_nothing_empty_begins_or_ends_the_news(screens: list[list[str]]) -> None:
    follower = Follower(["start"])
    for screen in screens:
        news = follower.look(screen, screen)
        assert not news or (news[0] and news[-1])
        assert set(news) <= set(screen)


def look(follower: Follower, screen: Sequence[str], times: int = 1) -> list[str]:
    return [line for _ in range(times) for line in follower.look(screen, screen)]


def test_a_spinner_and_a_half_written_answer_are_not_told() -> None:
    follower = Follower(["> do it", "", "prompt"])
    for at in range(10):
        assert look(follower, ["> do it", "", f"answer {'x' * at}", f"working {at} s", "prompt"]) == []
    done = ["> do it", "", "answer xxxxxxxxx and an end", "", "prompt"]
    assert look(follower, done, SETTLED) == ["answer xxxxxxxxx and an end"]


def test_what_a_dialog_covered_is_not_told_again() -> None:
    screen = ["one", "two", "three", "four", "prompt"]
    dialog = ["one", "+---+", "|yes|", "+---+", "prompt"]
    follower = Follower(screen)
    assert look(follower, dialog, SETTLED + 1) == ["+---+", "|yes|", "+---+"]
    assert look(follower, screen, SETTLED + 1) == []
    assert look(follower, dialog, SETTLED + 1) == []


def test_what_is_further_up_than_the_screen_was_is_no_news() -> None:
    follower = Follower(["c", "d"])
    assert follower.look(["a", "b", "c", "d", "e"], ["d", "e"], aligned=False) == []
    assert look(follower, ["d", "e"], SETTLED) == ["e"]


def test_the_end_of_a_line_that_began_above_the_screen_is_part_of_it() -> None:
    follower = Follower(["prompt"])
    window = ["prompt", "a long line that is wrapped", "next"]
    assert follower.look(window, ["that is wrapped", "next"]) == []
    assert look(follower, ["that is wrapped", "next"], SETTLED) == ["next"]
    assert follower.end() == []


def test_of_the_empty_lines_between_two_one_is_kept() -> None:
    follower = Follower([])
    assert look(follower, ["", "a", "", "", "b", ""], SETTLED) == ["a", "", "b"]
