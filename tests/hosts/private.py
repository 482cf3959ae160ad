"""A private user manager: a real `systemd --user`, its bus, tmux and a home of its own, in namespaces (stdlib only).

Nothing of the machine's is touched: /run, /tmp, /var/tmp, /var/lib/systemd, /etc/systemd/user and the home folder are
tmpfs of the host's own, the cgroups are the host's own, and its processes end with its process 1.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.hosts import cgroups
from tests.hosts.enter import finish
from tests.hosts.errors import HostLeftovers, HostUnavailable
from tests.hosts.waiting import eventually

CHECKOUT = Path(__file__).resolve().parents[2]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MINDER = Path(__file__).with_name("minder.py")
# The shell joins the session's cgroups before it enters: from inside the namespace the kernel refuses to move a
# process that is still outside.
_ENTER = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done; shift; exec "$@"'
_NEEDED = {"nsenter": "util-linux", "systemctl": "systemd", "dbus-daemon": "dbus-user-session"}


def why_unavailable() -> str | None:
    """What this machine lacks for a private host, in words; None if nothing is known to be missing."""
    if sys.platform != "linux":
        return "a private host needs Linux"
    if os.geteuid() != 0:
        return f"a private host needs root, for namespaces and cgroups (this is uid {os.geteuid()})"
    missing = [f"{name} (package {package})" for name, package in _NEEDED.items() if shutil.which(name) is None]
    if not Path("/usr/lib/systemd/user/dbus.socket").exists():
        missing.append("the session bus (package dbus-user-session)")
    return f"missing on this machine: {', '.join(missing)}" if missing else None


class PrivateHost:
    """One private host, as a context manager. Raises HostUnavailable with the reason where it cannot be made."""

    def __init__(
        self,
        *,
        hostname: str = "private-host",
        share: Iterable[str | Path] = (),
        env: Mapping[str, str] | None = None,
        timeout: float = 30.0,
    ) -> None:
        """`share`: paths of the machine that stay reachable even below /tmp or the home; `env`: added to the host's."""
        if reason := why_unavailable():
            raise HostUnavailable(reason)
        self.hostname = hostname
        self.uid = os.getuid()
        user = pwd.getpwuid(self.uid)
        self.home = Path(user.pw_dir)
        self.runtime_dir = Path(f"/run/user/{self.uid}")
        self._timeout = timeout
        self._share = [str(p) for p in (CHECKOUT, sys.prefix, sys.base_prefix, *share)]
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
        self.name = ""
        self.pid = 0
        self.cgroup_folders: tuple[str, ...] = ()
        self._minder: subprocess.Popen[str] | None = None
        self._running: list[subprocess.Popen[Any]] = []

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> Self:
        # A session of its own: Ctrl-C at a terminal goes to the test, and the minder then cleans up after it.
        self._minder = minder = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_MINDER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"PATH": SYSTEM_PATH, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        assert minder.stdin is not None
        assert minder.stdout is not None
        wanted = {"hostname": self.hostname, "home": str(self.home), "share": self._share}
        try:
            minder.stdin.write(json.dumps({**wanted, "env": self._manager_env, "timeout": self._timeout}) + "\n")
            minder.stdin.flush()
            report = json.loads(minder.stdout.readline() or "{}")
        except BaseException:
            self.close()
            raise
        if "ready" not in report:
            said = report.get("error") or "the minder ended without a word"
            with contextlib.suppress(HostLeftovers):
                self.close()
            raise HostUnavailable(f"a private host cannot be made here: {said}")
        self.name, self.pid = report["name"], report["pid"]
        self.cgroup_folders = tuple(report["cgroups"])
        return self

    def close(self) -> None:
        """End everything in the host. Raises HostLeftovers if a process, cgroup or mount of it remains."""
        minder, self._minder = self._minder, None
        if minder is None:
            return
        out, err = minder.communicate(timeout=30)
        for process in self._running:
            process.wait(timeout=10)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
        report = json.loads(out.splitlines()[-1]) if out.strip() else {"left": [f"the minder failed: {err}"]}
        left = [*report.get("left", [f"the minder said: {report}"])]
        left += [f"cgroup {folder}" for folder in self.cgroup_folders if os.path.exists(folder)]
        if left:
            raise HostLeftovers(f"{self.name} was closed, and this is still there: {'; '.join(left)}")

    def argv_inside(self, argv: Sequence[str | Path], *, cwd: str | Path | None = None) -> list[str]:
        """The command of the machine that runs `argv` inside, as in a login session of the host."""
        files = cgroups.procs_files(self.cgroup_folders, cgroups.session_path(self.uid))
        nsenter = shutil.which("nsenter") or "/usr/bin/nsenter"
        enter = [
            nsenter,
            f"--target={self.pid}",
            "--mount",
            "--uts",
            "--ipc",
            "--pid",
            "--cgroup",
            f"--wdns={cwd or self.home}",
        ]
        return ["/bin/sh", "-c", _ENTER, "sh", *files, "--", *enter, "--", *(str(word) for word in argv)]

    def popen(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        **options: Any,
    ) -> subprocess.Popen[Any]:
        """Start `argv` inside; `env` is added to the host's, `options` are subprocess.Popen's."""
        options.setdefault("start_new_session", True)
        process = subprocess.Popen(self.argv_inside(argv, cwd=cwd), env={**self.env, **(env or {})}, **options)
        self._running.append(process)
        return process

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        input: str | None = None,
        timeout: float = 60.0,
        check: bool = True,
        cwd: str | Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run `argv` inside and wait. Raises HostCommandError (showing the output) or, after `timeout` s, TimeoutExpired."""
        process = self.popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
        )
        try:
            return finish(process, argv, input_=input, timeout=timeout, check=check)
        finally:
            self._running.remove(process)

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
