"""Messages to a program that behaves, and to one that does not: what is answered, and what really arrived."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from providers.programs.base import Plain
from providers.tmux.pane_input import Panes, PaneState, Where
from reconciler.delivery.text import clean, compose
from reconciler.delivery.verdict import Delivery
from tests.delivery.bench import FLEET, FakeAgent, agent
from tests.hosts.waiting import eventually

ODD = {
    "one line": "status check",
    "several lines": "\n".join(f"line {number} of it" for number in range(31)),
    "long": "\n".join(f"{number:6} is a line of a very long message" for number in range(3000)),
    "one long line": "word " * 4000,
    "unicode": "Grüße, 世界, \U0001f469\u200d\U0001f4bb café שלום ...",
    "keys": "C-c Enter Escape q",
    "leading dash": "-t foo -- --help",
    "semicolon": "echo done; ls ;",
    "backslash": "a path that ends in C:\\",
    "mention": "look at @src/main.py",
    "formats": "#{pane_id} #(touch /tmp/x) $HOME `id` '\"",
    "only signs": "!?!",
    "tab": "a\tb",
}


def text(body: str) -> str:
    return compose(clean(body), sender="build-1:operator", recipient="build-1:coder0")


def result(found: Delivery, word: str, evidence: str = "", **more: object) -> None:
    shown = {name: getattr(found, name) for name in more}
    assert (found.word, found.evidence, shown) == (word, evidence, more), found


def check_every_kind_of_text_arrives_once_and_whole() -> None:
    with agent() as fake:
        for name, body in ODD.items():
            result(fake.send(text(body)), "delivered", "pane")
            assert fake.got()[-1].removesuffix(" ") == text(body).removesuffix(" "), name
        assert len(fake.got()) == len(ODD)
        assert fake.tmux("list-buffers") == ""


def check_control_characters_do_nothing() -> None:
    with agent() as fake:
        body = "one\x03\x1b[201~\rtwo\x04\x15 \x1b[31mred\x1b[0m\x00 \x1b]0;title\x07three\n\n"
        result(fake.send(text(body)), "delivered", "pane")
        assert fake.got() == [text("one\ntwo red three")]


def check_a_folded_paste_is_known_by_its_placeholder() -> None:
    with agent("fold") as fake:
        for _ in range(2):
            result(fake.send(text(ODD["several lines"])), "delivered", "pane")
        assert fake.got() == [text(ODD["several lines"])] * 2


def check_a_receipt_is_better_than_the_screen() -> None:
    with agent("late", receipts=True) as fake:
        result(fake.send(text("hello")), "delivered", "api")
        assert not Path(fake.facts.runtime_dir, "mosaic/await/coder0").exists()
    with agent("swallow", receipts=True) as fake:
        result(fake.send(text("hello"), timeout_s=1.0), "unconfirmed")


def check_the_record_of_turns_is_evidence() -> None:
    with agent("busy late") as fake:
        result(fake.send(text("hello")), "delivered", "status-file")


def check_a_busy_program_queues() -> None:
    with agent("queue") as fake:
        result(fake.send(text("hello")), "delivered", "pane", queued=True)
        result(fake.send(text("hello again")), "delivered", "pane", queued=True)
    with agent("queue", receipts=True) as fake:
        assert fake.send(text("hello")).queued


def check_a_lost_enter_is_pressed_again_and_the_text_is_not() -> None:
    with agent("deaf") as fake:
        result(fake.send(text("hello")), "delivered", "pane")
        assert fake.got() == [text("hello")]
    with agent("stone") as fake:
        found = fake.send(text("hello"), timeout_s=4.0)
        result(found, "unconfirmed", reason="it stands unsent in its composer")
        assert fake.screen().count("operator") == 1
        result(fake.send(text("again"), timeout_s=4.0), "unconfirmed", reason="it stands unsent in its composer")
        assert fake.screen().count("operator") == 1  # what stood there was cleared first


def check_what_is_not_submitted_is_never_called_delivered() -> None:
    with agent("swallow") as fake:
        result(fake.send(text("hello"), timeout_s=1.0), "unconfirmed")
    with agent("lost") as fake:
        reason = "its composer never showed the message, so it was not submitted"
        result(fake.send(text("hello")), "unconfirmed", reason=reason)
    with agent("die") as fake:
        reason = "its program ended when the message was submitted"
        result(fake.send(text("hello")), "unconfirmed", reason=reason)


def check_a_dialog_is_never_answered() -> None:
    with agent("dialog") as fake:
        reason = "it began to wait for a person (permission), so the message was put in and not submitted"
        result(fake.send(text("hello")), "unconfirmed", reason=reason)
        assert "approved" not in fake.screen()
    with agent("asks") as fake:
        result(fake.send(text("hello")), "not-delivered", reason="it waits for a person (permission)")
        assert "hello" not in fake.screen()


def check_a_persons_words_are_not_sent_along() -> None:
    with agent("draft") as fake:
        result(fake.send(text("hello")), "not-delivered", reason="a person's draft stands in its composer")
        assert "hello" not in fake.screen()
    with agent("mixed") as fake:
        reason = "something else came into its composer beside the message, which was not submitted"
        result(fake.send(text("hello")), "unconfirmed", reason=reason)
        assert fake.got() == []


def check_copy_mode_is_left_alone() -> None:
    with agent() as fake:
        fake.tmux("copy-mode", "-t", "=coder0:")
        result(fake.send(text("hello")), "not-delivered", reason="its pane is in copy mode")
        fake.tmux("send-keys", "-t", "=coder0:", "-X", "cancel")
        assert "hello" not in fake.screen()
        result(fake.send(text("hello")), "delivered", "pane")


def check_only_a_living_pane_of_its_own_is_written_to() -> None:
    with agent() as fake:
        other = fake.as_agent(name="coder", session="coder")
        result(fake.send(text("hello"), agent=other), "not-delivered", reason="it has no session")
        other = fake.as_agent(name="coder1")  # in a session of that name lives another one of the fleet
        result(fake.send(text("hello"), agent=other), "not-delivered", reason="it has no session")
        reason = "a tmux session of its name exists that is not this fleet's"
        fake.tmux("new-session", "-d", "-s", "person", "cat")
        other = fake.as_agent(name="coder1", session="person")
        result(fake.send(text("hello"), agent=other), "not-delivered", reason=reason)
        assert "hello" not in fake.tmux("capture-pane", "-p", "-t", "=person:")
        other = fake.as_agent(process_names=("claude",), runtime="claude")
        result(fake.send(text("hello"), agent=other), "not-delivered")
        assert "not claude" in fake.send(text("hello"), agent=other).reason
        other = fake.as_agent(socket="elsewhere")
        result(fake.send(text("hello"), agent=other), "not-delivered", reason="it has no session")
        fake.tmux("set-option", "-t", "=coder0:", "@mosaic_fleet", f"{FLEET}2")
        result(fake.send(text("hello")), "not-delivered", reason=reason)
        assert fake.got() == []
        assert "hello" not in fake.screen()
    with agent("die") as fake:
        fake.tmux("send-keys", "-t", "=coder0:", "Enter")
        eventually(lambda: "1" in fake.tmux("display-message", "-p", "-t", "=coder0:", "#{pane_dead}"), timeout=90)
        result(fake.send(text("hello")), "not-delivered", reason="its program has ended")


def check_a_pane_that_was_split_is_still_known() -> None:
    with agent() as fake:
        fake.tmux("split-window", "-t", "=coder0:", "cat")
        fake.tmux("new-window", "-t", "=coder0:", "cat")
        result(fake.send(text("hello")), "delivered", "pane")
        assert fake.got() == [text("hello")]


def check_a_program_that_nobody_knows_is_sent_to_and_nothing_is_claimed() -> None:
    with agent() as fake:
        found = fake.send(text("hello"), program=Plain("fake"), timeout_s=1.0)
        result(found, "unconfirmed")
        result(fake.send(text("more"), program=Plain("fake"), verify=False), "sent")
        fake.send(text("last"), timeout_s=10.0)
        assert fake.got() == [text("hello"), text("more"), text("last")]


def check_without_verify_it_is_sent() -> None:
    with agent("late") as fake:
        result(fake.send(text("hello"), verify=False), "sent")
    with agent("stone") as fake:
        result(fake.send(text("hello"), verify=False), "unconfirmed", reason="it stands unsent in its composer")


def check_two_senders_at_once() -> None:
    with agent() as fake:
        found: list[Delivery] = []
        bodies = [f"{number}: " + ODD["several lines"] for number in range(4)]
        threads = [threading.Thread(target=_send_into, args=(fake, body, found)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [one.word for one in found] == ["delivered"] * 4, found
        assert sorted(fake.got()) == sorted(text(body) for body in bodies)


def _send_into(fake: FakeAgent, body: str, found: list[Delivery]) -> None:
    found.append(fake.send(text(body)))


def check_a_lock_that_is_held_is_told_with_its_holder() -> None:
    with agent("stone") as fake:
        thread = threading.Thread(target=fake.send, args=(text("one"),), kwargs={"timeout_s": 8.0})
        thread.start()
        eventually(lambda: "one" in fake.screen(), timeout=90)
        found = fake.send(text("two"), lock_s=0.2)
        thread.join()
        result(found, "not-delivered")
        assert found.reason.startswith(f"another message is on its way to it: pid {os.getpid()}"), found


def check_a_hung_server_ends_in_time() -> None:
    with agent() as fake:
        pid = int(fake.tmux("display-message", "-p", "#{pid}"))
        os.kill(pid, signal.SIGSTOP)
        try:
            found = fake.send(text("hello"), panes=Panes(os.environ, timeout_s=0.3))
        finally:
            os.kill(pid, signal.SIGCONT)
        result(found, "not-delivered", reason="tmux did not end within 0.3 s")
        result(fake.send(text("more")), "delivered", "pane")
        assert fake.got() == [text("more")]
        assert fake.tmux("list-buffers") == ""


class Hanging(Panes):
    """Its server stops right before, or right after, the nth call of a kind."""

    def __init__(self, fake: FakeAgent, before: str = "", after: str = "") -> None:
        super().__init__(os.environ, timeout_s=3.0)
        self.server = int(fake.tmux("display-message", "-p", "#{pid}"))
        self.before, self.after = before, after

    def paste(self, where: Where, pane: PaneState, data: bytes, *, shows: Sequence[str] = ()) -> bool:
        self._stop(self.before == "paste")
        done = super().paste(where, pane, data, shows=shows)
        self._stop(self.after == "paste")
        return done

    def key(self, where: Where, pane: PaneState, key: str, *, shows: Sequence[str] = ()) -> bool:
        self._stop(self.before == "key")
        done = super().key(where, pane, key, shows=shows)
        self._stop(self.after == "key")
        return done

    def _stop(self, now: bool) -> None:
        if now:
            os.kill(self.server, signal.SIGSTOP)


def check_a_server_that_hangs_on_the_way_leaves_it_unconfirmed() -> None:
    for options in ({"before": "paste"}, {"after": "paste"}, {"before": "key"}, {"after": "key"}):
        with agent() as fake:
            panes = Hanging(fake, **options)
            try:
                result(fake.send(text("hello"), panes=panes, timeout_s=1.0), "unconfirmed")
            finally:
                os.kill(panes.server, signal.SIGCONT)
            eventually(lambda: fake.tmux("list-buffers") == "", timeout=90)  # asked at once
            assert fake.got() in ([], [text("hello")])


def check_a_buffer_never_stays_behind() -> None:
    with agent() as fake:
        panes = Panes(os.environ)
        where = Where(socket=fake.socket, session="coder0", agent="coder0", fleet=FLEET)
        pane = panes.state(where)
        assert pane.found == "pane"
        fake.tmux("copy-mode", "-t", "=coder0:")
        assert not panes.paste(where, pane, b"secret")
        assert not panes.key(where, pane, "Enter")
        fake.tmux("send-keys", "-t", "=coder0:", "-X", "cancel")
        fake.tmux("set-option", "-p", "-t", "=coder0:", "@mosaic_pane", "coder1")
        assert not panes.paste(where, pane, b"secret")
        assert not panes.key(where, pane, "Enter")
        assert panes.shot(where, pane) == (PaneState(found="foreign"), None)
        fake.tmux("kill-session", "-t", "=coder0", ";", "new-session", "-d", "-s", "other")
        assert not panes.paste(where, pane, b"secret")
        assert panes.shot(where, pane)[1] is None
        assert fake.tmux("list-buffers") == ""


def check_nothing_is_delivered_while_the_fleet_is_paused() -> None:
    with agent() as fake:
        paused = Path(fake.facts.run_dir, "PAUSED")
        paused.write_text("a storm\n")
        found = fake.send(text("hello"))
        paused.unlink()
        result(found, "not-delivered", reason="the fleet is paused: a storm")
        assert "hello" not in fake.screen()
