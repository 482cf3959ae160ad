"""Damage of every kind, each mended by one run, and no conversation is lost that was not lost already."""

from __future__ import annotations

import time

import pytest

from tests.scenarios.fleet import SOCKET, Fleet

TWO = ("a", "b")
AGENT, HOLDER = "mosaic-agent@a.service", "mosaic-tmux-holder.service"
SYSTEMCTL, TMUX = "systemctl --user --no-pager", f"tmux -u -L {SOCKET}"
WANTS = ".config/systemd/user/default.target.wants"
UNIT_DIR, BIN = ".config/systemd/user", ".config/mosaic/fleet/bin"

# What is done to the host, as a shell script in the home folder, and what the run then has to do.
SCARS: dict[str, tuple[str, list[str]]] = {
    "holder-stopped": (f"{SYSTEMCTL} stop {HOLDER}", [f"start:holder:{HOLDER}"]),
    "holder-session": (f"{TMUX} kill-session -t =_holder", [f"recover:holder:{HOLDER}"]),
    "holder-pane": (f"{TMUX} respawn-pane -k -t =_holder: false", [f"recover:holder:{HOLDER}"]),
    "holder-disabled": (f"rm {WANTS}/{HOLDER}", [f"enable:holder:{HOLDER}"]),
    "socket-file": (f"rm /tmp/tmux-*/{SOCKET}", [f"recover:holder:{HOLDER}"]),
    "wants-link": (f"rm {WANTS}/{AGENT}", ["enable:systemd:a"]),
    "disabled": (f"{SYSTEMCTL} disable {AGENT}", ["enable:systemd:a"]),
    "env-file": ("rm .config/mosaic/fleet/agents/a.env", ["write:env:a"]),
    "env-edited": ("echo ENV=X=1 >>.config/mosaic/fleet/agents/a.env", ["write:env:a"]),
    "env-mode": ("chmod 644 .config/mosaic/fleet/agents/a.env", ["write:env:a"]),
    "launch-program": (f"rm {BIN}/agent-start", [f"write:framework:~/{BIN}/agent-start"]),
    "launch-program-edited": (f"echo exit 1 >>{BIN}/agent-stop", [f"write:framework:~/{BIN}/agent-stop"]),
    "unit-file": (
        f"rm {UNIT_DIR}/mosaic-agent@.service; {SYSTEMCTL} daemon-reload",
        [f"write:framework:~/{UNIT_DIR}/mosaic-agent@.service", "reload:framework:daemon-reload"],
    ),
    "unit-file-edited": (
        f"echo ExecStop=/bin/false >>{UNIT_DIR}/mosaic-agent@.service; {SYSTEMCTL} daemon-reload",
        [f"write:framework:~/{UNIT_DIR}/mosaic-agent@.service", "reload:framework:daemon-reload"],
    ),
    "holder-unit-file": (
        f"rm {UNIT_DIR}/{HOLDER}; {SYSTEMCTL} daemon-reload",
        [f"write:framework:~/{UNIT_DIR}/{HOLDER}", "reload:framework:daemon-reload"],
    ),
    "holder-settings": ("rm .config/mosaic/fleet/holder.env", ["write:framework:~/.config/mosaic/fleet/holder.env"]),
}


@pytest.mark.parametrize(("scar", "mended"), SCARS.values(), ids=SCARS)
def test_mended_without_touching_an_agent(fleet: Fleet, scar: str, mended: list[str]) -> None:
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.sh(scar)
    assert fleet.pids() == before, "the damage itself should not end an agent"
    preview = fleet.reconcile("--dry-run", "--detailed-exitcode")
    assert preview.code == 2
    run = fleet.converge()
    # A signal is not yet a socket: a look that comes too soon asks once more.
    assert [one.replace("~", str(fleet.host.home)) for one in mended] == list(dict.fromkeys(run.done))
    assert fleet.up(*TWO) == before
    assert fleet.sessions() == ["_holder", *TWO]
    assert fleet.converge().done == []


