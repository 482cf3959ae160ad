"""claude and codex with the hooks that their launch adds: turns, receipts, the contract, and nothing of anybody's.

They start once, and without their unattended mode; the tests go on from where the one before has left them.
"""

from __future__ import annotations

import json
import shlex
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from providers.host import HeartbeatFile
from providers.programs.base import AgentPaths, Reading
from providers.programs.codex import PART_MAX, trusted_hash
from providers.programs.codex import PROGRAM as CODEX
from tests.hosts.fixtures import RealHosts
from tests.hosts.waiting import eventually
from tests.launch.bench import make_agent
from tests.real_agents import homes
from tests.real_agents.answers import answer
from tests.real_agents.api import FakeApi
from tests.real_agents.bench import SOCKET, RealFleet, receipts
from tests.real_agents.offline import EmptyNetwork, OfflineHost
from tests.real_agents.replies import Reply, call, refuse, say

BOTH = ("claude", "codex")
ASKING: Mapping[str, Reply] = {
    "claude": call("Bash", command="touch made", description="Make it"),
    "codex": call(
        "exec_command", cmd="touch /var/tmp/made", sandbox_permissions="require_escalated", justification="?"
    ),
}
MADE: Mapping[str, Callable[[RealFleet], Path]] = {  # by the allowed command
    "claude": lambda fleet: fleet.project / "made",
    "codex": lambda _: Path("/var/tmp/made"),
}
TEXT = "Two lines with 'both' \"kinds\" of quotes, a $HOME, a \\ and some Umläute;\n\nand a third after an empty one"


@pytest.fixture(scope="module")
def fleet(real_hosts: RealHosts, network: EmptyNetwork, programs: Path) -> Iterator[RealFleet]:
    with real_hosts(lambda: OfflineHost(network, share=[programs])) as host, closing(FakeApi(network)) as api:
        fleet = RealFleet(host=host, api=api, prefix=programs)
        fleet.states = dict.fromkeys(("pi", "opencode", "shared"), "stopped")
        fleet.more = {name: {"yolo": False} for name in BOTH}
        fleet.prepare()
        for path, text in personal(fleet).items():
            fleet.write(path, text)
        fleet.write(fleet.repository / "fleet.yaml", homes.FLEET + "heartbeat: {interval: 3s}\n")
        fleet.commit("Look more often", {})
        yield fleet


def personal(fleet: RealFleet) -> dict[Path, str]:
    """Settings with hooks of the person's own, which codex has been told to trust."""
    home = fleet.host.home
    config = home / ".codex-both/config.toml"
    settings = home / ".claude/settings.json"
    mine = {name: f"cat >>{shlex.quote(str(home / f'told-by-{name}'))}" for name in BOTH}
    hooks = {"UserPromptSubmit": [{"hooks": [{"type": "command", "command": mine["claude"]}]}]}
    trusted = trusted_hash("UserPromptSubmit", mine["codex"], timeout_s=600)
    added = f"""\
[[hooks.UserPromptSubmit]]
[[hooks.UserPromptSubmit.hooks]]
type = "command"
command = {json.dumps(mine["codex"])}
[hooks.state."{config}:user_prompt_submit:0:0"]
trusted_hash = "{trusted}"
"""
    files = homes.files(home, fleet.project, fleet.prefix, fleet.url)
    return {
        settings: json.dumps({**json.loads(files[settings]), "hooks": hooks}),
        config: f'developer_instructions = "Be brief, says the person."\n{files[config]}{added}',
    }


def turn(fleet: RealFleet, agent: str, event: str, source: str = "hook") -> HeartbeatFile:
    """The record of this event, once it is there; it is the program's that runs in the pane now."""

    def look() -> HeartbeatFile | None:
        found = fleet.turn(agent)
        return found if found is not None and found.words.get("event") == event else None

    found = eventually(look, timeout=60, every=0.05, what=f"{event} of {agent}, which noted {fleet.turn(agent)}")
    assert found
    assert (found.error, found.pid, found.words["source"]) == (None, fleet.pids()[agent], source)
    return found


def asked(found: HeartbeatFile) -> Mapping[str, str]:
    return {key: value for key, value in found.words.items() if key in ("waiting", "stuck")}


def test_a_start_asks_nothing(fleet: RealFleet) -> None:
    fleet.reconcile().assert_converged()
    for agent in BOTH:
        reading = fleet.until(agent, lambda seen: seen.composer == "empty" and seen.turn == "idle")
        assert (reading.asks, reading.queued, reading.draft) == ("", (), "")
    assert turn(fleet, "claude", "SessionStart").status == "ok"
    assert fleet.turn("codex") is None  # it calls no hook before its first prompt


