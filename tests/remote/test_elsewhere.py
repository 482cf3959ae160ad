"""A command about an agent of another host is run there, and ends here as it ended there."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.exceptions import Exit

from reconciler.errors import ExitCode, MosaicError, Usage
from reconciler.remote.run_there import run_on_host
from tests.remote.test_everywhere import fleet
from tests.remote.test_ssh import SSH, peer, program


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The other host's `mosaic`, as a program that a test may write."""
    program(tmp_path / "ssh", SSH)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return tmp_path / "mosaic"


@pytest.mark.parametrize(("does", "code"), [("exit 0", 0), ("exit 4", 4), ("kill -TERM $$", 143)])
def test_it_ends_as_it_ended_there(far: Path, does: str, code: int, capfd: pytest.CaptureFixture[str]) -> None:
    program(far, f'#!/bin/sh\necho "$*"\n{does}\n')
    with pytest.raises(Exit) as left:
        run_on_host(fleet(), peer(), "tail", "-n", "5")
    assert left.value.exit_code == code
    assert capfd.readouterr().out == "agent tail coder0 --fleet pair -n 5\n"


@pytest.mark.parametrize(
    ("ssh", "says"),
    [
        ("#!/bin/sh\necho 'ssh: no such host' >&2\nexit 255\n", "far was not reached"),
        ("#!/bin/sh\nexit 127\n", "far has no `mosaic` on its PATH"),
    ],
)
def test_a_host_that_is_not_reached_ends_with_69(far: Path, ssh: str, says: str) -> None:
    program(far.with_name("ssh"), ssh)
    with pytest.raises(MosaicError, match=says) as left:
        run_on_host(fleet(), peer(), "status")
    assert left.value.exit_code is ExitCode.UNAVAILABLE
    assert left.value.help


def test_without_ssh(far: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(far.with_name("empty")))
    with pytest.raises(MosaicError, match="ssh") as left:
        run_on_host(fleet(), peer(), "status")
    assert left.value.exit_code is ExitCode.UNAVAILABLE


def test_nobody_sits_down_without_a_terminal(far: Path) -> None:
    with pytest.raises(Usage, match="there is no terminal here to attach"):
        run_on_host(fleet(), peer(), "attach", types=True)
    assert not far.exists()
