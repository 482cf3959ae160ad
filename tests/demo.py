"""`./dev demo`: a fleet from nothing to healed, for real.

On a machine whose user has a systemd of their own and no fleet yet, it runs there and takes everything away again.
Otherwise it makes itself a sandbox host: a private user manager in namespaces, which ends with the demo.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.hosts.errors import HostUnavailable
from tests.hosts.namespace import CHECKOUT

EXAMPLE = CHECKOUT / "examples" / "fleets" / "local-canary"
NAME, SOCKET = "mosaic-demo", "mosaic-demo"
BIN = Path(sys.executable).parent
HEARTBEAT_S = 90.0  # a stub's first heartbeat comes at once; this is for a machine under load

Run = Callable[[Sequence[str]], "subprocess.CompletedProcess[str]"]


class DemoFailed(Exception):
    """A step of the demo did not do what it is there to show."""


class Demo:
    """The story, told through `run`, which runs a command on the host that was chosen."""

    def __init__(self, run: Run, folder: Path) -> None:
        self._run, self._repo = run, folder / "fleet"

    def play(self) -> None:
        repo = str(self._repo)
        self.quiet(["mkdir", "-p", str(self._repo.parent)])
        self.quiet(["cp", "-r", str(EXAMPLE), repo])
        self.quiet(["sed", "-i", f"s/mosaic-fleet/{SOCKET}/", f"{repo}/roster.yaml"])
        self.quiet(["sed", "-i", f"s/^name: .*/name: {NAME}/", f"{repo}/fleet.yaml"])
        self.quiet(["git", "init", "--quiet", "--initial-branch=main", repo])
        self.say("A fleet is three files in a git repository. This one has four agents, all of them small stubs.")
        self.show(["cat", "roster.yaml"], real=["sed", "-n", "/^agents:/,$p", f"{repo}/roster.yaml"])
        self.quiet(["git", "-C", repo, "add", "--all"])
        self.commit("Declare the fleet")
        self.say("What would be done?")
        self.show(["reconcile", "--dry-run", "fleet"])
        self.say("Do it.")
        self.show(["reconcile", "fleet"])
        self.say("Again: there is nothing to do.")
        self.show(["reconcile", "fleet"])
        self.until_all_speak()
        self.say("Who is there, and what does each of them do?")
        self.show(["mosaic", "fleet", "ps"])
        self.say("Tell one of them something, and wait until its program has taken it up.")
        self.show(["mosaic", "agent", "send", "coder0", "-m", "good morning", "--verify", "--verify-timeout", "30s"])
        self.show(["mosaic", "agent", "tail", "coder0", "-n", "2"])
        self.say("Kill an agent.")
        pid = self.quiet(["tmux", "-L", SOCKET, "list-panes", "-t", "=coder0:", "-F", "#{pane_pid}"]).strip()
        self.show(["kill", "-9", pid])
        self.until_dead("coder0")
        self.show(["reconcile", "--dry-run", "fleet"])
        self.show(["reconcile", "fleet"])
        self.quiet(["tmux", "-L", SOCKET, "send-keys", "-t", "=reviewer0:", "/busy 600", "Enter"])
        self.until_all_speak("reviewer0")
        self.say("The reviewer has begun to work. Stop it by a commit: it is waited for.")
        self.quiet(
            ["sed", "-i", "s/^    class: reviewer$/    class: reviewer\\n    state: stopped/", f"{repo}/roster.yaml"]
        )
        self.commit("Stop the reviewer")
        self.show(["reconcile", "fleet"], codes=(0, 1))
        self.show(["mosaic", "fleet", "status"])

    def say(self, text: str) -> None:
        print(f"\n# {text}", flush=True)

    def show(self, argv: Sequence[str], *, real: Sequence[str] | None = None, codes: Sequence[int] = (0,)) -> None:
        """Run a command and print it with what it said, as a terminal would."""
        print(f"$ {shlex.join(argv)}", flush=True)
        wanted = list(
            real or [str(self._repo) if word == "fleet" and argv[0] == "reconcile" else word for word in argv]
        )
        done = self._run(wanted)
        text = (done.stdout + done.stderr).rstrip().replace(str(self._repo), "fleet")
        if text:
            print(text, flush=True)
        if done.returncode not in codes:
            raise DemoFailed(f"{' '.join(argv)} ended with {done.returncode}")

    def quiet(self, argv: Sequence[str]) -> str:
        """Run a command that is no part of the story; returns its output."""
        done = self._run(argv)
        if done.returncode:
            raise DemoFailed(f"{' '.join(argv)}: {done.stderr.strip()}")
        return done.stdout

    def commit(self, message: str) -> None:
        who = ["-c", "user.name=Demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false"]
        repo = str(self._repo)
        print(f"$ git commit -a -m '{message}'", flush=True)
        self.quiet(["git", "-C", repo, *who, "commit", "--quiet", "--all", "-m", message])

    def until_all_speak(self, busy: str = "") -> None:
        """A stub's first heartbeat comes a moment after its start, and one that says `busy` when it is told to be."""
        deadline = time.monotonic() + HEARTBEAT_S
        while time.monotonic() < deadline:
            listed = json.loads(self.quiet(["mosaic", "fleet", "ps", "-o", "json"]))
            said = {row["name"]: row["heartbeat"]["state"] for row in listed["agents"]}
            if all(state == ("busy" if name == busy else "ok") for name, state in said.items()):
                return
        raise DemoFailed("not every agent has a heartbeat")

    def until_dead(self, agent: str) -> None:
        """tmux hears of an ended process a moment after the kernel."""
        deadline = time.monotonic() + HEARTBEAT_S
        while time.monotonic() < deadline:
            dead = self.quiet(["tmux", "-L", SOCKET, "list-panes", "-t", f"={agent}:", "-F", "#{pane_dead}"])
            if dead.strip() == "1":
                return
        raise DemoFailed(f"the pane of {agent} did not end")


