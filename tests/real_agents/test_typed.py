"""What a killed sender has typed into the four real programs is taken out before anything else is typed."""

from __future__ import annotations

import sys

import pytest

from tests.delivery.test_typed_on_hosts import CLEARED, KILLED
from tests.hosts.namespace import CHECKOUT
from tests.real_agents.bench import RealFleet
from tests.real_agents.test_delivery import EACH, SEVERAL, WORDS, Answer, Talk


@pytest.fixture(scope="module")
def talk(fleet: RealFleet) -> Talk:
    fleet.commit("Only the four", {"shared": "stopped"})
    fleet.reconcile().assert_converged()
    fleet.wait_until_ready(EACH)
    return Talk(fleet=fleet)


def killed(talk: Talk, *words: str) -> None:
    argv = [sys.executable, "-c", KILLED, "key", "agent", *words]
    done = talk.fleet.host.run(argv, env={"PYTHONPATH": str(CHECKOUT)}, check=False, timeout=120)
    assert done.returncode in (-9, 137), done.stderr


@pytest.mark.parametrize("agent", EACH)
@pytest.mark.parametrize("text", ["One line.", "Two of them,\nand the second one is long enough to be known.", SEVERAL])
def test_a_message(talk: Talk, agent: str, text: str) -> None:
    talk.ready(agent)
    killed(talk, "send", agent, "-m", text)
    talk.fleet.until(agent, lambda seen: seen.composer == "draft")
    answer = talk.send(agent, "What comes next.")
    answer.is_("delivered", WORDS[agent])
    assert answer.document["reason"] == CLEARED
    talk.arrives(answer)
    assert talk.came_in(Answer(agent=agent, text=text, code=0, document={})) == 0


@pytest.mark.parametrize("agent", EACH)
def test_a_reset(talk: Talk, agent: str) -> None:
    talk.ready(agent)
    before = talk.send(agent, "Remember this.")
    talk.arrives(before)
    talk.ready(agent)
    killed(talk, "reset", agent, "--force")
    talk.fleet.until(agent, lambda seen: seen.composer == "draft" or seen.asks == "menu")
    answer = talk.send(agent, "What comes next.")
    answer.is_("delivered", WORDS[agent])
    assert answer.document["reason"] == CLEARED
    talk.arrives(answer)
    assert talk.came_in(before) == 1  # the conversation went on