@pytest.mark.parametrize("agent", BOTH)
def test_a_prompt_is_noted_and_its_receipt_has_all_of_it(fleet: RealFleet, agent: str) -> None:
    held = say("Done.", held=True)
    fleet.api.script(agent, held)
    with receipts(fleet, agent) as folder:
        fleet.say(agent, TEXT)
        fleet.api.wait_for(agent, TEXT)
        (receipt,) = folder.glob("*.json")
        assert json.loads(receipt.read_text())["prompt"] == TEXT
        assert receipt.stat().st_mode & 0o777 == 0o600
    reading = fleet.until(agent, lambda seen: seen.turn == "busy")
    assert (reading.composer, reading.asks) == ("empty", "")
    busy = turn(fleet, agent, {"claude": "UserPromptSubmit", "codex": "PreModelRequest"}[agent])
    assert (busy.status, asked(busy)) == ("busy", {})
    held.release()
    done = turn(fleet, agent, "Stop")
    assert (done.status, asked(done), done.words["session"]) == ("ok", {}, busy.words["session"])
    fleet.until(agent, lambda seen: seen.turn == "idle")


@pytest.mark.parametrize("agent", BOTH)
def test_the_contract_has_reached_the_model_beside_what_the_person_says(fleet: RealFleet, agent: str) -> None:
    """All of it and in order, though codex is told it in parts."""
    contract = fleet.host.path_outside(fleet.run_folder.parent / f"agents/{agent}.d/contract.md").read_text()
    assert len(contract.encode()) > 4 * PART_MAX
    for words in ("# Constitution", "# Coder", "Prove it with the real programs.", "# Messages between agents"):
        assert words in contract
    (request,) = fleet.api.turns(agent)
    assert "".join(contract.split()) in "".join(request.system.split())
    assert not [text for text in request.user_texts if "# Constitution" in text]
    assert ("Be brief, says the person." in request.system) == (agent == "codex")


@pytest.mark.parametrize("agent", BOTH)
def test_a_question_for_a_permission_is_noted_until_it_is_answered(fleet: RealFleet, agent: str) -> None:
    fleet.api.script(agent, ASKING[agent])
    fleet.say(agent, "make it")
    asking = turn(fleet, agent, "PermissionRequest")
    assert (asking.status, asked(asking)) == ("busy", {"waiting": "permission"})
    reading = fleet.until(agent, lambda seen: seen.asks != "")
    assert (reading.turn, reading.asks, reading.composer) == ("busy", "permission", "hidden")
    answer(fleet, agent, "--allow")
    done = turn(fleet, agent, "Stop")
    assert (done.status, asked(done)) == ("ok", {})
    assert fleet.host.path_outside(MADE[agent](fleet)).exists()


def test_a_refusal_that_no_hook_tells_of_is_noted_from_the_file_of_its_state(fleet: RealFleet) -> None:
    """claude calls no hook then. What it writes down itself is read by the responder."""
    fleet.api.script("claude", ASKING["claude"])
    fleet.say("claude", "make it, too")
    assert asked(turn(fleet, "claude", "PermissionRequest")) == {"waiting": "permission"}
    fleet.until("claude", lambda seen: seen.asks == "permission")
    answer(fleet, "claude", "--deny")
    fleet.until("claude", lambda seen: seen.turn == "idle")
    refused = turn(fleet, "claude", "idle", source="status-file")
    assert (refused.status, asked(refused)) == ("ok", {})


def test_a_question_of_the_model_is_told_from_one_for_a_permission(fleet: RealFleet) -> None:
    choice = [{"label": "Left", "description": "to the left"}, {"label": "Right", "description": "to the right"}]
    question = {"question": "Which way?", "header": "Way", "multiSelect": False, "options": choice}
    fleet.api.script("claude", call("AskUserQuestion", questions=[question]))
    fleet.say("claude", "ask me")
    asking = turn(fleet, "claude", "PermissionRequest")
    assert (asking.status, asked(asking)) == ("busy", {"waiting": "question"})
    assert fleet.until("claude", lambda seen: seen.asks != "").asks == "question"
    answer(fleet, "claude", "--choose", "2")
    assert asked(turn(fleet, "claude", "Stop")) == {}
    assert any("Right" in text for text in fleet.api.turns("claude")[-1].new_texts)


