"""Older layouts, snapshots, and the way back: on a real folder, killed at any write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from providers.shipped import manifest
from providers.shipped.layouts import CONSTITUTION, RAILS, TOOLS
from providers.shipped.release import LAYOUT, release
from reconciler.errors import MosaicError, NotFound, Refused
from reconciler.helpers import atomic_files as files
from reconciler.update import snapshots
from reconciler.update import update as updating
from tests.update.bench import Bench, Killed

NOW = 1_763_600_000.0
SHIPPED = release()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, SHIPPED)


def root(bench: Bench) -> Path:
    return snapshots.root_of(bench.facts.state_home)


def older(bench: Bench, layout: int) -> None:
    """An install from before manifests, with an operator's own things in and beside it."""
    bench.put("AGENTS.md", "everything, and a line of mine\n", 0o600)
    bench.put("STANDARDS.md", "old standards\n")
    bench.put("SOUL.md", "me\n")
    bench.put("credentials.json", "{}", 0o600)
    bench.put("fleet/agents/coder0.env", "MOSAIC_AGENT_NAME=coder0\n", 0o600)
    bench.put("guides/E2E.md", "an old guide\n")
    bench.put("guides/review.md", "an old review\n")
    bench.put("bin/launcher", "#!/bin/sh\n", 0o755)
    (bench.home / "skills").symlink_to("/nonexistent/skills")
    bench.put("rails/git.sh" if layout == RAILS else "tools/git.sh", "#!/bin/sh\n", 0o755)
    if layout == CONSTITUTION:
        bench.put("CONSTITUTION.md", "law\n")


def update(bench: Bench, *, now: float = NOW) -> None:
    updating.make_way(bench.facts, updating.installed(bench.facts), now=now)
    bench.converge()


def pictured(bench: Bench) -> dict[str, tuple[bytes | str, int]]:
    return {
        name: (content, (bench.home / name).lstat().st_mode & 0o7777) for name, content in bench.everything().items()
    }


@pytest.mark.parametrize("layout", [RAILS, TOOLS, CONSTITUTION])
def test_an_older_layout_is_recognised_kept_and_brought_here(bench: Bench, layout: int) -> None:
    older(bench, layout)
    before = pictured(bench)
    assert updating.installed(bench.facts).layout == layout
    update(bench)
    now = updating.installed(bench.facts)
    assert (now.layout, now.differs, now.manifest.version) == (LAYOUT, False, SHIPPED.version)
    after = pictured(bench)
    for name, what in before.items():
        kept = name if name not in SHIPPED.files else f"{name}.pre-constitution.bak"
        assert after[kept] == what, name
    assert bench.read("AGENTS.md") == SHIPPED.files["AGENTS.md"]


@pytest.mark.parametrize("layout", [RAILS, TOOLS, CONSTITUTION])
def test_there_and_back_and_there_again(bench: Bench, layout: int) -> None:
    older(bench, layout)
    before = pictured(bench)
    update(bench)
    bench.put("SOUL.md", "changed since\n")
    bench.put("notes.md", "new since\n")
    target, changed = updating.roll_back(bench.facts, now=NOW + 60)
    assert "older layout" in target.why
    assert "AGENTS.md" in changed
    back = pictured(bench)
    for name, what in before.items():
        assert back[name] == (what if name != "SOUL.md" else (b"changed since\n", what[1])), name
    assert back["notes.md"][0] == b"new since\n"
    assert manifest.NAME not in back
    assert "TOOLS.md" not in back
    assert updating.installed(bench.facts).hold.startswith("they were put back")
    assert bench.run() == 0, "it stays so"
    assert updating.installed(bench.facts).layout == layout
    again, _ = updating.roll_back(bench.facts, now=NOW + 120)
    assert again.why == f"before going back to {target.name}"
    assert bench.read("AGENTS.md") == SHIPPED.files["AGENTS.md"]
    update(bench, now=NOW + 180)
    assert updating.installed(bench.facts).hold == ""
    assert not updating.installed(bench.facts).differs


def test_an_update_that_changes_nothing_keeps_no_snapshot(bench: Bench) -> None:
    update(bench)
    assert len(snapshots.snapshots(root(bench))) == 1
    assert updating.make_way(bench.facts, updating.installed(bench.facts), now=NOW + 60) is None
    assert len(snapshots.snapshots(root(bench))) == 1


