"""A private user manager: a real `systemd --user`, its bus, tmux and a home of its own, in namespaces (stdlib only).

Nothing of the machine's is touched: /run, /tmp, /var/tmp, /var/lib/systemd, /etc/systemd/user and the home folder are
tmpfs of the host's own, the cgroups are the host's own, and its processes end with its process 1.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.hosts import cgroups
from tests.hosts.enter import finish
from tests.hosts.errors import HostUnavailable
from tests.hosts.forking import can_fork, server
from tests.hosts.namespace import CHECKOUT, SYSTEM_PATH, Namespace, why_not
from tests.hosts.waiting import eventually

COVERED = ("/run", "/tmp", "/var/tmp", "/var/lib/systemd", "/etc/systemd/user")


def why_unavailable() -> str | None:
    """What this machine lacks for a private host, in words; None if nothing is known to be missing."""
    return why_not(
        {"nsenter": "util-linux", "systemctl": "systemd", "dbus-daemon": "dbus-user-session"},
        {"/usr/lib/systemd/user/dbus.socket": "dbus-user-session"},
    )


class PrivateHost(Namespace):
    """One private host, as a context manager. Raises HostUnavailable with the reason where it cannot be made."""

    def __init__(
        self,
        *,
        hostname: str = "private-host",
        share: Iterable[str | Path] = (),
        env: Mapping[str, str] | None = None,
        timeout: float = 90.0,
    ) -> None:
        """`share`: paths of the machine that stay reachable even below /tmp or the home; `env`: added to the host's."""
        if reason := why_unavailable():
            raise HostUnavailable(reason)
        self.uid = os.getuid()
        user = pwd.getpwuid(self.uid)
        self.home = Path(user.pw_dir)
        self.runtime_dir = Path(f"/run/user/{self.uid}")
        self._timeout = timeout
        self._manager_env = {
            "HOME": str(self.home),
            "USER": user.pw_name,
            "LOGNAME": user.pw_name,
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "PATH": SYSTEM_PATH,
            "XDG_RUNTIME_DIR": str(self.runtime_dir),
            "XDG_CONFIG_HOME": f"{self.home}/.config",
            "XDG_STATE_HOME": f"{self.home}/.local/state",
            "XDG_DATA_HOME": f"{self.home}/.local/share",
            "XDG_CACHE_HOME": f"{self.home}/.cache",
            **(env or {}),
        }
        self.env = {
            **self._manager_env,
            "PATH": f"{Path(sys.executable).parent}:{self._manager_env['PATH']}",
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.runtime_dir}/bus",
            "TERM": "xterm-256color",
        }
        super().__init__(
            {
                "hostname": hostname,
                "covered": [*COVERED, str(self.home)],
                "share": [str(p) for p in (CHECKOUT, sys.prefix, sys.base_prefix, *share)],
                "manager_env": self._manager_env,
                "home": str(self.home),
                "timeout": timeout,
            }
        )

    def argv_inside(self, argv: Sequence[str | Path], *, cwd: str | Path | None = None) -> list[str]:
        """The command of the machine that runs `argv` inside, as in a login session of the host."""
        enter = self.enter(cgroups.session_path(self.uid), cwd=cwd or self.home)
        return [*enter, *(str(word) for word in argv)]

    def popen(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        **options: Any,
    ) -> subprocess.Popen[Any]:
        """Start `argv` inside; `env` is added to the host's, `options` are subprocess.Popen's."""
        return self.spawn(self.argv_inside(argv, cwd=cwd), {**self.env, **(env or {})}, **options)

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        input: str | None = None,
        timeout: float = 180.0,
        check: bool = True,
        cwd: str | Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run `argv` inside and wait. Raises HostCommandError, showing the output; TimeoutExpired after `timeout` s."""
        environ = {**self.env, **(env or {})}
        words = [str(word) for word in argv]
        if can_fork(words, environ):
            order = {
                "argv": words[1:],
                "environ": environ,
                "cwd": str(cwd or self.home),
                "pid": self.pid,
                "cgroup_files": cgroups.procs_files(self.cgroup_folders, cgroups.session_path(self.uid)),
            }
            forked = server().start(order, reads=input is not None)
            return finish(forked, argv, input_=input, timeout=timeout, check=check)
        inside = self.argv_inside(argv, cwd=cwd)
        return self.call(inside, environ, argv, input_=input, timeout=timeout, check=check)

    def python(self, code: str, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run Python `code` inside, with the project importable."""
        env = {"PYTHONPATH": str(CHECKOUT), **(options.pop("env", None) or {})}
        return self.run([sys.executable, "-c", code, *args], env=env, **options)

    def systemctl(self, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return self.run(["systemctl", "--user", "--no-pager", *args], **options)

    def tmux(self, socket: str, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """A tmux command; an empty `socket` is the default server of the host."""
        return self.run(["tmux", "-u", *(["-L", socket] if socket else []), *args], **options)

    def path_outside(self, path: str | Path) -> Path:
        """Where the machine sees this path of the host. An absolute symlink below it leads to the machine's files."""
        return Path(f"/proc/{self.pid}/root") / str(path).lstrip("/")

    def manager_log(self) -> str:
        return self.path_outside("/run/mosaic-host.log").read_text(errors="replace")

    @property
    def manager_pid(self) -> int:
        """The manager's process id, as the host sees it."""
        return int(self.path_outside("/run/mosaic-host.pid").read_text())

    def kill_manager(self) -> None:
        """SIGKILL the user manager and wait until it is gone; what it had started goes on (tmux servers, panes)."""
        pid = self.manager_pid
        self.run(["kill", "-KILL", str(pid)])
        eventually(lambda: not self.path_outside(f"/proc/{pid}").exists(), what="the manager's end")

    def start_manager(self) -> None:
        """Start a user manager again after `kill_manager`, and wait until it answers."""
        script = (
            'for d in "$@"; do echo $$ >"$d" || exit 1; done; echo $$ >/run/mosaic-host.pid;'
            " exec /lib/systemd/systemd --user --log-target=console </dev/null >/dev/null 2>&1"
        )
        files = self.python(
            "import os; from tests.hosts import cgroups as c;"
            "print(*c.procs_files(tuple(h.mount_point for h in c.hierarchies()), c.manager_path(os.getuid())))"
        ).stdout.split()
        env = {"PATH": self._manager_env["PATH"]}
        self.run(["setsid", "--fork", "sh", "-c", script, "sh", *files], env=env)
        eventually(
            lambda: self.systemctl("is-system-running", check=False).stdout.strip() in {"running", "degraded"},
            timeout=self._timeout,
            what="the manager's answer",
        )