@pytest.mark.parametrize(
    ("agent", "event", "reason"),
    [("claude", "StopFailure", "unknown"), ("codex", "PostModelRequest", "model-request-failed")],
)
def test_a_failure_of_the_api_is_noted_until_the_next_turn(
    fleet: RealFleet, agent: str, event: str, reason: str
) -> None:
    fleet.api.script(agent, *[refuse(400)] * 12)  # claude tries several times
    fleet.say(agent, "try it")
    failed = turn(fleet, agent, event)
    assert (failed.status, asked(failed)) == ("ok", {"stuck": reason})
    fleet.api.forget(agent)
    fleet.until(agent, lambda seen: seen.turn == "idle" and seen.composer == "empty")
    fleet.say(agent, "try it again")
    assert asked(turn(fleet, agent, "Stop")) == {}


@pytest.mark.parametrize("agent", BOTH)
def test_its_reset_begins_a_new_conversation_with_the_block_in_it(fleet: RealFleet, agent: str) -> None:
    block = "as it is by now"
    fleet.write(fleet.run_folder.parent / f"agents/{agent}.d/contract.md", block)
    fleet.say(agent, "/clear")
    fleet.until(agent, lambda seen: seen.composer == "empty" and "try it" not in fleet.screen(agent))
    fleet.say(agent, "hello")
    request = fleet.api.wait_for(agent, "hello")
    assert not [text for text in request.user_texts if "try it" in text]
    # claude keeps the block that it was started with.
    assert (block in request.system) == (agent == "codex")
    assert asked(turn(fleet, agent, "Stop")) == {}


def test_nothing_of_the_persons_has_changed_and_their_hooks_go_on(fleet: RealFleet) -> None:
    for agent in BOTH:
        told = fleet.host.path_outside(fleet.host.home / f"told-by-{agent}").read_text()
        assert TEXT in [json.loads(line)["prompt"] for line in told.replace("}{", "}\n{").splitlines()]
    home = fleet.host.home
    (settings, wrote), (config, configured) = personal(fleet).items()
    assert fleet.host.path_outside(settings).read_text() == wrote
    assert _kept(fleet.host.path_outside(config).read_text()) == _kept(configured)
    state = json.loads(fleet.host.path_outside(home / ".claude.json").read_text())
    assert state["customApiKeyResponses"] == {"approved": [homes.KEY], "rejected": []}
    for folder in (".claude", ".codex-both"):
        files = [path for path in fleet.host.path_outside(home / folder).rglob("*") if path.is_file()]
        assert [path.name for path in files if path.name.startswith("hooks")] == []


def _kept(config: str) -> dict[str, Any]:
    """Without what codex itself counts there: how often it has shown what."""
    return {key: value for key, value in tomllib.loads(config).items() if key not in ("tui", "notice")}


@pytest.mark.parametrize("known", [True, False])
def test_hooks_that_have_changed_stop_no_start(fleet: RealFleet, known: bool) -> None:
    """With other files than before, and the person's hooks in place; and codex does stop at a hash that is wrong."""
    home = fleet.host.home
    env = {"CODEX_HOME": f"{home}/.codex-both", "PATH": f"{fleet.prefix}/bin:/usr/bin:/bin"}
    moved = f"{home}/it's elsewhere"
    place = AgentPaths(
        folder=f"{moved}/a.d", bin_dir=f"{moved}/bin", contract=f"{moved}/a.d/contract.md", home=str(home)
    )
    agent = make_agent("a", argv=("codex", "--no-daemon"))
    args = CODEX.extra(agent, place).args  # noqa: S610 - no Django here
    if not known:
        args = tuple(word.replace('trusted_hash="sha256:', 'trusted_hash="sha256:0') for word in args)
    command = ["env", *(f"{name}={value}" for name, value in env.items()), *agent.argv, *args]
    size = ["-x", "100", "-y", "40", "-c", str(fleet.project)]
    fleet.host.tmux(SOCKET, "new-session", "-d", "-s", "elsewhere", *size, *command)
    seen: list[Reading] = []

    def look() -> bool:
        seen.append(CODEX.read(fleet.sight("elsewhere")))
        return seen[-1].turn == "idle" or seen[-1].asks != ""

    try:
        eventually(look, timeout=60, every=0.1, what="codex in another pane")
        assert (seen[-1].composer, seen[-1].asks) == (("empty", "") if known else ("hidden", "trust"))
    finally:
        fleet.host.tmux(SOCKET, "kill-session", "-t", "=elsewhere")


def test_the_responder_hands_their_words_on(fleet: RealFleet) -> None:
    before = time.time()

    def beat() -> bool:
        path = fleet.host.path_outside(fleet.run_folder / "claude.hb")
        words = dict(word.split("=", 1) for word in path.read_text().split()) if path.exists() else {}
        return (words.get("source"), words.get("status"), "turn" in words.get("saw", "")) == ("sidecar", "ok", True)

    eventually(beat, timeout=60, every=0.2, what=f"a heartbeat since {before}")
