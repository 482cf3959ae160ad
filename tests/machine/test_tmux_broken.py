"""A tmux that hangs, prints garbage, floods or is not there: unknown, never "no sessions", and never for long."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from providers.base import ObserveError
from providers.processes import process, procfs
from providers.steps import CaptureDead, KillPane
from providers.tmux.pane_rows import parse
from providers.tmux.server import TmuxClient
from tests.hosts.waiting import eventually

KILL = KillPane(socket="t", pane="%1", agent="a", pid=1)
CAPTURE = CaptureDead(socket="t", pane="%1", agent="a")


def _tmux(folder: Path, script: str, *, timeout_s: float = 30.0) -> TmuxClient:
    program = folder / "tmux"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return TmuxClient({"PATH": f"{folder}:/usr/bin:/bin"}, os.getuid(), timeout_s=timeout_s)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 0", "unexpected"),
        ("echo hello", "unexpected"),
        ("echo @mosaic-first", "unexpected"),
        ("echo @mosaic-first; echo @p:1:2; echo @mosaic-last", "not a pane"),
        ("echo @mosaic-first; echo; echo @mosaic-last", "not a pane"),
        ("head -c 100000 /dev/urandom", "unexpected"),
        ("echo 'lost server' >&2; exit 1", "lost server"),
        ("echo 'error connecting to /tmp/x (Permission denied)' >&2; exit 1", "Permission denied"),
        ("echo 'protocol version mismatch (client 8, server 7)' >&2; exit 1", "protocol version"),
        ("exit 3", "status 3"),
        ("kill -9 $$", "status -9"),
        ("exec sleep 1000", "did not end within 0.5 s"),
        ("sleep 1000", "did not end within 0.5 s"),
        ("exec yes @p", "printed more than"),
        ("trap '' TERM INT HUP; while :; do :; done", "did not end within 0.5 s"),
    ],
)
def test_unknown_and_never_empty(tmp_path: Path, script: str, says: str) -> None:
    broken = _tmux(tmp_path, script, timeout_s=0.5 if "did not end" in says else 30.0)
    with pytest.raises(ObserveError, match=says):
        broken.server("t", dict)
    (_, killed) = next(iter(broken.kill("t", [("k", KILL)], dict)))
    assert not killed.ok
    assert killed.error
    list(broken.capture("t", [("c", CAPTURE)]))


def test_a_hung_tmux_takes_its_children_with_it(tmp_path: Path) -> None:
    for patience in (0.5, 3.0, 20.0):  # on a busy machine it may not even have begun by then
        broken = _tmux(tmp_path, f"sleep 1000 & echo $! > {tmp_path}/child; wait", timeout_s=patience)
        with pytest.raises(ObserveError, match="did not end"):
            broken.server("t", dict)
        if (tmp_path / "child").exists():
            break
    pid = int((tmp_path / "child").read_text())

    def gone() -> bool:
        child = procfs.scan(os.getuid()).get(pid)
        return child is None or child.state == "Z" or child.comm != "sleep"

    # It is not our child, so nobody tells when the signal that was sent to its group has ended it.
    eventually(gone, timeout=90, what="the end of what the hung tmux had started")


def test_one_that_leaves_something_behind_is_not_waited_for(tmp_path: Path) -> None:
    broken = _tmux(tmp_path, f"sleep 1000 & echo $! > {tmp_path}/child; echo @mosaic-first; echo @mosaic-last")
    try:
        assert broken.server("t", dict).state == "up"
    finally:
        os.kill(int((tmp_path / "child").read_text()), 9)


def test_not_installed_names_the_package(tmp_path: Path) -> None:
    with pytest.raises(ObserveError, match="apt install tmux"):
        TmuxClient({"PATH": str(tmp_path)}, os.getuid()).server("t", dict)


def test_no_server_is_down_and_the_environment_is_clean(tmp_path: Path) -> None:
    script = f'env > {tmp_path}/env; echo "$@" > {tmp_path}/argv; echo "no server running on /tmp/x" >&2; exit 1'
    hidden = {"TMUX": "/tmp/x,1,2", "TMUX_TMPDIR": "/x", "TMUX_PANE": "%1", "LC_ALL": "C", "KEPT": "yes"}
    _tmux(tmp_path, script)
    down = TmuxClient({"PATH": f"{tmp_path}:/usr/bin:/bin", **hidden}, os.getuid())
    assert down.server("", dict).state == "down"
    assert "-L" not in (tmp_path / "argv").read_text()
    env = (tmp_path / "env").read_text().splitlines()
    assert not [line for line in env if line.startswith("TMUX")]
    assert {"LC_ALL=C.UTF-8", "KEPT=yes"} <= set(env)


def test_a_line_by_hand() -> None:
    line = "@p:10:1:7:100:200:300::2:1:0:0:name:%3:agent:fleet:abc:def:agent:10.77:@c:tmux: x:@t:a:@t:b"
    (pane,) = parse([line.encode()])
    assert (pane.pid, pane.dead, pane.dead_status, pane.created, pane.activity) == (10, True, 7, 100.0, 300.0)
    assert (pane.session, pane.mark, pane.fleet, pane.launch, pane.mission) == ("name", "agent", "fleet", "abc", "def")
    assert (pane.attached, pane.in_mode, pane.command, pane.title, pane.id) == (2, True, "tmux: x", "a:@t:b", "%3")
    assert (pane.panes, pane.life, pane.others, pane.moved) == (1, "10.77", (), False)


def test_an_abandoned_child_leaves_nothing(tmp_path: Path) -> None:
    child = process.Child(["sleep", "1000"], {"PATH": "/usr/bin:/bin"}, timeout_s=5, limit=100)
    child.abandon()
    child.abandon()
    assert child.pid not in procfs.scan(os.getuid())
    assert list(tmp_path.iterdir()) == []
