"""Two booted machines on a cable, each with an sshd and one user; one fleet whose agents are on both.

The repository is on `near`; `far` fetches it over ssh, as it would from any server.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.hosts import Machine, eventually

USER = "ada"
ADDRESS = {"near": "10.99.0.1", "far": "10.99.0.2"}
BIN = Path(sys.executable).parent
FLEET = """\
version: 1
name: pair
floor: none
hosts: [near, far]
reconcile: {interval: 1h, rollout: {on_change: immediately, max_unavailable: 4}}
"""
ROSTER = """\
version: 1
tmux: {socket_name: pair}
agents:
  - {name: lead, runtime: stub, class: orchestrator, host: near, ssh: ada@near}
  - {name: coder0, runtime: stub, class: code, host: far, ssh: ada@far}
  - {name: coder1, runtime: stub, class: code, host: far}
"""
_TRUST = """
set -eu
umask 077
mkdir -p ~/.ssh
[ -e ~/.ssh/id_ed25519 ] || ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519
cat ~/.ssh/id_ed25519.pub
"""
_COMMIT = """
set -eu
mkdir -p ~/fleet
cd ~/fleet
[ -d .git ] || git init --quiet --initial-branch=main
printf %s "$1" >fleet.yaml
printf %s "$2" >roster.yaml
git add --all
git -c user.name=Ada -c user.email=ada@example.invalid -c commit.gpgsign=false commit --quiet --message "Declare"
"""


class Pair:
    """The two machines, as a context manager. Raises HostUnavailable with the reason where they cannot be made."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.machines = {name: Machine(name) for name in ADDRESS}

    def __enter__(self) -> Self:
        try:
            for machine in self.machines.values():
                self._stack.enter_context(machine)
            self._connect()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _connect(self) -> None:
        near, far = self.machines.values()
        near.connect(far, address=f"{ADDRESS['near']}/24", other_address=f"{ADDRESS['far']}/24")
        hosts = "".join(f"{address} {name}\n" for name, address in ADDRESS.items())
        keys = []
        for machine in self.machines.values():
            machine.path_outside("/etc/hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
            machine.run(["sh", "-c", "rm -f /etc/ssh/ssh_host_*; ssh-keygen -A"])
            machine.useradd(USER)
            machine.enable_linger(USER)
            machine.run(["systemctl", "start", "ssh.service"])
            keys.append(machine.run(["sh", "-c", _TRUST], USER).stdout)
        known = "".join(
            f"{name} {' '.join(machine.path_outside('/etc/ssh/ssh_host_ed25519_key.pub').read_text().split()[:2])}\n"
            for name, machine in self.machines.items()
        )
        for machine in self.machines.values():
            machine.run(["tee", f"/home/{USER}/.ssh/authorized_keys"], USER, input="".join(keys))
            machine.run(["tee", f"/home/{USER}/.ssh/known_hosts"], USER, input=known)
        for name, machine in self.machines.items():
            other = next(one for one in ADDRESS if one != name)
            eventually(
                lambda machine=machine, other=other: (  # type: ignore[misc]
                    machine.run(["ssh", "-o", "BatchMode=yes", f"{USER}@{other}", "true"], USER, check=False).returncode
                    == 0
                ),
                timeout=90,
                every=0.2,
                what=f"the way from {name} to {other}",
            )

    def run(self, host: str, argv: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command as the user of one machine, with that user's own manager."""
        return self.machines[host].user_run(USER, argv, **options)

    def mosaic(self, host: str, *words: str, code: int = 0, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run `mosaic` there and check its exit code."""
        done = self.run(host, [BIN / "mosaic", *words], check=False, **options)
        assert done.returncode == code, f"mosaic {words} on {host}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def document(self, host: str, *words: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.mosaic(host, *words, "-o", "json", code=code).stdout)
        return found

    def declare(self, roster: str = ROSTER, rules: str = FLEET) -> None:
        """Commit on near."""
        self.run("near", ["sh", "-c", _COMMIT, "sh", rules, roster])

    def reconcile(self, host: str, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """A run by hand, which converges or ends with another code."""
        done = self.run(host, [BIN / "reconcile", self.repository(host), *words], check=False)
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def repository(self, host: str) -> str:
        """As that host names it."""
        return f"/home/{USER}/fleet" if host == "near" else f"ssh://{USER}@near/home/{USER}/fleet"
