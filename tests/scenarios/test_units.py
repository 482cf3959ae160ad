"""Units and launch programs that somebody has replaced, or a power cut has spoilt: only what needs one waits."""

from __future__ import annotations

import pytest

from tests.scenarios.fleet import Fleet

TIMER = ".config/systemd/user/mosaic-reconcile.timer"
BIN = ".config/mosaic/fleet/bin"
UNITS = ".config/systemd/user"


def install(fleet: Fleet) -> dict[str, int]:
    """Two agents, looked after by the timer, which is then kept from acting by itself."""
    fleet.declare("a", "b")
    assert fleet.cli("fleet", "install", fleet.repo).code == 0
    fleet.converge()
    fleet.host.systemctl("stop", "mosaic-reconcile.timer", "mosaic-reconcile.service")
    fleet.converge()
    return fleet.pids()


def heals(fleet: Fleet, held: str) -> None:
    """a is healed while one file is held, b is left alone, and that one file is named."""
    before = fleet.pids()
    fleet.kill(before["a"])
    run = fleet.reconcile()
    after = fleet.pids()
    assert after.keys() == {"a", "b"}, run.out + run.err
    assert (after["a"] != before["a"], after["b"]) == (True, before["b"])
    (item,) = run.document["held"]
    assert (item["reason"], item["target"].rpartition("/")[2]) == ("not-owned", held)
    assert run.code == 1


STANDS = {
    "null": "rm {0}; ln -s /dev/null {0}",
    "own": "printf '[Unit]\\nDescription=mine\\n' >{0}.new; mv {0}.new {0}",
    "folder": "rm {0}; mkdir {0}",
}
NOBODY_WAITS = (TIMER, f"{UNITS}/mosaic-responder.service", f"{BIN}/mosaic", f"{BIN}/agent-hook", f"{BIN}/agent-stop")


@pytest.mark.parametrize("path", NOBODY_WAITS)
@pytest.mark.parametrize("how", STANDS)
def test_a_file_that_no_start_needs_is_held_alone(fleet: Fleet, path: str, how: str) -> None:
    install(fleet)
    fleet.sh(STANDS[how].format(path))
    heals(fleet, path.rpartition("/")[2])


def test_what_a_start_needs_holds_it(fleet: Fleet) -> None:
    """The program is somebody's own: nobody is started with it, and the living go on."""
    before = install(fleet)
    fleet.sh(STANDS["own"].format(f"{BIN}/agent-start"))
    fleet.kill(before["a"])
    run = fleet.reconcile()
    assert fleet.pids() == {"b": before["b"]}
    assert run.held("a")["reason"] == "dependency"
    assert "agent-start" in run.held("a")["message"]
    fleet.sh(f"rm {BIN}/agent-start")
    assert fleet.converge()
    assert fleet.pids().keys() == {"a", "b"}


def test_a_holder_that_runs_is_not_needed_anew(fleet: Fleet) -> None:
    install(fleet)
    fleet.sh(STANDS["null"].format(f"{BIN}/tmux-holder"))
    heals(fleet, "tmux-holder")


SPOILT = {
    "nuls": "size=$(stat -c %s {0}); truncate -s 0 {0}; truncate -s $size {0}",
    "empty": ": >{0}",
    "half": "truncate -s 11 {0}",
    "hole": "dd if=/dev/zero of={0} bs=1 count=600 conv=notrunc status=none",
    "mode": "chmod 600 {0}",
}


@pytest.mark.parametrize("how", SPOILT)
def test_what_a_power_cut_has_spoilt_is_put_back(fleet: Fleet, how: str) -> None:
    before = install(fleet)
    files = [f"{BIN}/{one}" for one in ("agent-start", "agent-pane", "agent-hook", "mosaic", "tmux-holder")]
    files += [f"{UNITS}/mosaic-agent@.service", TIMER, ".config/mosaic/fleet/holder.env"]
    files += [f".config/mosaic/fleet/agents/{name}.env" for name in before]
    right = {path: fleet.read(f"{fleet.host.home}/{path}") for path in files}
    for path in files:
        fleet.sh(SPOILT[how].format(path))
    fleet.kill(before["a"])
    fleet.converge()
    after = fleet.pids()
    assert after.keys() == {"a", "b"}
    assert after["b"] == before["b"]
    assert {path: fleet.read(f"{fleet.host.home}/{path}") for path in files} == right


DROP_IN = f"{UNITS}/mosaic-agent@b.service.d/mine.conf"


def put(text: str, path: str = DROP_IN) -> str:
    """The shell command that writes a drop-in."""
    return f"mkdir -p {path.rpartition('/')[0]}; printf '{text}' >{path}"


