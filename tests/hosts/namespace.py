"""Namespaces of one's own, kept by a minder process: what both kinds of host stand on (stdlib only)."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.hosts import cgroups, permission
from tests.hosts.enter import finish
from tests.hosts.errors import HostLeftovers, HostUnavailable

CHECKOUT = Path(__file__).resolve().parents[2]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MINDER = Path(__file__).with_name("minder.py")
# The shell joins the cgroups before it enters: from inside the namespace the kernel refuses to move a process that is
# still outside.
_JOIN = 'while [ "$1" != -- ]; do echo $$ >"$1" || exit 125; shift; done; shift; exec "$@"'


def why_not(programs: Mapping[str, str], files: Mapping[str, str]) -> str | None:
    """What this machine lacks, in words, given what is needed and the package of each; None if nothing is known."""
    if sys.platform != "linux":
        return "a real host needs Linux"
    if os.geteuid() != 0:
        return f"a real host needs root, for namespaces and cgroups (this is uid {os.geteuid()})"
    missing = [f"{name} (package {package})" for name, package in programs.items() if shutil.which(name) is None]
    missing += [f"{path} (package {package})" for path, package in files.items() if not os.path.exists(path)]
    return f"missing on this machine: {', '.join(missing)}" if missing else None


def joining(cgroup_files: Sequence[str], argv: Sequence[str]) -> list[str]:
    """The command that runs `argv` as a member of these cgroups."""
    return ["/bin/sh", "-c", _JOIN, "sh", *cgroup_files, "--", *argv]


class Namespace:
    """The namespaces and the cgroups of one host. `start` raises HostUnavailable with the reason."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        """`wanted`: the fields of the minder's `Wanted`."""
        self._wanted = dict(wanted)
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
        permission.check()
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
        try:
            minder.stdin.write(json.dumps(self._wanted) + "\n")
            minder.stdin.flush()
            report = json.loads(minder.stdout.readline() or "{}")
        except BaseException:
            self.close()
            raise
        if "ready" not in report:
            said = report.get("error") or "the minder ended without a word"
            with contextlib.suppress(HostLeftovers):
                self.close()
            raise HostUnavailable(f"a host cannot be made here: {said}")
        self.name, self.pid = report["name"], report["pid"]
        self.cgroup_folders = tuple(report["cgroups"])
        return self

    def close(self) -> None:
        """End everything in the host. Raises HostLeftovers if a process, cgroup or mount of it remains."""
        minder, self._minder = self._minder, None
        if minder is None:
            return
        out, err = minder.communicate(timeout=90)
        for process in self._running:
            process.wait(timeout=90)
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()
        report = json.loads(out.splitlines()[-1]) if out.strip() else {"left": [f"the minder failed: {err}"]}
        left = [*report.get("left", [f"the minder said: {report}"])]
        left += [f"cgroup {folder}" for folder in self.cgroup_folders if os.path.exists(folder)]
        if left:
            raise HostLeftovers(f"{self.name} was closed, and this is still there: {'; '.join(left)}")

    def spawn(self, argv: Sequence[str], env: Mapping[str, str], **options: Any) -> subprocess.Popen[Any]:
        """Start a command of the machine on behalf of this host; `close` waits for it."""
        options.setdefault("start_new_session", True)
        process = subprocess.Popen(argv, env=dict(env), **options)
        self._running.append(process)
        return process

    def call(
        self, argv: Sequence[str], env: Mapping[str, str], shown: Sequence[str | Path], **limits: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run it and wait; errors name `shown`. `limits`: input_, timeout and check, as for `finish`."""
        process = self.spawn(
            argv,
            env,
            stdin=subprocess.DEVNULL if limits["input_"] is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="backslashreplace",
        )
        try:
            return finish(process, shown, **limits)
        finally:
            self._running.remove(process)

    def enter(self, leaf: str, *, cwd: str | Path = "/") -> list[str]:
        """The beginning of a command that runs inside, in the host's cgroup `leaf`."""
        nsenter = shutil.which("nsenter") or "/usr/bin/nsenter"
        enter = [
            nsenter,
            f"--target={self.pid}",
            "--mount",
            "--uts",
            "--ipc",
            "--pid",
            "--cgroup",
            f"--wdns={cwd}",
            "--",
        ]
        return joining(cgroups.procs_files(self.cgroup_folders, leaf), enter)
