"""Senders that are ended between what they type and the submit key; and what the next one makes of that."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from providers.processes.process import Finished
from providers.programs.base import Plain
from providers.tmux.pane_input import Panes, PaneState, Where
from reconciler.delivery import typed_text
from tests.delivery.bench import FakeAgent, agent
from tests.delivery.scenarios_send import ODD, result, text
from tests.hosts.waiting import eventually


class Dying(Panes):
    """Its sender ends right before, or right after, a call of a kind; `leaves`: with the text in a buffer."""

    def __init__(self, before: str = "", after: str = "", *, leaves: str = "") -> None:
        super().__init__(os.environ)
        self.before, self.after, self.leaves = before, after, leaves

    def paste(self, where: Where, pane: PaneState, data: bytes, *, shows: Sequence[str] = ()) -> bool:
        _killed(self.before == "paste")
        if self.leaves:
            self._run(where, ["load-buffer", "-b", self.leaves, "-"], data)
            raise _Killed
        done = super().paste(where, pane, data, shows=shows)
        _killed(self.after == "paste")
        return done

    def key(self, where: Where, pane: PaneState, key: str, *, shows: Sequence[str] = ()) -> bool:
        _killed(self.before == key)
        done = super().key(where, pane, key, shows=shows)
        _killed(self.after == key)
        return done


class _Killed(BaseException):
    """The sender ends here, without a word."""


def _killed(now: bool) -> None:
    if now:
        raise _Killed


def _dies(fake: FakeAgent, body: str, **options: Any) -> None:
    panes = Dying(**options.pop("at"))
    try:
        fake.send(body, panes=panes, **options)
    except _Killed:
        return
    raise AssertionError("it was not killed")


_CLEARED = "what was typed before and never submitted was cleared first"


def check_what_a_killed_sender_has_typed_is_cleared_first() -> None:
    for body in ("hello", ODD["several lines"], "/reset", "?!", ODD["mention"]):
        with agent() as fake:
            _dies(fake, body, at={"after": "paste"}, as_is=body == "/reset")
            result(fake.send(text("next")), "delivered", "pane", reason=_CLEARED)
            assert fake.got() == [text("next")]
            result(fake.send(text("more")), "delivered", "pane", reason="")
    with agent("fold") as fake:
        _dies(fake, text(ODD["several lines"]), at={"before": "Enter"})
        result(fake.send(text("next")), "delivered", "pane", reason=_CLEARED)
        assert fake.got() == [text("next")]


def check_a_sender_that_is_killed_elsewhere_leaves_nothing_in_the_way() -> None:
    for at in ({"before": "paste"}, {"after": "Enter"}, {"leaves": "mosaic-coder0:1"}):
        with agent() as fake:
            _dies(fake, text("hello"), at=at)
            eventually(lambda: "hello" in fake.screen() or "after" not in at, timeout=90)  # noqa: B023 - asked at once
            result(fake.send(text("next")), "delivered", "pane", reason="")
            assert fake.got() == [*([text("hello")] if "after" in at else []), text("next")]
            assert fake.tmux("list-buffers") == ""


def check_what_was_submitted_just_now_is_not_called_cleared() -> None:
    """The sender is killed behind its Enter, and the text stands in the composer for as long as its program needs."""
    with agent("dawdles") as fake:
        _dies(fake, text("hello"), at={"after": "Enter"})
        result(fake.send(text("next")), "delivered", "pane", reason="")
        assert fake.got() == [text("hello"), text("next")]


def check_what_was_submitted_in_vain_is_cleared() -> None:
    vars(typed_text)["PASTE_MAX_S"] = 1.0  # so long it is waited for
    with agent("deaf") as fake:
        _dies(fake, text("hello"), at={"after": "Enter"})
        result(fake.send(text("next")), "delivered", "pane", reason=_CLEARED)
        assert fake.got() == [text("next")]


class Counted(Panes):
    """Its sender ends at its nth call of tmux, `after` it or before."""

    def __init__(self, at: int, *, after: bool) -> None:
        super().__init__(os.environ)
        self.left, self.after = at, after

    def _run(self, where: Where, argv: Sequence[str], data: bytes = b"") -> Finished:
        self.left -= 1
        _killed(self.left == 0 and not self.after)
        done = super()._run(where, argv, data)
        _killed(self.left == 0)
        return done


def check_killed_at_every_call_and_never_two_in_one() -> None:
    vars(typed_text)["PASTE_MAX_S"] = 1.0  # the program shows at once what it is given
    for after in (False, True):
        at, ended = 0, False
        while not ended:
            at += 1
            with agent() as fake:
                try:
                    fake.send(text("hello"), panes=Counted(at, after=after), verify=False)
                    ended = True
                except _Killed:
                    pass
                found = fake.send(text("next"))
                assert (found.word, found.evidence) == ("delivered", "pane"), (at, after, found)
                assert fake.got() in ([text("next")], [text("hello"), text("next")]), (at, after, fake.got())
                assert fake.tmux("list-buffers") == "", (at, after)
        assert at > 5


def check_clearing_may_be_interrupted_too() -> None:
    with agent() as fake:
        _dies(fake, text(ODD["several lines"]), at={"after": "paste"})
        for _ in range(3):
            _dies(fake, text("other"), at={"after": "C-u"})
        result(fake.send(text("next")), "delivered", "pane", reason=_CLEARED)
        assert fake.got() == [text("next")]


def check_what_cannot_be_cleared_is_left_to_a_person() -> None:
    with agent("keeps") as fake:
        _dies(fake, "/reset", at={"after": "paste"}, as_is=True)
        found = fake.send(text("next"))
        reason = "the command /reset was typed into its composer and never submitted, and is still there"
        result(found, "not-delivered", reason=reason)
        assert "next" not in fake.screen()
        fake.tmux("send-keys", "-t", "=coder0:", "Enter")  # a person submits it
        eventually(lambda: fake.got() == ["/reset"], timeout=90)
        result(fake.send(text("next")), "delivered", "pane", reason="")


def check_a_persons_words_behind_it_are_not_cleared() -> None:
    with agent() as fake:
        _dies(fake, text("hello"), at={"after": "paste"})
        fake.tmux("send-keys", "-t", "=coder0:", "-l", " and a thought of mine")
        result(fake.send(text("next")), "not-delivered", reason="a person's draft stands in its composer")
        assert "a thought of mine" in fake.screen()
    with agent() as fake:
        _dies(fake, text("hello"), at={"after": "paste"})
        fake.tmux("send-keys", "-t", "=coder0:", "C-u")
        fake.tmux("send-keys", "-t", "=coder0:", "-l", "my own draft")
        eventually(lambda: "my own draft" in fake.screen() and "hello" not in fake.screen(), timeout=90)
        result(fake.send(text("next")), "not-delivered", reason="a person's draft stands in its composer")


def check_another_process_knows_nothing_of_it() -> None:
    with agent() as fake:
        _dies(fake, text("hello"), at={"after": "paste"})
        fake.tmux("respawn-pane", "-k", "-t", "=coder0:")
        eventually(lambda: "hello" not in fake.screen() and fake.screen().strip(), timeout=90)
        result(fake.send(text("next")), "delivered", "pane", reason="")


def check_a_program_that_nobody_knows_is_cleared_on_its_line_only() -> None:
    with agent() as fake:
        fake.tmux("respawn-pane", "-k", "-t", "=coder0:", "exec -a fake.py cat")
        plain = Plain("fake")
        shell = fake.as_agent(process_names=("cat", "fake.py"))
        eventually(
            lambda: fake.tmux("display-message", "-p", "-t", "=coder0:", "#{pane_dead}").strip() == "0", timeout=90
        )
        _dies(fake, "/reset", at={"after": "paste"}, as_is=True, program=plain, agent=shell)
        found = fake.send(text("next"), program=plain, agent=shell, verify=False)
        result(found, "sent", reason=_CLEARED)
        eventually(lambda: fake.screen().count("next") == 2, timeout=90)
        assert "/reset" not in fake.screen()
        _dies(fake, "/reset", at={"after": "paste"}, as_is=True, program=plain, agent=shell)
        fake.tmux("send-keys", "-t", "=coder0:", "-l", " now")
        eventually(lambda: "/reset now" in fake.screen(), timeout=90)
        found = fake.send(text("more"), program=plain, agent=shell, verify=False)
        assert (found.word, found.reason.endswith("with more behind it")) == ("not-delivered", True), found