# As above, where the damage ends agent "a" (and with the tmux server, everybody).
WOUNDS: dict[str, tuple[str, set[str], str]] = {
    "process-killed": ("kill -KILL $a", {"a"}, "unhealthy"),
    "session-killed": (f"{TMUX} kill-session -t =a", {"a"}, "not-running"),
    "unit-stopped": (f"{SYSTEMCTL} stop {AGENT}", {"a"}, "not-running"),
    "unit-failed": (
        f"mv {BIN}/agent-start away; ! {SYSTEMCTL} restart {AGENT}; mv away {BIN}/agent-start",
        {"a"},
        "not-running",
    ),
    "unit-and-program": (f"rm {BIN}/agent-start; ! {SYSTEMCTL} restart {AGENT}", {"a"}, "not-running"),
    "scope-stopped": (f"{SYSTEMCTL} stop 'mosaic-pane-a:*.scope'", {"a"}, "unhealthy"),
    "server-killed": ("kill -KILL $server", {"a", "b"}, "not-running"),
    "server-ended": (f"{TMUX} kill-server", {"a", "b"}, "not-running"),
    "server-and-units": (f"{TMUX} kill-server; {SYSTEMCTL} stop 'mosaic-agent@*' {HOLDER}", {"a", "b"}, "not-running"),
    "everything": (
        f"{SYSTEMCTL} stop 'mosaic-agent@*' {HOLDER}; rm -rf {UNIT_DIR} .config/mosaic; {SYSTEMCTL} daemon-reload",
        {"a", "b"},
        "not-running",
    ),
}


@pytest.mark.parametrize(("wound", "ended", "reason"), WOUNDS.values(), ids=WOUNDS)
def test_healed(fleet: Fleet, wound: str, ended: set[str], reason: str) -> None:
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    server = fleet.tmux("display-message", "-p", "#{pid}").strip()
    fleet.sh(f"a={before['a']} server={server}; {wound}")
    fleet.wait(lambda: not ended & fleet.living().keys(), f"the end of {ended}")
    run = fleet.converge()
    starts = {one["agent"]: one["reason"] for one in run.document["actions"] if one["verb"] in ("start", "restart")}
    starts.pop(None, None)
    assert starts == dict.fromkeys(ended, reason)
    after = fleet.up(*TWO)
    assert {name: after[name] != before[name] for name in TWO} == {name: name in ended for name in TWO}
    assert fleet.sessions() == ["_holder", *TWO]
    assert fleet.converge().done == []
    assert {one["name"]: one["restarts"] for one in fleet.status()["agents"]} == {n: int(n in ended) for n in TWO}


def test_a_state_folder_that_is_lost_costs_no_agent(fleet: Fleet) -> None:
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.sh("rm -rf .local/state/mosaic")
    fleet.converge()
    assert fleet.up(*TWO) == before
    assert sorted(fleet.store().load_inventory().agents) == list(TWO)


@pytest.mark.parametrize("name", ["inventory.json", "history.json", "status.json", "desired.json"])
def test_a_state_file_that_is_damaged_costs_no_agent(fleet: Fleet, name: str) -> None:
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.write(f"{fleet.state}/{name}", '{"version": 1, "agents": {"a')
    run = fleet.converge()
    assert run.disruptive == []
    assert fleet.up(*TWO) == before
    if name != "desired.json":  # that one is a cache
        assert name in run.err
    assert fleet.converge().done == []


def test_another_program_in_the_pane_is_put_right(fleet: Fleet) -> None:
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.tmux("respawn-pane", "-k", "-t", "=a:", "sleep 1000")
    run = fleet.converge()
    (restart,) = (one for one in run.document["actions"] if one["agent"] == "a")
    assert restart["verb"] == "restart"
    assert restart["reason"] == "unhealthy"
    assert {"path": "program", "live": "sleep", "desired": "stub"} in restart["changes"]
    assert fleet.up(*TWO)["b"] == before["b"]


def test_a_framework_file_that_somebody_else_wrote_is_left_alone(fleet: Fleet) -> None:
    """And no agent is started with it; those that live, live on."""
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    mine = "#!/bin/sh\nexec my-own\n"
    fleet.write(f"{fleet.host.home}/{BIN}/agent-start", mine)
    fleet.kill(before["a"])
    run = fleet.reconcile()
    assert run.code == 1
    assert run.held(None)["reason"] == "not-owned"
    assert run.held("a")["reason"] == "dependency"
    assert fleet.read(f"{fleet.host.home}/{BIN}/agent-start") == mine
    assert fleet.pids() == {"b": before["b"]}
    fleet.sh(f"rm {BIN}/agent-start")
    fleet.converge()
    fleet.up(*TWO)


