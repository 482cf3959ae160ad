"""Answers to a fake program in a real tmux. Each runs in a private host: `python -m tests.answering.inside NAME`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence
from functools import partial

from providers.tmux.pane_input import Panes, PaneState, Where
from reconciler.answering.answer import answer
from reconciler.answering.verdict import DialogAnswer
from reconciler.model import Readiness
from reconciler.run.trust_round import TrustRound, run_round
from specs.dataclass import replace
from tests import builders as make
from tests.answering.bench import FakeAgent, FakeProgram, asking, dialog
from tests.hosts.waiting import eventually
from tests.launch.bench import make_fleet


def result(found: DialogAnswer, word: str, **more: object) -> None:
    shown = {name: getattr(found, name) for name in more}
    assert (found.word, shown) == (word, more), found


def check_a_choice_is_pressed_once_and_the_next_state_is_said() -> None:
    with asking(dialog(), dialog("arrows slow", "Run git pull?"), dialog("arrows", "Delete it?")) as agent:
        first = agent.answer("deny")
        result(first, "answered", pressed="No", now="it shows another dialog")
        assert first.then is not None
        assert first.then.question == "Run git pull?"
        second = agent.answer("choose", 2, case=first.then.case)
        result(second, "answered", pressed="No")
        third = agent.answer("allow")
        result(third, "answered", pressed="Yes", now="it waits for its next message", then=None)
        assert agent.keys() == [[0, "2"], [1, "Down"], [1, "Enter"], [2, "Enter"]]
        result(agent.answer("allow"), "no-dialog", reason="its screen shows no dialog that is known")
        assert len(agent.keys()) == 4


def check_only_the_listed_case_is_answered() -> None:
    with asking(dialog(), dialog(question="Run git pull?")) as agent:
        before = agent.answer("choose", 9)
        result(before, "not-answered", reason="it has no choice 9")
        assert before.dialog is not None
        os.kill(agent.pid, signal.SIGUSR1)
        eventually(lambda: "git pull" in agent.screen(), timeout=60, what="the next dialog")
        changed = agent.answer("allow", case=before.dialog.case)
        result(changed, "changed", pressed="")
        assert changed.dialog is not None
        assert changed.dialog.question == "Run git pull?"
        assert agent.keys() == []


class Late(Panes):
    """The program shows its next dialog after the last look, and before the key."""

    def __init__(self, agent: FakeAgent, *, at: int = 1) -> None:
        super().__init__(os.environ)
        self.agent, self.at, self.pressed = agent, at, 0

    def key(self, where: Where, pane: PaneState, key: str, *, shows: Sequence[str] = ()) -> bool:
        self.pressed += 1
        if self.pressed == self.at:
            os.kill(self.agent.pid, signal.SIGUSR1)
            eventually(lambda: "git pull" in self.agent.screen(), timeout=60, what="the next dialog")
        return super().key(where, pane, key, shows=shows)


def check_a_key_never_goes_into_another_dialog() -> None:
    with asking(dialog(), dialog(question="Run git pull?")) as agent:
        result(agent.answer("allow", panes=Late(agent)), "changed", pressed="")
        assert agent.keys() == []
    with asking(dialog("arrows"), dialog("arrows", "Run git pull?")) as agent:
        found = agent.answer("deny", panes=Late(agent, at=2))
        why = "the dialog was gone before the last of its keys, and it is not known who answered it"
        result(found, "unconfirmed", now="it shows another dialog", reason=why)
        assert agent.keys() == [[0, "Down"]]


def check_a_typed_text_is_not_sent_into_another_dialog() -> None:
    with asking(dialog("text", "Which branch?", choices=[]), dialog("arrows", "Run git pull?")) as agent:
        found = agent.answer("text", text="main", panes=Late(agent))
        result(found, "unconfirmed", now="it shows another dialog")  # it was typed: nobody is told that nothing was
        assert agent.keys() == [[0, "main"]]


def check_a_dialog_in_any_script_is_compared_and_one_of_signs_is_left_alone() -> None:
    choices = [["继续", "allow"], ["Нет", "deny"]]
    with asking(
        dialog(question="要运行吗?", choices=choices), dialog("digit", "??", choices=[["+", "allow"], ["-", "deny"]])
    ) as agent:
        result(agent.answer("deny"), "answered", pressed="Нет", now="it shows another dialog")
        unmarked = agent.answer("allow")
        result(unmarked, "not-answered", reason="none of its text can be compared in the moment of a key")
        assert agent.keys() == [[0, "2"]]


def check_two_answers_to_one_case_press_once() -> None:
    with asking(dialog("digit slow"), dialog(question="Run git pull?")) as agent:
        shown = agent.answer("choose", 9).dialog
        assert shown is not None
        found: list[DialogAnswer] = []
        both = [threading.Thread(target=lambda: found.append(agent.answer("allow", case=shown.case))) for _ in "ab"]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert sorted(one.word for one in found) == ["answered", "changed"], found
        assert agent.keys() == [[0, "1"]]


def check_a_program_that_ignores_it_gets_one_key() -> None:
    with asking(dialog("ignores")) as agent:
        result(agent.answer("allow", verify_s=1.0), "unconfirmed", reason="the dialog is still shown")
        assert agent.keys() == [[0, "1"]]


def check_a_text_goes_into_a_field_and_nowhere_else() -> None:
    with asking(dialog("text", "Which branch?", choices=[]), dialog()) as agent:
        result(agent.answer("text", text="main"), "answered", now="it shows another dialog")
        assert agent.keys() == [[0, "main"], [0, "Enter"]]
        result(agent.answer("text", text="1"), "not-answered")
        assert len(agent.keys()) == 2


def check_an_answer_may_end_the_program() -> None:
    with asking(dialog("digit ends", kind="trust")) as agent:
        result(agent.answer("deny"), "answered", now="its program has ended")
        result(agent.answer("deny"), "no-dialog", reason="its program has ended")


def check_nothing_is_pressed_where_somebody_reads_or_all_is_paused() -> None:
    with asking(dialog()) as agent:
        agent.tmux("copy-mode", "-t", "=coder0:")
        result(agent.answer("allow"), "not-answered", reason="its pane is in copy mode: somebody is reading there")
        agent.tmux("send-keys", "-t", "=coder0:", "-X", "cancel")
        paused = f"{agent.facts.run_dir}/PAUSED"
        os.makedirs(agent.facts.run_dir, exist_ok=True)
        with open(paused, "w") as file:
            file.write("lunch\n")
        result(agent.answer("allow"), "not-answered", way="mosaic fleet resume")
        os.unlink(paused)
        assert agent.keys() == []


def check_a_server_that_hangs_is_not_waited_for() -> None:
    with asking(dialog()) as agent:
        server = int(agent.tmux("display-message", "-p", "#{pid}"))
        os.kill(server, signal.SIGSTOP)
        try:
            found = agent.answer("allow", panes=Panes(os.environ, timeout_s=0.3))
        finally:
            os.kill(server, signal.SIGCONT)
        result(found, "not-answered", reason="tmux did not end within 0.3 s")


def check_the_rule_answers_for_the_agents_own_folder_once() -> None:
    trust = {"kind": "trust", "question": "Do you trust this folder?\n/tmp"}
    with asking(dialog("digit", **trust), dialog(), dialog("ignores", **trust)) as agent:
        view = make.view(
            agent.agent.name, session="alive", readiness=Readiness.WAITING, waiting="trust", agent_class="coder"
        )
        fleet = replace(make_fleet(agent.agent), name="demo", trusts={"coder": True})
        by = TrustRound(
            fleet=fleet, views={view.name: view}, facts=agent.facts, store=agent.store, suspended={},
            source="reconcile", over=lambda: False, now=make.NOW, answer=partial(answer, program=FakeProgram()),
        )  # fmt: skip
        assert run_round(by) == ("coder0",)
        assert run_round(by) == ()  # a permission by now, whatever the run has seen
        assert agent.keys() == [[0, "1"]]
        os.kill(agent.pid, signal.SIGUSR1)
        eventually(lambda: "trust" in agent.screen(), timeout=60, what="the next dialog")
        assert run_round(by) == ()  # the same text of the same process: it may be the first one still
        assert agent.keys() == [[0, "1"]]


SCENARIOS = {name[6:]: value for name, value in vars().items() if name.startswith("check_")}

if __name__ == "__main__":
    SCENARIOS[sys.argv[1]]()