def test_files_of_a_newer_version_become_ours_when_asked(bench: Bench) -> None:
    newer = Bench(bench.home.parent, replace(SHIPPED, version="9.1", files={**SHIPPED.files, "AGENTS.md": "newer\n"}))
    newer.converge()
    assert bench.run() == 0
    update(bench)
    assert bench.read("AGENTS.md") == SHIPPED.files["AGENTS.md"]
    assert not (bench.home / "AGENTS.md.pre-constitution.bak").exists()


def test_a_newer_layout_is_refused(bench: Bench) -> None:
    update(bench)
    bench.put(manifest.NAME, bench.read(manifest.NAME).replace(f'"layout": {LAYOUT}', f'"layout": {LAYOUT + 1}'))
    with pytest.raises(Refused, match="newer layout"):
        update(bench)


def test_nothing_to_go_back_to(bench: Bench) -> None:
    with pytest.raises(NotFound, match="no snapshot"):
        updating.roll_back(bench.facts, now=NOW)


def test_a_folder_in_the_way_is_named_before_anything_changes(bench: Bench) -> None:
    older(bench, TOOLS)
    update(bench)
    (bench.home / "AGENTS.md").unlink()
    (bench.home / "AGENTS.md").mkdir()
    before = bench.everything()
    with pytest.raises(MosaicError, match=r"AGENTS\.md"):
        updating.roll_back(bench.facts, now=NOW + 60)
    assert {**bench.everything(), manifest.HOLD: b""} == {**before, manifest.HOLD: b""}


def test_a_folder_where_nothing_stood_is_left_and_holds_nothing(bench: Bench) -> None:
    older(bench, TOOLS)
    update(bench)
    (bench.home / "TOOLS.md").unlink()
    (bench.home / "TOOLS.md").mkdir()
    updating.roll_back(bench.facts, now=NOW + 60)
    assert (bench.home / "TOOLS.md").is_dir()
    assert bench.read("AGENTS.md") == "everything, and a line of mine\n"


def test_links_stay_links(bench: Bench) -> None:
    older(bench, TOOLS)
    (bench.home / "AGENTS.md").unlink()
    (bench.home / "AGENTS.md").symlink_to("elsewhere.md")
    bench.put("elsewhere.md", "somebody's\n")
    update(bench)
    assert (bench.home / "AGENTS.md").is_symlink(), "held, and never followed"
    (bench.home / "AGENTS.md").unlink()
    bench.converge()
    updating.roll_back(bench.facts, now=NOW + 60)
    assert (bench.home / "AGENTS.md").readlink() == Path("elsewhere.md")
    assert bench.read("elsewhere.md") == "somebody's\n"


def test_the_number_of_snapshots_is_bounded(bench: Bench) -> None:
    update(bench)
    before = updating.installed(bench.facts)
    for number in range(snapshots.KEEP + 5):
        updating.snapshot(bench.facts, before, "again", now=NOW + number)
    (root(bench) / "20200101T000000Z").mkdir()  # what a killed one has left
    last = updating.snapshot(bench.facts, before, "again", now=NOW + 99)
    again = updating.snapshot(bench.facts, before, "in the same second", now=NOW + 99)
    kept = snapshots.snapshots(root(bench))
    assert len(kept) == snapshots.KEEP
    assert [one.name for one in kept[-2:]] == [last.name, again.name]
    assert not (root(bench) / "20200101T000000Z").exists()


def test_a_snapshot_is_private(bench: Bench) -> None:
    older(bench, TOOLS)
    update(bench)
    (one,) = snapshots.snapshots(root(bench))
    assert one.folder.stat().st_mode & 0o777 == 0o700
    assert (one.folder / "files/AGENTS.md").stat().st_mode & 0o777 == 0o600
    assert not list(one.folder.rglob("credentials*"))


Act = Callable[[Bench], None]


def forward(bench: Bench) -> None:
    update(bench, now=NOW + 500)


def back(bench: Bench) -> None:
    updating.roll_back(bench.facts, now=NOW + 500)


