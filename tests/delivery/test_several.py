"""`mosaic agent send` to several: who gets it, and what is answered for each."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from providers.machine.facts import gather
from reconciler.agents.lookup import receivers
from reconciler.commands import mosaic
from reconciler.commands.agent.send_several import worst
from reconciler.delivery.outbox import Outbox
from reconciler.delivery.remote_send import RemoteDelivery
from reconciler.delivery.verdict import Delivery
from reconciler.errors import NotFound, Unavailable
from reconciler.schemas.registry import schema_of
from reconciler.state.store import Store
from specs.compiled import Agent, Fleet, Peer
from tests.commands.calling import Said, call
from tests.commands.stored import stored
from tests.launch.bench import make_agent, make_fleet


def peer(name: str, agent_class: str = "code", **changes: Any) -> Peer:
    return Peer(name=name, agent_class=agent_class, runtime="stub", state="running", host="far", **changes)


FLEET = replace(
    make_fleet(
        make_agent("lead", agent_class="orchestrator"),
        make_agent("coder0", agent_class="code", groups=("day", "night")),
        make_agent("coder1", agent_class="code", groups=("night",)),
        make_agent("off", agent_class="code", state="stopped"),
        make_agent("gone", agent_class="ghost", state="absent"),
    ),
    name="demo",
    peers=(peer("far0", groups=("night",)), peer("far1", "review")),
)


@pytest.mark.parametrize(
    ("agent_class", "group", "caller", "names"),
    [
        (None, None, "", "coder0 coder1 far0 far1 lead"),
        (None, None, "lead", "coder0 coder1 far0 far1"),
        ("code", None, "", "coder0 coder1 far0"),
        ("code", None, "coder1", "coder0 far0"),
        (None, "night", "", "coder0 coder1 far0"),
        ("code", "day", "", "coder0"),
        ("review", None, "", "far1"),
    ],
)
def test_who_gets_it(agent_class: str | None, group: str | None, caller: str, names: str) -> None:
    found = receivers(FLEET, agent_class=agent_class, group=group, caller=caller)
    assert [one.name for one in found] == names.split()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"agent_class": "cod"}, 'no agent here has the class "cod"'),
        ({"agent_class": "ghost"}, 'no agent here has the class "ghost"'),
        ({"group": "dusk"}, 'no agent here has the group "dusk"'),
        ({"agent_class": "review", "caller": "far1"}, "no agent that is to run"),
    ],
)
def test_a_slip_is_not_an_empty_list(options: dict[str, str], words: str) -> None:
    with pytest.raises(NotFound, match=words):
        receivers(FLEET, **options)


@pytest.mark.parametrize(
    ("codes", "code"),
    [([0, 0], 0), ([0, 3], 3), ([3, 1, 0], 1), ([1, 3], 1), ([1, 69], 69), ([5, 69, 3], 69), ([0], 0)],
)
def test_the_exit_code_of_the_worst(codes: list[int], code: int) -> None:
    assert worst(codes) == code


class Hosts:
    """Stands in for the delivery on this host and on the other one."""

    def __init__(self) -> None:
        self.sent: dict[str, str] = {}
        self.local: dict[str, Delivery | Exception] = {}
        self.together = threading.Barrier(1)

    def here(self, agent: Agent, text: str, by: object, **options: Any) -> Delivery:
        del by, options
        self.together.wait(timeout=30)
        self.sent[agent.name] = text
        answer = self.local.get(agent.name, Delivery(word="delivered", evidence="hook"))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def there(self, fleet: Fleet, peer: Peer, text: str, **options: Any) -> RemoteDelivery | Delivery:
        self.together.wait(timeout=30)
        self.sent[peer.name] = f"{options['sender']} {text} {' '.join(options['options'])}"
        if peer.name == "far1":
            raise Unavailable("far cannot be reached", help="try it by hand")
        document = {
            "apiVersion": "mosaic.fleet/v1", "kind": "Delivery", "fleet": fleet.name, "tenant_id": "t",
            "host": "far", "agent": peer.name, "sender": options["sender"], "bytes": 1, "result": "sent",
            "evidence": None, "queued": False, "reason": None, "help": None, "id": None,
        }  # fmt: skip
        return RemoteDelivery(code=0, document=document, delivery=Delivery(word="sent"))


@pytest.fixture
def store(isolated: Path) -> Store:
    del isolated
    return stored(gather(os.environ), FLEET)


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch, store: Store) -> Hosts:
    del store
    made = Hosts()
    monkeypatch.setattr("reconciler.delivery.send.deliver", made.here)
    monkeypatch.setattr("reconciler.delivery.remote_send.send_elsewhere", made.there)
    return made


def send(*args: str) -> Said:
    return call(mosaic.command, "agent", "send", *args)


def document(said: Said) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.out)
    jsonschema.Draft202012Validator(schema_of("deliveries")).validate(found)
    return found


def test_each_has_its_own_answer_and_they_are_served_together(hosts: Hosts) -> None:
    hosts.together = threading.Barrier(5)  # passed only if nobody waits for another's answer
    hosts.local["coder1"] = Delivery(word="not-delivered", reason="its pane is in copy mode", way="leave it")
    hosts.local["lead"] = Unavailable("there is no place for the lock")
    said = send("--all", "-m", "hello")
    assert said.out.splitlines() == [
        "delivered to coder0 (evidence: hook)",
        "not-delivered to coder1: its pane is in copy mode",
        "sent to far0",
        "not-delivered to far1: far cannot be reached",
        "not-delivered to lead: there is no place for the lock",
    ]
    assert said.code == 69
    assert hosts.sent["coder0"] == "[build-1:operator -> build-1:coder0] hello"
    assert hosts.sent["far0"] == "build-1:operator hello "


def test_one_document_for_all(hosts: Hosts) -> None:
    hosts.local["coder0"] = Delivery(word="unconfirmed", reason="nobody knows")
    said = send("--group", "night", "-m", "hello", "-o", "json", "--verify")
    found = document(said)
    assert said.code == 3
    assert found["receivers"] == ["coder0", "coder1", "far0"]
    assert [(one["agent"], one["host"], one["result"]) for one in found["deliveries"]] == [
        ("coder0", "build-1", "unconfirmed"),
        ("coder1", "build-1", "delivered"),
        ("far0", "far", "sent"),
    ]
    assert hosts.sent["far0"].endswith("hello --verify --verify-timeout 6s")


def test_a_preview_names_the_receivers_and_reads_nothing(hosts: Hosts) -> None:
    said = send("--class", "code", "--dry-run")
    assert (said.code, said.out) == (0, "would be sent to 3 agents: coder0, coder1, far0\n")
    assert document(send("--class", "code", "--dry-run", "-o", "json"))["deliveries"] == []
    assert send("coder0", "--dry-run").out == "would be sent to 1 agent: coder0\n"
    assert hosts.sent == {}


def test_for_later_it_waits_for_each(hosts: Hosts, store: Store) -> None:
    found = document(send("--class", "orchestrator", "-m", "later", "--when", "available", "-o", "json"))
    assert [one["result"] for one in found["deliveries"]] == ["stored"]
    assert [one.agent for one in Outbox(store).messages()] == ["lead"]
    assert hosts.sent == {}


@pytest.mark.parametrize(
    ("args", "code", "word"),
    [
        ([], 64, "name an AGENT"),
        (["coder0", "--all"], 64, "name an AGENT"),
        (["--all", "--class", "code"], 64, "--all is every agent"),
        (["--class", "kode"], 4, "did you mean code"),
    ],
)
def test_what_is_not_sent(hosts: Hosts, args: list[str], code: int, word: str) -> None:
    said = send(*args, "-m", "x")
    assert (said.code, hosts.sent) == (code, {})
    assert word in said.err