@pytest.mark.parametrize(("word", "status"), [("/quit", "0"), ("/crash 7", "7")])
def test_a_program_that_ended_is_started_again(fleet: Fleet, word: str, status: str) -> None:
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.shows("a", "is ready")
    fleet.type("a", word)
    fleet.wait(lambda: list(fleet.pids()) == ["b"], "the end of a")
    run = fleet.converge()
    assert run.verbs("a") == ["restart"]
    assert fleet.up(*TWO)["b"] == before["b"]
    crashes = fleet.sh(f"cat {fleet.state}/crashes/*")  # what it said last is kept
    assert "stub a is ready" in crashes
    assert status in {"0", "7"}


def test_a_hung_agent_is_found_by_its_heartbeat(fleet: Fleet) -> None:
    """Two signs agree: its own heartbeat is stale, and its pane is quiet as well."""
    fleet.rules["heartbeat"] = {"interval": "3s", "stale_after": "4s", "idle_after": "300s"}
    fleet.declare(*TWO)
    fleet.converge()
    for name in TWO:
        fleet.beats(name)
    before = fleet.up(*TWO)
    beat = fleet.heartbeat("a")
    fleet.wait(lambda: time.time() > beat + 1, "another second than the heartbeat's")
    fleet.type("a", "/hang")  # what it shows of this is newer than its last heartbeat, most of the time

    def healed() -> bool:
        run = fleet.reconcile()
        assert run.verbs("b") == [], "the other one answers"
        return "restart" in run.verbs("a")

    fleet.wait(healed, "a restart of the hung agent")
    after = fleet.up(*TWO)
    assert after["a"] != before["a"]
    assert after["b"] == before["b"]
    events = [one for one in fleet.events() if one["agent"] == "a"]
    assert events, "the log tells of it"


def test_a_stale_heartbeat_that_is_not_its_own_word_restarts_nothing(fleet: Fleet) -> None:
    fleet.rules["heartbeat"] = {"interval": "1s", "stale_after": "2s", "idle_after": "300s"}
    fleet.roster["runtimes"] = {"stub": {"native_heartbeat": False}}
    fleet.declare("a")
    fleet.converge()
    fleet.beats("a")
    before = fleet.up("a")
    fleet.type("a", "/silent")
    # What would answer for it now is there and does nothing.
    fleet.sh("systemctl --user kill --signal=STOP mosaic-responder.service")
    fleet.wait(lambda: fleet.reconcile("--dry-run").document["held"], "a stale heartbeat")
    run = fleet.reconcile()
    assert run.code == 1
    assert run.held("a")["reason"] == "unknown"
    assert run.done == []
    assert fleet.up("a") == before


def test_a_heartbeat_that_says_nothing_restarts_nothing(fleet: Fleet) -> None:
    """Garbage, half a line, the future, another's pid, a folder: unknown, and no reason to act."""
    fleet.rules["heartbeat"] = {"interval": "1h", "stale_after": "3h"}
    fleet.declare("a")
    fleet.converge()
    before = fleet.up("a")
    fleet.beats("a")
    path = f"{fleet.mosaic}/fleet/run/a.hb"
    for text in ("", "\0\0", "ts=2020-01-01T00:00", "ts=2999-01-01T00:00:00Z pid=1 status=ok\n", "x" * 9000):
        fleet.write(path, text)
        assert fleet.converge().done == []
    fleet.sh(f"rm {path}; mkdir {path}; mkfifo {path}/../b.hb")
    assert fleet.converge().done == []
    assert fleet.up("a") == before


@pytest.mark.parametrize("how", ["", " stubborn"])
def test_a_leftover_daemon_neither_blocks_nor_counts(fleet: Fleet, how: str) -> None:
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.shows("a", "is ready")
    fleet.type("a", f"/spawn{how}")
    fleet.wait(lambda: fleet.named("sleep") != fleet.named("sleeper") and len(fleet.named("sleep")) == 2, "the daemon")
    fleet.kill(before["a"])
    run = fleet.converge()
    assert run.verbs("a") == ["restart"]
    assert fleet.up(*TWO)["b"] == before["b"]
    fleet.type("a", f"/spawn{how}")
    fleet.wait(lambda: len(fleet.named("sleep")) >= 2, "the daemon")
    fleet.agents["a"]["state"] = "stopped"
    fleet.commit()
    fleet.converge()
    fleet.up("b")
    assert len(fleet.named("sleep")) == 1, "only the holder's is left"
    assert fleet.sh("systemctl --user list-units --plain --no-legend 'mosaic-pane-a:*'") == ""
