"""The folder for an agent's word about a message: there while a sender waits, and gone however that one ends."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from providers.host import HostFacts
from providers.machine.facts import gather
from reconciler.delivery.evidence import sweep, waiting

LATER_S = 3600.0


@pytest.fixture
def facts(isolated: Path) -> HostFacts:
    del isolated
    return gather(os.environ)


@pytest.fixture
def folder(facts: HostFacts) -> Path:
    return Path(facts.runtime_dir, "mosaic/await/coder0")


def killed_sender(facts: HostFacts) -> None:
    child = os.fork()
    if child == 0:
        with waiting(facts, "coder0"):
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL


def test_it_ends_with_the_wait(facts: HostFacts, folder: Path) -> None:
    with waiting(facts, "coder0"):
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


def test_what_a_killed_sender_left_is_swept(facts: HostFacts, folder: Path) -> None:
    """Or every word that the agent is told from then on would be kept in there."""
    killed_sender(facts)
    (folder / "1.json").write_text('{"prompt": "a secret"}')
    sweep(facts, time.time())
    assert folder.exists()  # it could be one that was made just now
    sweep(facts, time.time() + LATER_S)
    assert not folder.exists()
    sweep(facts, time.time() + LATER_S)


def test_nobody_s_wait_is_swept(facts: HostFacts, folder: Path) -> None:
    with waiting(facts, "coder0"):
        sweep(facts, time.time() + LATER_S)
        assert folder.exists()


def test_only_folders_are_swept(facts: HostFacts, folder: Path, tmp_path: Path) -> None:
    folder.parent.mkdir(parents=True)
    (tmp_path / "kept").touch()
    folder.symlink_to(tmp_path)
    os.mkfifo(folder.with_name("fifo"))
    sweep(facts, time.time() + LATER_S)
    assert (tmp_path / "kept").exists()


def test_a_new_wait_takes_the_place_of_a_killed_one(facts: HostFacts, folder: Path) -> None:
    killed_sender(facts)
    (folder / "1.json").write_text('{"prompt": "hello"}')
    with waiting(facts, "coder0") as receipts:
        assert not receipts.find("hello").evidence
        sweep(facts, time.time() + LATER_S)
        (folder / "2.json").write_text('{"prompt": "hello"}')
        assert receipts.find("hello").evidence == "api"
