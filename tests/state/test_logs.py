"""Crash logs and receipts: bounded, private, redacted."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import NotFound
from reconciler.state.logs import RECEIPTS_KEPT, add_receipt, last_words, load_crash, receipts, save_crash
from reconciler.state.store import ReadOnlyStore, Store
from tests import builders as make


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state", tmp_path / "run")


def test_a_crash_log_keeps_the_one_before_it(store: Store) -> None:
    path = save_crash(store, "coder0", "first")
    save_crash(store, "coder0", "second")
    save_crash(store, "coder0", "third")
    assert load_crash(store, "coder0") == "third\n"
    assert load_crash(store, "coder0", previous=True) == "second\n"
    assert load_crash(store, "coder1") is None
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(list(path.parent.iterdir())) == 2


def test_a_crash_log_is_bounded_and_has_no_secrets(store: Store) -> None:
    text = "\x1b[31m" + "line\n" * 5000 + "export API_KEY=abcdef123456\n"
    save_crash(store, "coder0", text)
    kept = load_crash(store, "coder0") or ""
    assert len(kept.splitlines()) <= 200
    assert len(kept) <= 32 * 1024 + 1
    assert "abcdef123456" not in kept
    assert "\x1b" not in kept


def test_the_last_words_are_the_program_s_and_not_tmux_s(store: Store) -> None:
    assert last_words(store, "coder0") == ""
    save_crash(store, "coder0", 'hello\nmosaic: cannot find "codex" on PATH=/bin\n\n\nPane is dead (status 127, Thu)\n')
    assert last_words(store, "coder0") == 'mosaic: cannot find "codex" on PATH=/bin'
    save_crash(store, "coder0", "\n\nPane is dead (status 1, Thu)")
    assert last_words(store, "coder0") == ""


def test_names_do_not_collide(store: Store) -> None:
    for name in ("a", "a.log", "a.log.1", "a.1"):
        save_crash(store, name, f"{name} one")
        save_crash(store, name, f"{name} two")
    for name in ("a", "a.log", "a.log.1", "a.1"):
        assert load_crash(store, name) == f"{name} two\n"
        assert load_crash(store, name, previous=True) == f"{name} one\n"


@pytest.mark.parametrize("name", ["../x", "a/b", "", "a\0b"])
def test_a_name_is_no_path(store: Store, name: str) -> None:
    with pytest.raises(NotFound):
        save_crash(store, name, "x")


def test_the_newest_receipts_are_kept(store: Store) -> None:
    for number in range(RECEIPTS_KEPT + 5):
        add_receipt(store, {"n": number}, now=make.NOW + number, revision=make.SHA)
    kept = receipts(store)
    assert len(kept) == RECEIPTS_KEPT
    assert kept[0].name == "20251120T031924.000000Z-1a2b3c4d5e6f.json"
    assert '"n": 204' in kept[0].read_text()


def test_a_preview_keeps_nothing(tmp_path: Path) -> None:
    preview = Store(tmp_path / "state", tmp_path / "run", read_only=True)
    with pytest.raises(ReadOnlyStore):
        save_crash(preview, "a", "x")
    with pytest.raises(ReadOnlyStore):
        add_receipt(preview, {}, now=make.NOW, revision="")
    assert not any(tmp_path.iterdir())