MASK = "systemctl --user mask"
OTHERS = {
    "masked": (f"{MASK} mosaic-agent@b.service", "systemctl --user unmask mosaic-agent@b.service", "masked"),
    "masked-until-a-boot": (
        f"{MASK} --runtime mosaic-agent@b.service",
        "systemctl --user unmask --runtime mosaic-agent@b.service",
        "masked",
    ),
    "condition": (put("[Unit]\\nConditionPathExists=/nobody-makes-this\\n"), f"rm {DROP_IN}", "overridden"),
    "command": (put("[Service]\\nExecStart=\\nExecStart=/bin/true\\n"), f"rm {DROP_IN}", "overridden"),
    "own-unit": (
        f"printf '[Service]\\nExecStart=/bin/true\\n' >{UNITS}/mosaic-agent@b.service",
        f"rm {UNITS}/mosaic-agent@b.service",
        "overridden",
    ),
    "elsewhere": (
        put("[Service]\\nExecStart=/bin/true\\n", ".local/share/systemd/user/mosaic-agent@b.service"),
        "rm .local/share/systemd/user/mosaic-agent@b.service",
        "overridden",
    ),
    "for-everybody": (
        put("[Service]\\nType=simple\\n", "/etc/systemd/user/mosaic-agent@b.service.d/z.conf"),
        "rm /etc/systemd/user/mosaic-agent@b.service.d/z.conf",
        "overridden",
    ),
}


@pytest.mark.parametrize("which", OTHERS)
def test_a_unit_that_somebody_changed_is_named_and_not_started(fleet: Fleet, which: str) -> None:
    """While it lives nothing is done to it, when it ends it is not healed, and it comes back when the unit does."""
    change, back, word = OTHERS[which]
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.pids()
    fleet.sh(change)
    assert fleet.reconcile("--dry-run").held("b")["reason"] == word
    run = fleet.reconcile()
    assert (run.code, run.held("b")["reason"], fleet.pids()) == (1, word, before)
    assert run.held("b")["changes"] == [{"path": "unit", "live": word, "desired": "as shipped"}]
    rows = {
        row["name"]: row for row in fleet.cli("fleet", "ps", "--fleet", fleet.repo, "-o", "json").document["agents"]
    }
    assert (rows["a"]["sync"], rows["b"]["sync"]) == ("synced", "held")
    assert word in fleet.cli("fleet", "ps", "--fleet", fleet.repo).out
    assert word in fleet.cli("fleet", "status", "--fleet", fleet.repo).out
    assert word in fleet.cli("fleet", "verify", "--fleet", fleet.repo).out
    fleet.kill(*before.values())
    for _ in range(3):
        run = fleet.reconcile()
        assert run.held("b")["reason"] == word
    assert fleet.pids().keys() == {"a"}
    assert fleet.store().load_history(now=0.0).agents["b"].restarts == 0
    fleet.sh(back)
    fleet.converge()
    fleet.up("a", "b")
    assert stale(fleet) == []


FIFO = DROP_IN.replace("mine", "waits")


def test_a_drop_in_that_systemd_would_wait_for(fleet: Fleet) -> None:
    """A FIFO holds its own unit: systemd is not told to read it, which would keep it from all others. What is really
    to be read waits, and is read when it is gone."""
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.pids()
    fleet.sh(f"mkdir -p {FIFO.rpartition('/')[0]}; mkfifo {FIFO}")
    fleet.kill(before["a"])
    run = fleet.reconcile("--timeout", "20s")
    assert run.verbs("a") == ["restart"], run.out
    assert (run.held("b")["reason"], run.held(None)["verb"]) == ("overridden", "reload")
    assert "is a FIFO" in run.held("b")["message"]
    after = fleet.pids()
    assert after["b"] == before["b"]
    fleet.sh(put("[Service]\\nNice=5\\n", f"{UNITS}/mosaic-agent@a.service.d/mine.conf"))
    fleet.kill(after["a"])
    fleet.wait(lambda: fleet.reconcile("--timeout", "20s") and "a" in fleet.pids(), "a is healed again")
    fleet.sh(f"rm {FIFO}")
    assert "reload:framework:daemon-reload" in fleet.converge().done
    assert stale(fleet) == []
    assert fleet.up("a", "b")["b"] == before["b"]


def stale(fleet: Fleet) -> list[str]:
    """Units of which systemd says that they have changed on disk."""
    shown = fleet.host.systemctl("show", "-p", "Id,NeedDaemonReload", "mosaic-*", "mosaic-agent@b.service").stdout
    return [block for block in shown.split("\n\n") if "NeedDaemonReload=yes" in block]


def test_what_an_operator_adds_to_a_unit_is_theirs(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.pids()
    fleet.sh(put("[Unit]\\nDescription=mine\\nConditionPathExists=/\\n[Service]\\nEnvironment=X=1\\nNice=5\\n"))
    fleet.sh(put("[Service]\\nEnvironment=Y=1\\n", f"{UNITS}/mosaic-agent@.service.d/more.conf"))
    assert fleet.converge().done == ["reload:framework:daemon-reload"]
    assert fleet.converge().done == []
    fleet.kill(before["b"])
    fleet.converge()
    assert fleet.up("a", "b")["a"] == before["a"]
    assert stale(fleet) == []


def test_a_masked_agent_can_be_removed(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    fleet.sh(f"{MASK} mosaic-agent@b.service")
    del fleet.agents["b"]
    fleet.commit()
    fleet.converge()
    fleet.up("a")


def test_a_masked_holder_holds_only_what_needs_it(fleet: Fleet) -> None:
    """A mask that counts before the framework's own file."""
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.pids()
    control = ".config/systemd/user.control"
    fleet.sh(f"mkdir -p {control}; ln -s /dev/null {control}/mosaic-tmux-holder.service")
    fleet.kill(before["a"])
    run = fleet.reconcile()
    assert (run.code, run.held(None)["reason"]) == (1, "masked")
    assert fleet.up("a", "b")["b"] == before["b"]
