"""pi and opencode with what their launch loads into them: heartbeats, receipts, the contract, and nothing of anybody's.

They start once; the tests go on from where the one before has left them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from providers.host import HeartbeatFile
from providers.machine import heartbeat_files
from tests.hosts.fixtures import RealHosts
from tests.hosts.waiting import eventually
from tests.real_agents import homes
from tests.real_agents.answers import answer
from tests.real_agents.api import FakeApi
from tests.real_agents.bench import SOCKET, RealFleet, receipts
from tests.real_agents.offline import EmptyNetwork, OfflineHost
from tests.real_agents.replies import call, refuse, say

BOTH = ("pi", "opencode")
INTERVAL_S = 1.0
TEXT = "Two lines with 'both' \"kinds\" of quotes, a $HOME, a \\ and some Umläute;\n\nand a third after an empty one"
# A plugin of the person's own, which notes that it was loaded. (pi calls the function, opencode its member `tui`.)
MINE = """\
import { writeFileSync } from "node:fs"
const loaded = async () => writeFileSync(process.env.HOME + "/told-by-" + process.env.MOSAIC_AGENT_NAME, "loaded")
"""


@pytest.fixture(scope="module")
def fleet(real_hosts: RealHosts, network: EmptyNetwork, programs: Path) -> Iterator[RealFleet]:
    with real_hosts(lambda: OfflineHost(network, share=[programs])) as host, closing(FakeApi(network)) as api:
        fleet = RealFleet(host=host, api=api, prefix=programs)
        fleet.states = dict.fromkeys(("claude", "codex", "shared"), "stopped")
        asks = {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_PERMISSION": '{"bash": "ask"}'}
        editor = {"EDITOR": str(host.home / "editor")}
        fleet.more = {"opencode": {"yolo": False, "env": asks}, "pi": {"env": editor}}
        fleet.prepare()
        fleet.write(fleet.repository / "fleet.yaml", f"{homes.FLEET}heartbeat: {{interval: {INTERVAL_S:g}s}}\n")
        fleet.commit("Four heartbeats are a matter of seconds", {})
        for path, text in personal(fleet).items():
            fleet.write(path, text)
        host.path_outside(host.home / "editor").chmod(0o700)
        yield fleet


def personal(fleet: RealFleet) -> dict[Path, str]:
    """What the person has set up for each of them, and an editor that stays open for as long as a file is there."""
    home = fleet.host.home
    files = homes.files(home, fleet.project, fleet.prefix, fleet.url)
    opencode = home / ".config/opencode"
    settings = json.loads(files[opencode / "opencode.json"])
    return {
        home / "editor": "#!/bin/sh\nwhile [ -e ~/editing ]; do sleep 0.1; done\n",
        home / ".pi/agent/models.json": files[home / ".pi/agent/models.json"],
        home / ".pi/agent/APPEND_SYSTEM.md": "Be brief, says the person.\n",
        home / ".pi/agent/extensions/mine.js": f"{MINE}export default loaded\n",
        # opencode itself puts the schema into a file that names none.
        opencode / "opencode.json": json.dumps(
            {"$schema": "https://opencode.ai/config.json", **settings, "instructions": ["~/mine.md"]}
        ),
        opencode / "tui.json": json.dumps({"plugin": ["./mine.js"]}),
        opencode / "mine.js": f'{MINE}export default {{ id: "mine", tui: loaded }}\n',
        home / "mine.md": "Be brief, says the person.\n",
    }


def beat(fleet: RealFleet, agent: str) -> HeartbeatFile:
    path = fleet.host.path_outside(fleet.run_folder / f"{agent}.hb")
    return (
        heartbeat_files.parse(path.read_bytes(), time.time()) if path.exists() else HeartbeatFile(error="not there yet")
    )


def until_beat(fleet: RealFleet, agent: str, status: str, **words: str) -> HeartbeatFile:
    """The first heartbeat with this status and these reasons, and no others; it is that of the program in the pane."""

    def look() -> HeartbeatFile | None:
        found = beat(fleet, agent)
        asked = {key: value for key, value in found.words.items() if key in ("waiting", "stuck")}
        return found if (found.status, asked) == (status, words) else None

    found = eventually(look, timeout=60, every=0.05, what=f"{agent}: {status} {words}, not {beat(fleet, agent)}")
    assert found
    assert (found.error, found.pid, found.words["source"]) == (None, fleet.pids()[agent], "native")
    return found


def until_it_has_gone_on(fleet: RealFleet, agent: str) -> None:
    """Four more heartbeats: a program that is busy for longer than three intervals is not stale."""
    stamps = {beat(fleet, agent).ts}

    def look() -> bool:
        stamps.add(beat(fleet, agent).ts)
        return len(stamps) > 4

    eventually(look, timeout=60, every=0.05, what=f"more heartbeats of {agent}")


def received(folder: Path) -> list[tuple[str, bool]]:
    notes = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    return [(note["prompt"].rstrip(), note["queued"]) for note in notes]


def keys(fleet: RealFleet, agent: str, *names: str) -> None:
    fleet.host.tmux(SOCKET, "send-keys", "-t", f"={agent}:", *names)


def test_each_answers_for_itself(fleet: RealFleet) -> None:
    fleet.reconcile().assert_converged()
    for agent in BOTH:
        reading = fleet.until(agent, lambda seen: seen.composer == "empty" and seen.turn == "idle", timeout=120)
        assert (reading.asks, reading.queued, reading.draft) == ("", (), "")
        found = until_beat(fleet, agent, "ok")
        assert found.words["interval"] == f"{INTERVAL_S:g}"
        until_it_has_gone_on(fleet, agent)
    view = fleet.reconcile()
    view.assert_converged()
    assert view.actions == []


@pytest.mark.parametrize("agent", BOTH)
def test_a_slow_turn_is_busy_and_each_message_has_its_receipt(fleet: RealFleet, agent: str) -> None:
    held = say("Done.", held=True)
    fleet.api.script(agent, held)
    with receipts(fleet, agent) as folder:
        fleet.say(agent, TEXT)
        fleet.api.wait_for(agent, TEXT)
        until_beat(fleet, agent, "busy")
        eventually(lambda: received(folder) == [(TEXT, False)], timeout=90, what=f"one receipt, not {received(folder)}")
        fleet.say(agent, "and one more")
        both = {(TEXT, False), ("and one more", True)}
        eventually(lambda: set(received(folder)) == both, timeout=90, what=f"two receipts, not {received(folder)}")
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    reading = fleet.until(agent, lambda seen: seen.queued != ())
    assert (reading.turn, reading.composer, reading.queued) == ("busy", "empty", ("and one more",))
    until_it_has_gone_on(fleet, agent)
    assert beat(fleet, agent).status == "busy"
    held.release()
    fleet.api.wait_for(agent, "and one more")
    until_beat(fleet, agent, "ok")
    fleet.until(agent, lambda seen: seen.turn == "idle" and seen.queued == ())


@pytest.mark.parametrize("agent", BOTH)
def test_nobody_waits_for_a_receipt_that_nobody_asked_for(fleet: RealFleet, agent: str) -> None:
    assert not fleet.host.path_outside(fleet.host.runtime_dir / "mosaic/await" / agent).exists()


@pytest.mark.parametrize("agent", BOTH)
def test_the_contract_is_beside_what_the_person_says_and_is_always_the_newest(fleet: RealFleet, agent: str) -> None:
    pid = fleet.pids()[agent]
    path = fleet.run_folder.parent / f"agents/{agent}.d/contract.md"
    block = fleet.host.path_outside(path).read_text().strip()
    request = fleet.api.turns(agent)[0]
    for words in ("# Constitution", "# Coder", "Prove it with the real programs.", "# Messages between agents"):
        assert words in block
    assert block in request.system
    assert "Be brief, says the person." in request.system
    assert not [text for text in request.user_texts if block in text]
    fleet.write(path, "as it is by now")
    fleet.say(agent, "hello again")
    assert "as it is by now" in fleet.api.wait_for(agent, "hello again").system
    until_beat(fleet, agent, "ok")
    assert fleet.pids()[agent] == pid


@pytest.mark.parametrize("agent", BOTH)
def test_a_long_tool_and_the_permission_for_it(fleet: RealFleet, agent: str) -> None:
    command = "while [ ! -e go-on ]; do sleep 0.1; done; rm go-on"
    fleet.api.script(agent, call("bash", command=command, description="Wait"))
    fleet.say(agent, "use a tool")
    if agent == "opencode":  # pi asks for no permission
        until_beat(fleet, agent, "busy", waiting="permission")
        reading = fleet.until(agent, lambda seen: seen.asks != "")
        assert (reading.turn, reading.asks, reading.composer) == ("busy", "permission", "hidden")
        answer(fleet, agent, "--allow")
    until_beat(fleet, agent, "busy")
    until_it_has_gone_on(fleet, agent)
    assert beat(fleet, agent).status == "busy"
    fleet.write(fleet.project / "go-on", "")
    until_beat(fleet, agent, "ok")


def test_a_refusal_from_afar_ends_the_dialog_and_nothing_is_done(fleet: RealFleet) -> None:
    fleet.api.script("opencode", call("bash", command="touch refused", description="Make it"))
    fleet.say("opencode", "make it")
    until_beat(fleet, "opencode", "busy", waiting="permission")
    fleet.until("opencode", lambda seen: seen.asks != "")
    answer(fleet, "opencode", "--deny")
    until_beat(fleet, "opencode", "ok")
    assert fleet.until("opencode", lambda seen: seen.turn == "idle").asks == ""
    assert not fleet.host.path_outside(fleet.project / "refused").exists()


def test_a_question_of_the_model_waits(fleet: RealFleet) -> None:
    choice = [{"label": "Left", "description": "to the left"}, {"label": "Right", "description": "to the right"}]
    question = {"question": "Which way?", "header": "Way", "options": choice}
    fleet.api.script("opencode", call("question", questions=[question]))
    fleet.say("opencode", "ask me")
    until_beat(fleet, "opencode", "busy", waiting="question")
    assert fleet.until("opencode", lambda seen: seen.asks != "").asks == "question"
    keys(fleet, "opencode", "Enter")
    until_beat(fleet, "opencode", "ok")


@pytest.mark.parametrize("agent", BOTH)
def test_a_failure_of_the_api_is_told_until_the_next_turn(fleet: RealFleet, agent: str) -> None:
    fleet.api.script(agent, refuse(400))
    fleet.say(agent, "try it")
    until_beat(fleet, agent, "ok", stuck="error")
    fleet.until(agent, lambda seen: seen.turn == "idle")
    fleet.say(agent, "try it again")
    until_beat(fleet, agent, "ok")


@pytest.mark.parametrize("agent", BOTH)
def test_one_that_does_not_read_its_keys_says_so(fleet: RealFleet, agent: str) -> None:
    """No shell of the pane could bring it back after Ctrl-Z, and the screen of pi looks as if it listened."""
    fleet.until(agent, lambda seen: seen.composer == "empty")
    keys(fleet, agent, "C-z")
    until_beat(fleet, agent, "ok", stuck="suspended")
    fleet.until(agent, lambda seen: seen.composer == "hidden")
    fleet.host.run(["kill", "-CONT", str(fleet.pids()[agent])])
    until_beat(fleet, agent, "ok")
    fleet.until(agent, lambda seen: seen.composer == "empty")


def test_an_open_editor_of_a_person_is_no_hang(fleet: RealFleet) -> None:
    """pi does nothing else meanwhile; so that its last heartbeat tells that it will last."""
    fleet.write(fleet.host.home / "editing", "")
    keys(fleet, "pi", "C-g")
    eventually(lambda: beat(fleet, "pi").words.get("interval") == "1200", timeout=60, every=0.05, what="a long one")
    fleet.host.path_outside(fleet.host.home / "editing").unlink()
    eventually(lambda: beat(fleet, "pi").words.get("interval") == "1", timeout=60, every=0.05, what="the usual one")
    fleet.until("pi", lambda seen: seen.composer == "empty")


@pytest.mark.parametrize("agent", BOTH)
def test_its_reset_begins_a_new_conversation(fleet: RealFleet, agent: str) -> None:
    before = beat(fleet, agent).words["session"]
    fleet.say(agent, "/new")
    fleet.until(agent, lambda seen: seen.composer == "empty" and "try it again" not in fleet.screen(agent))
    fleet.say(agent, "a fresh start")
    request = fleet.api.wait_for(agent, "a fresh start")
    assert not [text for text in request.user_texts if "try it" in text]
    eventually(lambda: beat(fleet, agent).words.get("session") != before, timeout=60, what="another session")
    until_beat(fleet, agent, "ok")


def test_a_message_that_pi_cannot_begin_has_no_receipt(fleet: RealFleet) -> None:
    """Without a key: it takes the text out of its editor, and refuses."""
    home, folder = fleet.host.home, fleet.run_folder.parent / "agents/pi.d"
    env = {
        "HOME": f"{home}/nobody",
        "MOSAIC_AGENT_NAME": "nokey",
        "MOSAIC_HOME": str(fleet.run_folder.parents[1]),
        "PATH": f"{fleet.prefix}/bin:/usr/bin:/bin",
        "XDG_RUNTIME_DIR": str(fleet.host.runtime_dir),
    }
    script = 'export MOSAIC_AGENT_PID=$$; exec pi -e "$0"'
    start = ["env", *(f"{name}={value}" for name, value in env.items()), "sh", "-c", script, f"{folder}/pi.js"]
    fleet.host.tmux(SOCKET, "new-session", "-d", "-s", "nokey", "-x", "100", "-y", "40", *start)
    try:
        found = eventually(
            lambda: beat(fleet, "nokey").words.get("waiting") and beat(fleet, "nokey"), timeout=60, what="its heartbeat"
        )
        assert found
        assert (found.status, found.words["waiting"]) == ("ok", "login")
        with receipts(fleet, "nokey") as waiting:
            fleet.host.tmux(SOCKET, "send-keys", "-t", "=nokey:", "hello", "Enter")
            eventually(lambda: "No API key found" in fleet.screen("nokey"), timeout=60, every=0.1, what="the refusal")
            assert received(waiting) == []
    finally:
        fleet.host.tmux(SOCKET, "kill-session", "-t", "=nokey")


@pytest.mark.parametrize(
    ("change", "speaks"),
    [
        ({}, True),
        ({"MOSAIC_AGENT_PID": "1"}, False),
        ({"MOSAIC_AGENT_NAME": "../x"}, False),
        ({"MOSAIC_HOME": "x"}, False),
    ],
)
def test_only_the_agent_itself_speaks_for_it(fleet: RealFleet, change: dict[str, str], speaks: bool) -> None:
    """A program that it starts has inherited its environment."""
    voice = fleet.run_folder.parent / "agents/opencode.d/voice.js"
    code = f"""
        const own = {{ MOSAIC_AGENT_PID: String(process.pid), MOSAIC_AGENT_NAME: "x", MOSAIC_HOME: "/proc/nowhere" }}
        const {{ voice }} = await import(process.argv[1])
        console.log(voice({{ ...own, ...{json.dumps(change)} }}) !== null)
    """
    node = fleet.prefix / "bin/node"
    done = fleet.host.run([node, "--input-type=module", "-e", code, voice])  # and its timer keeps no process alive
    assert done.stdout == f"{str(speaks).lower()}\n"


def test_nothing_of_the_persons_has_changed_and_it_is_in_force(fleet: RealFleet) -> None:
    for path, text in personal(fleet).items():
        assert fleet.host.path_outside(path).read_text() == text, path
    for agent in BOTH:
        assert fleet.host.path_outside(fleet.host.home / f"told-by-{agent}").read_text() == "loaded"
    made = {path.name for path in fleet.host.path_outside(fleet.run_folder.parent / "agents/opencode.d").iterdir()}
    assert made == {"MANIFEST", "contract.md", "opencode.js", "tui.json", "voice.js"}
    fleet.reconcile().assert_converged()
