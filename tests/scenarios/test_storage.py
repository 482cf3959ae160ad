"""A state folder that cannot be written: no agent pays for it, and the run says what to do."""

from __future__ import annotations

from tests.scenarios.fleet import NAME, Fleet

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


def test_a_full_home_names_the_file_that_could_not_be_written(fleet: Fleet) -> None:
    """And what needs no room goes on: the new commit is in force, and who has ended is started again."""
    fleet.sh("mkdir -p .config/mosaic && mount -t tmpfs -o size=6m tmpfs .config/mosaic")
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.sh("dd if=/dev/zero of=.config/mosaic/filler bs=4k 2>/dev/null || true")
    fleet.agents["a"]["env"] = {"X": "y" * 5000}
    fleet.commit()
    fleet.kill(before["b"])
    run = fleet.reconcile()
    assert run.code == 1, run.err
    marker = f"{fleet.mosaic}/ledger/{NAME}.json"
    assert f"cannot write {marker}: No space left on device" in run.err
    assert f"cannot write {fleet.state}" not in run.err
    failed = [one["error"] for one in run.document["actions"] if one["result"] == "failed"]
    assert failed
    assert all(one.startswith(f"{fleet.mosaic}/fleet/agents/a.") for one in failed), failed
    after = fleet.up(*TWO)
    assert (after["a"], after["b"] != before["b"]) == (before["a"], True)
    paused = fleet.cli("fleet", "pause", "--reason", "full")
    assert paused.code not in (0, 70), paused.out
    assert f"cannot write {fleet.mosaic}/fleet/run/PAUSED: No space left" in paused.err
    fleet.sh("rm .config/mosaic/filler")
    fleet.converge()
    assert "cannot write" not in fleet.converge().err
    assert fleet.up(*TWO)["a"] != before["a"]


def test_a_home_without_inodes_names_the_file_that_could_not_be_made(fleet: Fleet) -> None:
    fleet.sh("mkdir -p .config/mosaic && mount -t tmpfs -o size=6m,nr_inodes=120 tmpfs .config/mosaic")
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.sh("n=0; while touch .config/mosaic/filler.$n 2>/dev/null; do n=$((n+1)); done")
    fleet.agents["c"] = dict(fleet.agents["b"])
    fleet.commit()
    run = fleet.reconcile()
    assert run.code == 1, run.err
    (error,) = {one["error"] for one in run.document["actions"] if one["result"] == "failed" and one["verb"] == "write"
                and one["provider"] == "env"}  # fmt: skip
    assert error == f"{fleet.mosaic}/fleet/agents/c.env cannot be written: No space left on device"
    assert fleet.up(*TWO) == before
    fleet.sh("rm .config/mosaic/filler.*")
    fleet.converge()
    assert fleet.up(*TWO, "c")["a"] == before["a"]


def test_a_full_unit_folder_names_the_file_that_could_not_be_written(fleet: Fleet) -> None:
    fleet.sh("mkdir -p .config/systemd/user && mount -t tmpfs -o size=300k tmpfs .config/systemd/user")
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    fleet.sh("dd if=/dev/zero of=.config/systemd/user/filler bs=4k 2>/dev/null || true")
    unit = f"{fleet.units}/mosaic-responder.service"
    fleet.sh(f"rm {unit}; dd if=/dev/zero of=.config/systemd/user/more bs=1k 2>/dev/null || true")
    fleet.kill(before["a"])
    run = fleet.reconcile()
    failed = [one["error"] for one in run.document["actions"] if one["result"] == "failed"]
    assert all(one.startswith(f"{fleet.units}/") and "No space left" in one for one in failed), failed
    assert fleet.up(*TWO)["b"] == before["b"], "and a is healed"
    fleet.sh("rm .config/systemd/user/filler")
    fleet.converge()


def test_a_full_runtime_folder_names_the_file_that_could_not_be_written(fleet: Fleet) -> None:
    fleet.declare(*TWO)
    fleet.converge()
    before = fleet.up(*TWO)
    folder = f"{fleet.host.runtime_dir}/mosaic"
    fleet.sh(f"mount -t tmpfs -o size=4k,nr_inodes=2 tmpfs {folder}; : >{folder}/filler")
    run = fleet.reconcile()
    assert run.code not in (0, 70), run.err
    assert f"{folder}/" in run.err
    assert "No space left" in run.err
    assert fleet.pids() == before
    fleet.sh(f"umount {folder}")
    fleet.converge()
    assert fleet.up(*TWO) == before
