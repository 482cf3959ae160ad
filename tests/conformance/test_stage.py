"""On a real host: what is told of a program that fails, and that nothing of a trial is left, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.conformance.model import PROOFS
from tests.hosts.fixtures import RealHosts
from tests.hosts.namespace import CHECKOUT
from tests.hosts.private import PrivateHost
from tests.hosts.waiting import eventually

COMMAND = [sys.executable, "-c", "from reconciler.commands.mosaic import main; main()", "doctor", "--contract"]


@pytest.fixture(scope="module")
def host(real_hosts: RealHosts) -> Iterator[PrivateHost]:
    with real_hosts(PrivateHost) as host:
        yield host


def environment(host: PrivateHost) -> dict[str, str]:
    return {"PYTHONPATH": str(CHECKOUT), "PATH": f"{host.home}/bin:{host.env['PATH']}"}


def install(host: PrivateHost, name: str, script: str) -> None:
    program = host.path_outside(host.home / "bin" / name)
    program.parent.mkdir(exist_ok=True)
    program.write_text(script)
    program.chmod(0o755)


def contract(host: PrivateHost, *runtimes: str) -> tuple[int, dict[str, Any]]:
    done = host.run([*COMMAND, *runtimes, "-o", "json"], env=environment(host), check=False, timeout=300)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def left(host: PrivateHost) -> list[str]:
    """Folders, sockets and processes of trials."""
    found = [str(path) for path in host.path_outside("/tmp").glob("mosaic-contract-*")]
    found += [str(path) for path in host.path_outside("/tmp").glob("tmux-*/mosaic-contract-*")]
    for folder in host.path_outside("/proc").glob("[0-9]*"):
        try:
            marked = b"\0MOSAIC_CONTRACT=" in b"\0" + (folder / "environ").read_bytes()
            # Zombies wait for a parent that does not ask; they do nothing any more.
            state = (folder / "stat").read_text().rpartition(") ")[2][:1]
        except OSError:
            continue
        if marked and state not in "ZX":
            found.append(f"process {folder.name}: {(folder / 'cmdline').read_bytes()!r}")
    return found


def test_a_program_that_ends_at_once(host: PrivateHost) -> None:
    install(
        host, "claude", '#!/bin/sh\n[ "$1" != --version ] || { echo 9.9.9; exit; }\necho no licence; sleep 1; exit 3\n'
    )
    code, document = contract(host, "claude")
    [trial] = document["runtimes"]
    assert (code, trial["version"], trial["passed"]) == (3, "9.9.9", False)
    outcomes = {proof["name"]: proof["outcome"] for proof in trial["proofs"]}
    assert outcomes == {**dict.fromkeys(PROOFS, "skipped"), "launch": "fail"}
    assert "its program has ended: no licence" in trial["proofs"][0]["evidence"]
    assert left(host) == []


def test_what_is_not_installed_is_a_row(host: PrivateHost) -> None:
    code, document = contract(host, "codex")
    [trial] = document["runtimes"]
    assert (code, trial["installed"], trial["passed"], trial["proofs"]) == (3, False, False, [])


def test_a_daemon_that_wants_to_stay_is_ended_too(host: PrivateHost) -> None:
    stays = "setsid sh -c 'trap \"\" TERM HUP; while :; do sleep 1; done' & exec sleep 1"
    install(host, "claude", f'#!/bin/sh\n[ "$1" != --version ] || {{ echo 1; exit; }}\n{stays}\n')
    code, _ = contract(host, "claude")
    assert code == 3
    assert left(host) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_when_it_is_ended(host: PrivateHost, number: int) -> None:
    """Even by SIGKILL: somebody waits for its end, and cleans up."""
    install(host, "pi", '#!/bin/sh\n[ "$1" != --version ] || { echo 1; exit; }\nexec sleep 1000\n')
    running = host.popen([*COMMAND, "pi"], env=environment(host), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sockets = host.path_outside("/tmp")
    eventually(lambda: list(sockets.glob("tmux-*/mosaic-contract-*")), timeout=60, what="its tmux server")
    eventually(lambda: any("sleep" in one for one in left(host)), timeout=60, what="its program")
    processes = sockets.parent / "proc"

    def commands() -> list[Path]:
        return [one for one in processes.glob("[0-9]*") if _is_the_command(one)]

    eventually(lambda: len(commands()) == 1, timeout=60, what="one process of it")  # a fork looks the same for a moment
    ours = commands()
    host.run(["kill", f"-{number}", ours[0].name])
    running.wait(timeout=60)
    eventually(lambda: not left(host), timeout=60, what=f"that nothing is left of {left(host)}")


def _is_the_command(folder: os.PathLike[str]) -> bool:
    try:
        with open(f"{os.fspath(folder)}/cmdline", "rb") as file:
            words = file.read().split(b"\0")
    except OSError:
        return False
    return b"--contract" in words and words[0].endswith(b"python")
