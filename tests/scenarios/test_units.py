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
