"""A state folder that cannot be written: no agent pays for it, and the run says what to do."""

from __future__ import annotations

from tests.scenarios.fleet import Fleet

TWO = ("a", "b")


def small(fleet: Fleet, size: str = "600k") -> None:
    """The state folder as a file system of its own."""
    fleet.sh(f"mkdir -p .local/state && mount -t tmpfs -o size={size} state .local/state")


def fill(fleet: Fleet) -> None:
    fleet.sh("dd if=/dev/zero of=.local/state/filler bs=4k 2>/dev/null || true")


def test_a_full_disk_ends_nobody(fleet: Fleet) -> None:
    small(fleet)
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fill(fleet)
    fleet.kill(before["a"])
    fleet.agents["b"]["generation"] = 1
    fleet.commit()
    run = fleet.reconcile()
    assert run.code not in (0, 70), run.err
    assert "No space left" in run.err
    assert fleet.pids() == {"b": before["b"]}, "what could not be written down first is not done"
    kept = fleet.store().load_inventory()
    assert sorted(kept.agents) == list(TWO), "what was there is unharmed"
    fleet.sh("rm .local/state/filler")
    fleet.converge()
    after = fleet.up(*TWO)
    assert all(after[name] != before[name] for name in TWO)
    assert fleet.converge().done == []


def test_nothing_to_do_is_nothing_to_do_on_a_full_disk(fleet: Fleet) -> None:
    small(fleet)
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fill(fleet)
    run = fleet.reconcile()
    assert run.code in (0, 1), run.err
    assert run.disruptive == []
    assert fleet.up(*TWO) == before


def test_a_first_run_on_a_full_disk_begins_nothing(fleet: Fleet) -> None:
    small(fleet)
    fill(fleet)
    fleet.declare(*TWO)
    run = fleet.reconcile()
    assert run.code not in (0, 70), run.err
    assert "No space left" in run.err
    assert fleet.pids() == {}
    assert fleet.enabled() == set()
    fleet.sh("rm .local/state/filler")
    fleet.converge()
    fleet.up(*TWO)


def test_a_read_only_state_folder_keeps_the_last_revision_and_says_so(fleet: Fleet) -> None:
    """There is nowhere to put a newer commit, so it is as with a remote that cannot be reached."""
    fleet.sh("mkdir -p .local/state && mount -t tmpfs tmpfs .local/state")
    good = fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.sh("mount -o remount,ro .local/state")
    fleet.agents["b"]["env"] = {"X": "1"}
    fleet.commit()
    run = fleet.reconcile()
    assert run.code != 70
    assert run.document["revision"] == good
    assert run.done == []
    ready = next(one for one in run.document["conditions"] if one["type"] == "SourceReady")
    assert ready["status"] == "False"
    assert "Read-only" in ready["message"]
    assert "status.json: Read-only file system" in run.err
    fleet.kill(before["a"])
    assert fleet.reconcile().code not in (0, 70), "a start that cannot be written down is not made"
    assert fleet.pids() == {"b": before["b"]}
    fleet.sh("mount -o remount,rw .local/state")
    fleet.converge()
    after = fleet.up(*TWO)
    assert after["b"] != before["b"]


def test_read_only_settings_end_nobody(fleet: Fleet) -> None:
    fleet.sh("mkdir -p .config && mount -t tmpfs tmpfs .config")
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.sh("mount -o remount,ro .config")
    fleet.agents["b"]["env"] = {"X": "1"}
    fleet.commit()
    run = fleet.reconcile()
    assert run.code not in (0, 70), run.err
    assert "Read-only file system" in run.err
    assert fleet.up(*TWO) == before
    preview = fleet.reconcile("--dry-run")
    assert preview.verbs("b") == ["write", "restart"], "looking needs no room"
    fleet.sh("mount -o remount,rw .config")
    fleet.converge()
    after = fleet.up(*TWO)
    assert after["a"] == before["a"]
    assert after["b"] != before["b"]


def test_a_full_disk_where_the_launch_environments_are(fleet: Fleet) -> None:
    """The file that was there stays whole, and the agent that lives on it lives on."""
    fleet.sh("mkdir -p .config/mosaic/fleet && mount -t tmpfs -o size=300k tmpfs .config/mosaic/fleet")
    fleet.rules["heartbeat"] = {"interval": "1h", "stale_after": "3h"}
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    env = fleet.read(f"{fleet.mosaic}/fleet/agents/a.env")
    fleet.sh("dd if=/dev/zero of=.config/mosaic/fleet/filler bs=4k 2>/dev/null || true")
    fleet.agents["a"]["env"] = {"X": "y" * 5000}
    fleet.commit()
    run = fleet.reconcile()
    assert run.code == 1
    (write,) = (one for one in run.document["actions"] if one["verb"] == "write")
    assert write["result"] == "failed"
    assert "No space left" in write["error"]
    assert fleet.up(*TWO) == before
    assert fleet.read(f"{fleet.mosaic}/fleet/agents/a.env") == env
    fleet.sh("rm .config/mosaic/fleet/filler")
    fleet.converge()
    assert fleet.up(*TWO)["b"] == before["b"]
