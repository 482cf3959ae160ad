"""Law 13 on a real host: what is wrong with one agent's folder or secret holds that agent alone. The others are healed,
the run says what is wrong, and it goes on by itself when that is mended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.hosts.hanging import MODES
from tests.hosts.namespace import CHECKOUT
from tests.scenarios.fleet import Fleet, Run


@contextmanager
def hanging(fleet: Fleet, folder: str, mode: str) -> Iterator[None]:
    fleet.sh(f"mkdir -p {folder}")
    argv = [sys.executable, "-m", "tests.hosts.hanging", folder, mode]
    server: subprocess.Popen[str] = fleet.host.popen(argv, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "hangs\n"
    try:
        yield
    finally:
        fleet.sh(f"umount --force --lazy {folder}")
        server.kill()


def alone(fleet: Fleet, run: Run, before: dict[str, int], reason: str, said: str) -> dict[str, int]:
    """a was killed: it is healed, and b lives on, held with the reason."""
    assert run.code == 1, run.out + run.err
    assert run.verbs("a") == ["restart"], run.out
    held = run.held("b")
    assert (held["verb"], held["reason"]) == ("restart", reason)
    assert said in held["message"], held
    after = fleet.restarted("a", before)
    assert after["b"] == before["b"]
    return after


def test_a_folder_that_is_a_link_to_itself(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.sh("ln -s loop ~/loop")
    fleet.agents["b"]["working_directory"] = "~/loop"
    fleet.commit()
    fleet.kill(before["a"])
    alone(fleet, fleet.reconcile(), before, "dependency", "its symbolic links form a loop")
    listed = fleet.cli("fleet", "ps", "--fleet", fleet.repo, "-o", "json").document["agents"]
    [why] = [one["why"] for one in listed if one["name"] == "b"]
    assert why.count("its symbolic links form a loop") == 1, why


def test_a_file_of_the_fleet_that_somebody_has_replaced_is_named_with_a_mend_that_works(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    hook = f"{fleet.mosaic}/fleet/bin/agent-hook"
    fleet.sh(f"rm {hook}; mkdir {hook}")
    checks = fleet.cli("fleet", "verify", "--fleet", fleet.repo, "-o", "json").document["checks"]
    [wrong] = [one for one in checks if one["result"] == "wrong"]
    assert (wrong["name"], wrong["mend"]) == ("host", "do what it says, then: reconcile")
    assert "move it away" in wrong["found"]
    fleet.sh(f"rmdir {hook}")
    fleet.converge()


@pytest.mark.parametrize("mode", MODES)
def test_a_folder_on_a_file_system_that_gives_no_answer(fleet: Fleet, mode: str) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    folder = f"{fleet.host.home}/far"
    with hanging(fleet, folder, mode):
        fleet.agents["b"]["working_directory"] = "~/far"
        fleet.commit()
        assert fleet.reconcile("--dry-run").held("b")["reason"] == "unknown"
        fleet.kill(before["a"])
        healed = alone(fleet, fleet.reconcile(), before, "unknown", f"the file system at {folder} (fuse)")
        listed = fleet.cli("fleet", "ps", "--fleet", fleet.repo, "-o", "json")
        assert "far" in listed.out, listed.err
        # One that has ended is not started there: that would hang, and be counted as a heal.
        fleet.kill(healed["b"])
        run = fleet.reconcile()
        assert run.held("b")["reason"] == "unknown"
        assert run.verbs("b") == []
    fleet.wait(lambda: fleet.reconcile().code == 0, "convergence, now that nothing hangs")
    assert fleet.up("a", "b")["a"] == healed["a"]


def silent(fleet: Fleet) -> list[str]:
    """The agents whose first words gave no answer to a run."""
    fleet.reconcile()
    waiting = fleet.cli("agent", "outbox", "-o", "json").document["messages"]
    return [one["agent"] for one in waiting if "answer" in (one["reason"] or "")]


def test_first_words_on_a_file_system_that_gives_no_answer(fleet: Fleet) -> None:
    """They wait, and nobody else does."""
    fleet.declare("a", "b", "c")
    folder = f"{fleet.host.home}/far"
    with hanging(fleet, folder, "mute"):
        for name in "bc":
            fleet.agents[name]["kickstart_template"] = f"~/far/{name}.md"
        fleet.commit()
        fleet.converge()
        before = fleet.up(*"abc")
        fleet.wait(lambda: len(silent(fleet)) == 2, "they wait")
        fleet.kill(before["a"])
        assert fleet.reconcile().verbs("a") == ["restart"]
        resident = fleet.start(fleet.argv("--watch"))
        fleet.kill(fleet.pids()["a"])
        fleet.wait(lambda: "a" in fleet.pids(), "a is healed again")
        terminate(fleet, resident)
    after = fleet.up(*"abc")
    assert {name: after[name] for name in "bc"} == {name: before[name] for name in "bc"}


UNITS_OF_MANY = "~/.local/share/systemd/user"


@pytest.mark.parametrize("what", ["a unit", "a folder of units"])
def test_unit_files_on_a_file_system_that_gives_no_answer(fleet: Fleet, what: str) -> None:
    """systemd has read them before, and would hang on them now: it is not asked to read anything."""
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    folder = f"{fleet.host.home}/far"
    with hanging(fleet, folder, "mute"):
        if what == "a unit":
            fleet.sh("ln -s ~/far/b.service ~/.config/systemd/user/mosaic-agent@b.service")
        else:
            fleet.sh(f"mkdir -p {UNITS_OF_MANY.rpartition('/')[0]}; ln -s ~/far {UNITS_OF_MANY}")
        fleet.kill(before["a"])
        run = fleet.reconcile("--timeout", "10s")
        assert run.code == 1, run.out + run.err
        assert run.verbs("a") == ["restart"], run.out
        if what == "a unit":
            assert run.held("b")["reason"] == "unknown"
            assert f"the file system at {folder} (fuse)" in run.held("b")["message"]
        else:
            assert any("answer" in one["error"] for one in run.document["unknown"]), run.out
        after = fleet.pids()
        assert after["b"] == before["b"]
        assert after["a"] != before["a"]
        resident = fleet.start(fleet.argv("--watch"))
        fleet.kill(after["a"])
        fleet.wait(lambda: "a" in fleet.pids(), "a is healed again")
        terminate(fleet, resident)
    fleet.sh(f"rm -f ~/.config/systemd/user/mosaic-agent@b.service {UNITS_OF_MANY}")
    fleet.wait(lambda: fleet.reconcile().code == 0, "convergence, now that nothing hangs")
    assert fleet.up("a", "b")["b"] == before["b"]


def test_boot_links_on_a_file_system_that_gives_no_answer(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    folder, links = f"{fleet.host.home}/far", f"{fleet.units}/default.target.wants"
    with hanging(fleet, folder, "mute"):
        fleet.sh(f"mv {links} {links}.away; ln -s {folder} {links}")
        fleet.kill(before["a"])
        run = fleet.reconcile()
        assert run.verbs("a") == ["restart"], run.out
        assert any("answer" in one["error"] for one in run.document["unknown"]), run.out
        assert fleet.pids()["b"] == before["b"]
        fleet.sh(f"rm {links}; mv {links}.away {links}")
    fleet.wait(lambda: fleet.reconcile().code == 0, "convergence, now that nothing hangs")
    assert fleet.up("a", "b")["b"] == before["b"]


def test_the_resident_goes_on_while_something_hangs(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    folder = f"{fleet.host.home}/far"
    resident = fleet.start(fleet.argv("--watch"))
    with hanging(fleet, folder, "mute"):
        fleet.agents["b"]["working_directory"] = "~/far"
        fleet.commit()
        fleet.wait(lambda: any(one["agent"] == "b" for one in fleet.status()["held"]), "b is held")
        fleet.kill(before["a"])
        fleet.wait(lambda: fleet.pids().get("a", before["a"]) != before["a"], "a is healed")
        fleet.kill(fleet.pids()["a"])
        fleet.wait(lambda: "a" in fleet.pids(), "a is healed again")
        fleet.wait(lambda: len(fleet.named("mosaic-look")) == 1, "one look that hangs, however often it was due")
        terminate(fleet, resident)
        resident = fleet.start(fleet.argv("--watch"))
    fleet.wait(lambda: fleet.pids().get("b", before["b"]) != before["b"], "b has its folder")
    terminate(fleet, resident)


LINKS = "~/.config/systemd/user/default.target.wants"
NO_LINK = {
    "a file": (f"rm -r {LINKS}; touch {LINKS}", "it is not a folder", f"rm {LINKS}"),
    "a link to nowhere": (f"rm -r {LINKS}; ln -s nowhere {LINKS}", "it is not a folder", f"rm {LINKS}"),
    "read only": (f"mount -t tmpfs -o ro none {LINKS}", "Read-only file system", f"umount {LINKS}"),
    "a file for each": (
        f"cd {LINKS}; for one in *; do rm $one; touch $one; done", "something other than a link", f"rm {LINKS}/*"
    ),
    "a folder for each": (
        f"cd {LINKS}; for one in *; do rm $one; mkdir $one; done", "something other than a link", f"rmdir {LINKS}/*"
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", NO_LINK)
def test_a_boot_link_that_cannot_be_made(fleet: Fleet, how: str) -> None:
    """It is for the next boot: who has ended is started now, a holder that has ended as well, and who is to end ends.
    Each run says what failed, until it is mended."""
    broken, said, mended = NO_LINK[how]
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.sh(broken)
    fleet.kill(before["a"])
    failed(fleet.reconcile(), "enable", said)
    assert fleet.restarted("a", before)["b"] == before["b"]
    listed = fleet.cli("fleet", "ps", "--fleet", fleet.repo, "-o", "json")
    assert "it is not enabled: it will not survive a boot" in listed.out, listed.err
    fleet.tmux("kill-server")
    fleet.host.systemctl("stop", "mosaic-tmux-holder.service")
    failed(fleet.reconcile(), "enable", said)
    fleet.restarted("b", before)
    fleet.sh(mended)
    fleet.wait(lambda: fleet.reconcile().code == 0, "convergence, and a's turn to be healed again")
    fleet.up("a", "b")


def test_a_boot_link_that_cannot_be_removed(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.up("a", "b")
    fleet.sh(f"mount --bind {LINKS} {LINKS}; mount -o remount,bind,ro {LINKS}")
    fleet.agents["b"]["state"] = "stopped"
    fleet.commit()
    failed(fleet.reconcile(), "disable", "Read-only file system")
    assert fleet.pids() == {"a": before["a"]}
    fleet.sh(f"umount {LINKS}")
    fleet.converge()
    assert fleet.up("a") == {"a": before["a"]}


def failed(run: Run, verb: str, said: str) -> None:
    """Only actions of this verb failed, with these words, and nothing was skipped for that."""
    assert run.code == 1, run.out + run.err
    bad = [one for one in run.document["actions"] if one["result"] in ("failed", "skipped")]
    assert {(one["verb"], one["result"]) for one in bad} == {(verb, "failed")}, run.out
    assert all(said in one["error"] for one in bad), bad


def terminate(fleet: Fleet, resident: subprocess.Popen[str]) -> None:
    """As systemd does it: what was started here is only the way into the host."""
    fleet.kill(int(fleet.sh("pgrep --oldest --full -- '-m reconciler .* --watch'")), signal="TERM")
    assert resident.wait(timeout=60) == 143
