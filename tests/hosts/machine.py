"""A whole booted machine: Debian's systemd as process 1, logind, users with linger, a disk that outlives a reboot.

systemd-nspawn boots an overlay of the machine's own root folder, with everything that it writes on a tmpfs, inside
namespaces that a minder keeps (see `minder.py`): when the owner ends, however it ends, nothing of it is left.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.hosts import cgroups
from tests.hosts.disk import ROOT, Disk
from tests.hosts.errors import HostUnavailable
from tests.hosts.namespace import CHECKOUT, SYSTEM_PATH, Namespace, joining, why_not
from tests.hosts.systems import System, wanted
from tests.hosts.waiting import eventually

REBOOT = 133  # nspawn's exit status when the machine asked for a reboot
# Newer systems know the one hierarchy only, whatever this machine has.
_UNIFIED = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
# What nspawn does not take away when it is killed; newer ones then refuse to start the machine again.
_CLEAR = r"""
sed -n 's:^[^/]*/[^ ]* \(/run/systemd/nspawn[^ ]*\) .*:\1:p' /proc/self/mountinfo | sort -r |
while read -r mounted; do umount --lazy "$mounted"; done
rm -rf /run/systemd/nspawn
"""


def why_unavailable() -> str | None:
    """What this machine lacks to boot another, in words; None if nothing is known to be missing."""
    return why_not(
        {
            "nsenter": "util-linux",
            "systemd-nspawn": "systemd-container",
            "loginctl": "systemd",
            "runuser": "util-linux",
        },
        {
            "/usr/lib/systemd/user/dbus.socket": "dbus-user-session",
            "/usr/share/pam-configs/systemd": "libpam-systemd",
            "/usr/lib/polkit-1/polkitd": "polkitd",  # without it only root may switch linger on
        },
    )


class Machine:
    """One booted machine, as a context manager. Raises HostUnavailable with the reason where it cannot be made."""

    def __init__(
        self,
        name: str = "machine",
        *,
        share: Iterable[str | Path] = (),
        system: System | None = None,
        bare: bool = False,
        nspawn: Sequence[str] = ("systemd-nspawn",),
        timeout: float = 180.0,
    ) -> None:
        """`share`: paths of the machine that appear in this one, writable, at the same place.

        `system`: another than the one that this run is on; `bare`: with nothing that the project asks for (of another
        system than the machine's own only). `nspawn`: another than this machine's.
        """
        if reason := why_unavailable():
            raise HostUnavailable(reason)
        self.name = name
        self.leader = 0
        self._timeout = timeout
        self._boots = 0
        self._nspawn_argv = tuple(nspawn)
        self._nspawn: subprocess.Popen[Any] | None = None
        self.system = system or wanted()
        self._disk = Disk(self.system, bare=bare, share=share)
        self._space = Namespace(
            {"hostname": name, "covered": ["/run"], "share": [], "manager_env": None, "home": "/", "timeout": timeout}
        )
        self._env = {"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "TERM": "xterm-256color"}
        self.path = f"{Path(sys.executable).parent}:{SYSTEM_PATH}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Self:
        self._space.start()
        try:
            self._outside(self._disk.prepare(self.name))
            self._disk.empty_of_people(Path(f"/proc/{self._space.pid}/root{ROOT}"))
            self._boot()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """End the machine and forget its disk. Raises HostLeftovers if anything of it remains."""
        self._nspawn, self.leader = None, 0
        try:
            self._space.close()
        finally:
            self._disk.close()

    def _outside(self, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run a program of the real machine, in the namespaces around this one."""
        enter = self._space.enter(cgroups.INIT)
        return self._space.call([*enter, *argv], self._env, argv, input_=None, timeout=self._timeout, check=True)

    def _boot(self) -> None:
        self._outside(["sh", "-c", _CLEAR])
        self._boots += 1
        leaf = f"boot-{self._boots}"
        for folder in self._unit_folders():
            os.mkdir(f"{folder}/{leaf}")
        options = ["--quiet", "--boot", "--register=no", "--keep-unit", "--link-journal=no", "--private-network"]
        options += [
            "--resolv-conf=off",
            "--timezone=off",
            "--console=read-only",
            f"--machine={self.name}",
            f"--directory={ROOT}",
        ]
        log = os.open(self._console_log(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            enter = self._space.enter(leaf)
            # Shutdown and boot say nothing that a test reads, and a quiet console is a quick one.
            argv = [*enter, *self._nspawn_argv, *options, *self._disk.binds, "systemd.show_status=no"]
            env = self._env if self.system is None else {**self._env, **_UNIFIED}
            self._nspawn = self._space.spawn(argv, env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        finally:
            os.close(log)
        self.leader = eventually(lambda: self._find_leader(leaf), timeout=self._timeout, what="the machine's process 1")
        ready = {"running", "degraded"}
        ask = ["systemctl", "is-system-running", "--wait"]
        eventually(
            lambda: self.run(ask, check=False).stdout.strip() in ready, timeout=self._timeout, what="the machine's boot"
        )

    def _find_leader(self, leaf: str) -> int:
        if self._nspawn is None or self._nspawn.poll() is not None:
            raise HostUnavailable(f"systemd-nspawn ended at once: {self._console_log().read_text()[-2000:]}")
        for folder in self._unit_folders():
            with contextlib.suppress(OSError):
                for pid in Path(f"{folder}/{leaf}/payload/init.scope/cgroup.procs").read_text().split():
                    if Path(f"/proc/{pid}/comm").read_text() == "systemd\n":
                        return int(pid)
        return 0

    def _unit_folders(self) -> list[str]:
        return [folder for folder in self._space.cgroup_folders if os.path.isdir(f"{folder}/{cgroups.INIT}")]

    def _console_log(self) -> Path:
        return Path(f"/proc/{self._space.pid}/root/run/console.log")

    def run(
        self,
        argv: Sequence[str | Path],
        user: str | None = None,
        *,
        env: Mapping[str, str] | None = None,
        input: str | None = None,
        timeout: float = 180.0,
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run `argv` in the machine, as root or as `user` (in the home folder). Errors as for PrivateHost.run."""
        words = self.argv_inside(argv, user, env=env)
        return self._space.call(words, self._env, argv, input_=input, timeout=timeout, check=check)

    def popen(
        self,
        argv: Sequence[str | Path],
        user: str | None = None,
        *,
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> subprocess.Popen[Any]:
        """Start `argv` in the machine; `options` are subprocess.Popen's."""
        return self._space.spawn(self.argv_inside(argv, user, env=env), self._env, **options)

    def argv_inside(
        self, argv: Sequence[str | Path], user: str | None = None, *, env: Mapping[str, str] | None = None
    ) -> list[str]:
        """The command of the real machine that does it."""
        nsenter = shutil.which("nsenter") or "/usr/bin/nsenter"
        enter = [nsenter, f"--target={self.leader}", "--all", "--"]
        home = self.home(user or "root")
        settings = {**self._env, "PATH": self.path, "HOME": home, "USER": user or "root", "LOGNAME": user or "root"}
        as_user = [] if user is None else ["runuser", "-u", user, "--"]
        given = [f"{name}={value}" for name, value in {**settings, **(env or {})}.items()]
        folders = [f"{folder}/boot-{self._boots}/payload/tests.scope" for folder in self._unit_folders()]
        for folder in folders:
            os.makedirs(folder, exist_ok=True)
        files = [f"{folder}/cgroup.procs" for folder in folders]
        return joining(files, [*enter, *as_user, "env", "-i", f"--chdir={home}", *given, *(str(word) for word in argv)])

    def python(self, code: str, user: str | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run Python `code` in the machine, with the project importable."""
        env = {"PYTHONPATH": str(CHECKOUT), **(options.pop("env", None) or {})}
        return self.run([sys.executable, "-c", code], user, env=env, **options)

    def path_outside(self, path: str | Path) -> Path:
        """Where the real machine sees this path. An absolute symlink below it leads to the real machine's files."""
        return Path(f"/proc/{self.leader}/root") / str(path).lstrip("/")

    def _account(self, user: str) -> list[str]:
        lines = self.path_outside("/etc/passwd").read_text().splitlines()
        return next(fields for line in lines if (fields := line.split(":"))[0] == user)

    def home(self, user: str) -> str:
        return self._account(user)[5]

    def uid(self, user: str) -> int:
        return int(self._account(user)[2])

    def useradd(self, name: str) -> int:
        """An ordinary user with a home folder; returns the user id."""
        self.run(["useradd", "--create-home", "--shell", "/bin/bash", name])
        return self.uid(name)

    def enable_linger(self, name: str) -> None:
        """The user's manager runs from now on and from every boot; waits until it answers."""
        self.run(["loginctl", "enable-linger", name])
        self.wait_for_user(name)

    def wait_for_user(self, name: str) -> None:
        """Wait until the manager of a user with linger has started everything that is enabled."""
        eventually(
            lambda: (
                self.user_run(name, ["systemctl", "--user", "is-system-running", "--wait"], check=False).stdout.strip()
                in {"running", "degraded"}
            ),
            timeout=self._timeout,
            what=f"{name}'s manager",
        )

    def user_env(self, name: str) -> dict[str, str]:
        runtime = f"/run/user/{self.uid(name)}"
        return {"XDG_RUNTIME_DIR": runtime, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus"}

    def user_run(self, name: str, argv: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run `argv` as `name` with that user's own manager and bus; options as for `run`."""
        env = {**self.user_env(name), **(options.pop("env", None) or {})}
        return self.run(argv, name, env=env, **options)

    def reboot(self) -> None:
        """An orderly reboot: waits until the machine is up again, on the same disk."""
        self.run(["systemctl", "reboot"], check=False)
        if (status := self._ended()) != REBOOT:
            raise AssertionError(f"the machine ended with {status} instead of rebooting")
        self._boot()

    def power_cut(self) -> None:
        """Everything in the machine ends at once; then it boots again, on the same disk."""
        for pid in (
            self.leader,
            *(pid for f in self._unit_folders() for pid in cgroups.processes(f"{f}/boot-{self._boots}")),
        ):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._ended()
        self._boot()

    def _ended(self) -> int:
        if self._nspawn is None:
            raise AssertionError("the machine does not run")
        status = self._nspawn.wait(timeout=self._timeout)
        left = cgroups.remove(tuple(f"{folder}/boot-{self._boots}" for folder in self._unit_folders()), 10.0)
        if left:
            raise AssertionError(f"of the machine that ended, this is still there: {left}")
        return status

    def connect(self, other: Machine, *, address: str = "10.99.0.1/24", other_address: str = "10.99.0.2/24") -> None:
        """A cable between two machines, until either reboots; its traffic reaches nothing else."""
        ip = shutil.which("ip") or "/usr/sbin/ip"
        ends = [(self, "cable0", address), (other, "cable0", other_address)]
        add = [ip, "link", "add", "cable0", "netns", str(self.leader), "type", "veth"]
        subprocess.run([*add, "peer", "name", "cable0", "netns", str(other.leader)], check=True)
        for machine, link, own in ends:
            machine.run(["ip", "address", "add", own, "dev", link])
            machine.run(["ip", "link", "set", link, "up"])