@contextlib.contextmanager
def sandbox() -> Iterator[tuple[Run, Path]]:
    """A private host that ends with the demo."""
    from tests.hosts.private import PrivateHost

    with PrivateHost(hostname="sandbox") as host:
        env = {"MOSAIC_FLEET": f"{host.home}/fleet"}
        # A sandbox has no logind to ask; its user lingers, as after `loginctl enable-linger`.
        linger = "/var/lib/systemd/linger"
        host.run(["install", "-D", "/dev/null", f"{linger}/{host.env['USER']}"])
        yield (lambda argv: host.run(argv, check=False, env=env)), Path(host.home)


@contextlib.contextmanager
def own_systemd() -> Iterator[tuple[Run, Path]]:
    """This user's own systemd. All that the demo makes is named after it, and is taken away again."""
    folder = Path(tempfile.mkdtemp(prefix="mosaic-demo-", dir=Path.home()))
    env = {
        **os.environ,
        "PATH": f"{BIN}:{os.environ.get('PATH', '')}",
        "MOSAIC_HOME": str(folder / "mosaic"),
        "XDG_STATE_HOME": str(folder / "state"),
        "MOSAIC_FLEET": str(folder / "fleet"),
    }

    def run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(list(argv), env=env, capture_output=True, text=True, timeout=120, check=False)

    lingered = Path("/var/lib/systemd/linger", os.environ.get("USER", "")).exists()
    try:
        yield run, folder
    finally:
        units = [f"mosaic-agent@{name}.service" for name in ("lead", "enhancer", "coder0", "reviewer0")]
        run(["systemctl", "--user", "disable", "--now", "--quiet", *units, "mosaic-tmux-holder.service"])
        config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
        for name in ("mosaic-agent@.service", "mosaic-tmux-holder.service"):
            (config / "systemd" / "user" / name).unlink(missing_ok=True)
        (config / "mosaic" / "ledger" / f"{NAME}.json").unlink(missing_ok=True)
        run(["systemctl", "--user", "daemon-reload"])
        if not lingered:
            run(["loginctl", "disable-linger"])
        shutil.rmtree(folder)


def why_not_own() -> str:
    """Why this user's own systemd is not used for the demo, or ""."""
    try:
        state = subprocess.run(
            ["systemctl", "--user", "is-system-running"], capture_output=True, text=True, timeout=90, check=False
        )
        units = subprocess.run(
            ["systemctl", "--user", "list-unit-files", "--no-legend", "mosaic-*"],
            capture_output=True, text=True, timeout=90, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"systemd does not answer here ({error})"
    if state.stdout.strip() not in ("running", "degraded", "starting"):
        return "this user has no systemd here"
    return "this user has a fleet already, which is none of a demo's business" if units.stdout.strip() else ""


def main() -> int:
    """0 when the story went as told; 1 when it did not; 69 where no host can be had."""
    reason = why_not_own()
    try:
        if reason:
            print(f"# {reason}: the demo runs on a sandbox host of its own.", flush=True)
        with sandbox() if reason else own_systemd() as (run, folder):
            Demo(run, folder).play()
    except HostUnavailable as error:
        print(f"demo: no host to run on: {reason}, and {error}", file=sys.stderr)
        return 69
    except (DemoFailed, subprocess.TimeoutExpired) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print("\n# Everything that the demo made is gone again.", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
