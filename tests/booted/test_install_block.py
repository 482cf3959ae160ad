"""The README's install block, typed line by line in a login shell on a machine that has nothing of what it needs.

There is no network: what apt and pip would fetch is in apt's own cache and in a folder of wheels, put there when the
root was made. The lines, the packages' installation and all that comes after are real.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from typing import IO, Any

import pytest

from tests.hosts import Machine, eventually
from tests.hosts.environment import WHEELS
from tests.hosts.fixtures import RealHosts
from tests.hosts.systems import CHECKOUT, named, this_system, wanted

USER = "hedy"
# Fetches nothing, and says so once for each: an old list is as good as what is in apt's cache.
OFFLINE = 'Acquire::Retries "0";\n'
PIP = f"[global]\nno-index = true\nfind-links = {WHEELS}\n"
PROMPT = re.compile(rb"\[(\d+)\]READY> $")
LONG = 240.0  # seconds: apt and pip on a busy machine


def block() -> list[str]:
    """The lines of the README between `## Install in a minute` and the end of its block."""
    text = (CHECKOUT / "README.md").read_text().partition("\n## Install in a minute\n")[2]
    lines = text.partition("```console\n")[2].partition("```")[0].splitlines()
    assert all(line.startswith("$ ") for line in lines)
    return [line.removeprefix("$ ") for line in lines]


class Terminal:
    """A login shell in the machine, with a session of logind's and a terminal of its own."""

    def __init__(self, machine: Machine, user: str) -> None:
        argv = ["script", "-qfc", f"su - {user}", "/dev/null"]
        dumb = {"TERM": "dumb"}  # no colours, and no escapes around a prompt
        self._process = machine.popen(
            argv, env=dumb, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in: IO[bytes] = self._process.stdin
        self._out: IO[bytes] = self._process.stdout
        # What is typed before the shell asks may be thrown away.
        self._until(re.compile(rb"\$ $"))
        self.code, self.said = self._answer(b"unset PROMPT_COMMAND; PS1='[$?]REA''DY> '\n")

    def type(self, line: str) -> str:
        """What is said until the next prompt; what a person is asked meanwhile is answered with yes."""
        self.code, self.said = self._answer(f"{line}\n".encode())
        assert self.code == 0, f"{line!r} ended with {self.code}:\n{self.said}"
        return self.said

    def _answer(self, typed: bytes) -> tuple[int, str]:
        self._write(typed)
        said = self._until(PROMPT)
        return int(PROMPT.findall(said)[-1]), said.decode(errors="replace").replace("\r", "")

    def _write(self, typed: bytes) -> None:
        self._in.write(typed)
        self._in.flush()

    def _until(self, prompt: re.Pattern[bytes]) -> bytes:
        seen, answered = b"", False
        deadline = time.monotonic() + LONG
        while prompt.search(seen) is None:
            ready, _, _ = select.select([self._out], [], [], max(0.0, deadline - time.monotonic()))
            more = os.read(self._out.fileno(), 65536) if ready else b""
            assert more, f"no prompt after:\n{seen.decode(errors='replace')}"
            seen += more
            if not answered and b"[Y/n]" in seen:
                answered = True
                self._write(b"y\n")
        return seen

    def close(self) -> None:
        self._in.close()
        self._process.wait(timeout=90)


@pytest.fixture(scope="module")
def bare(real_hosts: RealHosts) -> Iterator[Machine]:
    with real_hosts(lambda: Machine("bare", system=wanted() or named(this_system()), bare=True)) as host:
        yield host


@pytest.fixture(scope="module")
def terminal(bare: Machine) -> Iterator[Terminal]:
    """Somebody who may become root, with a checkout."""
    bare.useradd(USER)
    for path, text in {
        f"/etc/sudoers.d/{USER}": f"{USER} ALL=(ALL) NOPASSWD: ALL\n",
        "/etc/pip.conf": PIP,
        "/etc/apt/apt.conf.d/99offline": OFFLINE,
    }.items():
        bare.run(["tee", path], input=text)
    folder = f"{bare.home(USER)}/mosaic-fleet"
    names = [path.name for path in CHECKOUT.iterdir() if not path.name.startswith(".")]
    copy = 'mkdir "$1"; cd "$2"; shift 2; tar --exclude=__pycache__ -cf - "$@" | tar -C "$0" -xf -'
    bare.run(["sh", "-ec", copy, folder, folder, str(CHECKOUT), *names], USER)
    with closing(Terminal(bare, USER)) as shell:
        shell.type(f"cd {folder}")
        yield shell


def stubs(machine: Machine) -> dict[str, str]:
    """The names of the agents whose program runs, and its process id."""
    found = {}
    for folder in machine.path_outside("/proc").glob("[0-9]*"):
        try:
            argv, environ = (folder / "cmdline").read_bytes(), (folder / "environ").read_bytes()
        except OSError:
            continue
        if b"/providers/stub.py" in argv and not argv.startswith(b"systemd-run"):
            variables: dict[str, Any] = dict(
                word.decode(errors="replace").partition("=")[::2] for word in environ.split(b"\0")
            )
            found[variables.get("MOSAIC_AGENT_NAME", "")] = folder.name
    return found


def test_the_machine_is_bare(terminal: Terminal) -> None:
    for program in ("git", "tmux", "mosaic", "reconcile"):
        terminal.type(f"! command -v {program}")
    terminal.type("! python3 -c 'import ensurepip'")


def test_each_line_does_what_it_says(bare: Machine, terminal: Terminal) -> None:
    """From a machine that has nothing to a fleet that has healed."""
    lines = block()
    end = lines.index("mosaic fleet ps")
    said = {line: terminal.type(line) for line in lines[: end + 1]}
    assert "4 agents" in said["mosaic fleet ps"]
    assert "nothing wrong" in said["mosaic fleet ps"]
    preview = next(text for line, text in said.items() if line.startswith("reconcile --dry-run"))
    assert "Plan: 4 to start, 0 to change, 0 to stop." in preview
    installed = next(text for line, text in said.items() if line.startswith("mosaic fleet install"))
    assert "Converged" in installed
    before = stubs(bare)
    assert len(before) == 4
    ends, waits = lines[end + 1 :]
    terminal.type(ends)
    assert "4 agents" in terminal.type(waits)  # it ends when nothing is wrong any more
    after = stubs(bare)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {"coder0"}


def test_doctor_has_nothing_against_it(terminal: Terminal) -> None:
    terminal.type("mosaic doctor")


def test_it_outlives_the_login_and_a_reboot(bare: Machine, terminal: Terminal) -> None:
    terminal.close()
    bare.reboot()
    bare.wait_for_user(USER)
    eventually(lambda: len(stubs(bare)) == 4, timeout=LONG, what="the four agents", every=0.5)


def test_the_page_says_the_same() -> None:
    page = (CHECKOUT / "docs/install.md").read_text()
    for line in block():
        if line.startswith(("sudo apt install", "python3 -m venv", "~/", "export PATH", "git config")):
            assert f"$ {line}\n" in page