@pytest.mark.parametrize("act", [forward, back], ids=["forward", "back"])
def test_killed_at_any_write_the_next_one_goes_on(tmp_path: Path, act: Act, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each write of a file of the state or of `$MOSAIC_HOME` in turn, by whatever means it is made."""
    import providers.filesystem.files
    from providers.machine.local_host import LocalHost

    wanted: dict[str, bytes | str] = {}
    for at in range(200):
        bench = Bench(tmp_path / str(at), SHIPPED)
        older(bench, TOOLS)
        if act is back:
            update(bench)
        before = bench.everything()
        left = at

        def dies(real: Callable[..., object]) -> Callable[..., object]:
            def wrapped(*args: object, **options: object) -> object:
                nonlocal left
                if left == 0:
                    raise Killed
                left -= 1
                return real(*args, **options)

            return wrapped

        with monkeypatch.context() as patch:
            for module in (snapshots, updating):
                patch.setattr(module, "write_atomic", dies(files.write_atomic))
            patch.setattr(providers.filesystem.files, "delete", dies(providers.filesystem.files.delete))
            patch.setattr(LocalHost, "begin", dies(LocalHost.begin))
            try:
                act(bench)
            except Killed:
                killed = True
            else:
                killed = False
        if act is back and killed:
            assert bench.run() == 0 or bench.everything() == before, "held, or not begun"
        for name, content in before.items():
            now = bench.everything()
            assert content in (now.get(name), now.get(f"{name}.pre-constitution.bak")) or act is back, name
        if killed:
            act(bench)
        found = {name: text for name, text in bench.everything().items() if name != manifest.HOLD}
        wanted = wanted or found
        assert found == wanted, at
        if not killed:
            break
    else:
        pytest.fail("it never ended")
    assert at > 10


def gone(bench: Bench) -> Bench:
    """An install of a version with one guide more, brought up to date: the guide is not the framework's any more."""
    earlier = Bench(
        bench.home.parent, replace(SHIPPED, version="0.0.9", files={**SHIPPED.files, "guides/gone.md": "old\n"})
    )
    earlier.converge()
    update(bench)
    assert not (bench.home / "guides/gone.md").exists()
    return bench


def test_there_and_back_and_there_again_with_a_file_that_ships_no_more(bench: Bench) -> None:
    gone(bench)
    after = pictured(bench)
    updating.roll_back(bench.facts, now=NOW + 60)
    assert bench.read("guides/gone.md") == "old\n"
    updating.roll_back(bench.facts, now=NOW + 120)
    assert {name: what for name, what in pictured(bench).items() if name != manifest.HOLD} == after


def test_a_rollback_leaves_what_is_the_operators_by_now(bench: Bench) -> None:
    """A guide that ships no more, and that somebody has written anew."""
    gone(bench)
    bench.put("guides/gone.md", "mine\n")
    _, changed = updating.roll_back(bench.facts, now=NOW + 60)
    assert "guides/gone.md" not in changed
    assert bench.read("guides/gone.md") == "mine\n"


def test_a_rollback_keeps_an_edit_beside_and_never_in_a_snapshot_alone(bench: Bench) -> None:
    """Snapshots are removed after a while."""
    older(bench, TOOLS)
    update(bench)
    bench.put("TOOLS.md", "a line of mine\n", 0o600)
    (bench.home / "guides/review.md").unlink()
    (bench.home / "guides/review.md").symlink_to("our-own.md")
    updating.roll_back(bench.facts, now=NOW + 60)
    assert not (bench.home / "TOOLS.md").exists()
    assert bench.read("guides/review.md") == "an old review\n"
    assert pictured(bench)["TOOLS.md.pre-constitution.bak"] == (b"a line of mine\n", 0o600)
    # The first one of that name is the old review that the update kept.
    assert (bench.home / "guides/review.md.pre-constitution.2.bak").readlink() == Path("our-own.md")
    before = pictured(bench)
    updating.roll_back(bench.facts, now=NOW + 120)
    assert bench.read("TOOLS.md") == "a line of mine\n"
    updating.roll_back(bench.facts, now=NOW + 180)
    assert pictured(bench).keys() == before.keys(), "the same edit is kept once"


def test_what_is_edited_while_a_rollback_lies_broken_off_is_kept(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    older(bench, TOOLS)
    update(bench)

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "_restore", killed)
        with pytest.raises(Killed):
            updating.roll_back(bench.facts, now=NOW + 60)
    bench.put("TOOLS.md", "written in between\n")
    updating.roll_back(bench.facts, now=NOW + 120)
    assert bench.read("TOOLS.md.pre-constitution.bak") == "written in between\n"


def test_a_rollback_follows_no_link(bench: Bench) -> None:
    """Neither of the two that have to do with a folder of the framework's may reach what is beyond a link."""
    older(bench, TOOLS)
    update(bench)
    elsewhere = bench.home.parent / "elsewhere"
    (bench.home / "guides").rename(elsewhere)
    (bench.home / "guides").symlink_to(elsewhere)
    before = {path.name: path.read_bytes() for path in elsewhere.iterdir()}
    _, changed = updating.roll_back(bench.facts, now=NOW + 60)
    assert "AGENTS.md" in changed
    assert {path.name: path.read_bytes() for path in elsewhere.iterdir()} == before
