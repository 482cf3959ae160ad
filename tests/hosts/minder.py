"""The process that makes one private host, keeps it, and takes it away again (stdlib only; run as a program).

It stands between a test and its host, so that a test that is killed leaves nothing behind: its standard input is the
lifeline. When that closes, whatever the reason, the host ends and its cgroups go. If this process is killed itself, the
kernel ends the host (parent-death signals), and the next minder removes the empty cgroups.

Input: one line of JSON (see `Wanted`). Output: one line of JSON when the host is up or cannot be made, one at the end.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import select
import signal
import socket
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tests.hosts import cgroups
else:
    # Run as a program with -I, which keeps even its own folder off the path; and the package would load more than this.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import cgroups

MANAGERS = ("/lib/systemd/systemd", "/usr/lib/systemd/systemd")

LOG = "/run/mosaic-host.log"

_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
_MNT_DETACH = 2
_CLONE_NEWNS, _CLONE_NEWCGROUP, _CLONE_NEWUTS, _CLONE_NEWIPC, _CLONE_NEWPID = (
    0x20000,
    0x2000000,
    0x4000000,
    0x8000000,
    0x20000000,
)
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Wanted:
    hostname: str
    covered: list[str]  # folders that are an empty tmpfs in the host
    share: list[str]  # absolute paths of the machine that stay reachable although a folder above them is covered
    manager_env: dict[str, str] | None  # None: no user manager is started
    home: str  # where the manager starts
    timeout: float


class CannotError(Exception):
    """The host cannot be made; the text says which call failed."""


def _call(what: str, result: int) -> None:
    if result != 0:
        raise CannotError(f"{what}: {os.strerror(ctypes.get_errno())}")


def _mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    encoded = [text.encode() or None for text in (source, target, kind)]
    _call(f"mount {kind or source} on {target}", _libc.mount(*encoded, flags, data.encode() or None))


def _die_with_parent() -> None:
    _call("prctl", _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))


class Host:
    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.uid = os.getuid()
        self.name = f"{cgroups.PREFIX}-{os.getpid()}-{secrets.token_hex(3)}"
        self.folders: tuple[str, ...] = ()
        self.gate_pid = 0
        self.init_fd = -1

    def start(self) -> dict[str, object]:
        cgroups.sweep()
        # Before anything is made: a failure half-way must still know what to take away.
        self.folders = tuple(f"{h.base}/{self.name}" for h in cgroups.hierarchies())
        if not self.folders:
            raise CannotError("no cgroup hierarchy is mounted (/sys/fs/cgroup)")
        cgroups.make(self.name, self.uid)
        _call("prctl", _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
        read_end, write_end = os.pipe()
        self.gate_pid = os.fork()
        if self.gate_pid == 0:
            os.close(read_end)
            self._run_child(write_end)
        os.close(write_end)
        with os.fdopen(read_end) as stream:
            lines = stream.read().splitlines()
        report: dict[str, object] = {}
        for line in lines:
            report.update(json.loads(line))
        if "ready" not in report and "error" not in report:
            report["error"] = "the host ended while it was starting"
        if "pid" in report:
            with contextlib.suppress(ProcessLookupError):
                self.init_fd = os.pidfd_open(int(str(report["pid"])))
        return {"name": self.name, "cgroups": self.folders, **report}

    def stop(self) -> list[str]:
        """End the host; returns what is left of it."""
        left = []
        if self.gate_pid:
            os.kill(self.gate_pid, signal.SIGKILL)  # process 1 of the host dies with it
            os.waitpid(self.gate_pid, 0)
            # Process 1 is our child now, and the kernel lets it end only after everything in its namespace has.
            if self.init_fd >= 0 and select.select([self.init_fd], [], [], 15.0)[0]:
                os.waitid(os.P_PIDFD, self.init_fd, os.WEXITED)
            elif self.init_fd >= 0:
                left.append("its process 1")
        left += [f"cgroup {folder}" for folder in cgroups.remove(self.folders, 15.0)]
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        return left + [f"mount {line}" for line in mounts if f" {self.name} " in line]

    def _run_child(self, report_fd: int) -> NoReturn:
        """The gate: enters the namespaces, forks their process 1, and waits for it."""
        try:
            # It needs no place in the lifeline: only the minder may hold it.
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            _die_with_parent()
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            cgroups.join(cgroups.procs_files(self.folders, "."))
            flags = _CLONE_NEWNS | _CLONE_NEWCGROUP | _CLONE_NEWUTS | _CLONE_NEWIPC | _CLONE_NEWPID
            _call("unshare", _libc.unshare(flags))
            cgroups.join(cgroups.procs_files(self.folders, cgroups.INIT))
            pid = os.fork()
            if pid == 0:
                self._run_process_1(report_fd)
            os.write(report_fd, f"{json.dumps({'pid': pid})}\n".encode())
            os.close(report_fd)
            os.waitpid(pid, 0)
        except (CannotError, OSError) as error:
            os.write(report_fd, f"{json.dumps({'error': str(error)})}\n".encode())
        os._exit(0)

    def _run_process_1(self, report_fd: int) -> NoReturn:
        try:
            _die_with_parent()
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
            self._mount_everything()
            socket.sethostname(self.wanted.hostname)
            if self.wanted.manager_env is not None:
                self._prepare_for_manager()
                self._start_manager(self.wanted.manager_env)
            os.write(report_fd, b'{"ready": true}\n')
        except (CannotError, OSError) as error:
            os.write(report_fd, f"{json.dumps({'error': str(error)})}\n".encode())
            os._exit(1)
        os.close(report_fd)
        while True:  # what every process 1 owes its orphans
            signal.sigwait([signal.SIGCHLD])
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                continue

    def _mount_everything(self) -> None:
        _mount("", "/", flags=_MS_REC | _MS_PRIVATE)
        hierarchies = cgroups.hierarchies()
        covered = [path for path in self.wanted.covered if os.path.isdir(path)]
        # Held open before they are covered; a bind mount of the descriptor brings them back.
        kept = {path: os.open(path, os.O_PATH) for path in self._shared_below(covered)}
        for path in covered:
            mode = stat.S_IMODE(os.stat(path).st_mode)
            _mount(self.name, path, "tmpfs", _MS_NOSUID | _MS_NODEV, f"mode={mode:o}")
        for path, fd in kept.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if os.path.isdir(f"/proc/self/fd/{fd}"):
                os.makedirs(path, exist_ok=True)
            else:
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            _mount(f"/proc/self/fd/{fd}", path, flags=_MS_BIND | _MS_REC)
            os.close(fd)
        _mount(self.name, "/proc", "proc")
        for hierarchy in hierarchies:
            # A mount that was made before this cgroup namespace still shows (and lets one reach) the machine's root.
            target = hierarchy.mount_point
            _call(f"umount {target}", _libc.umount2(target.encode(), _MNT_DETACH))
            _mount(self.name, target, hierarchy.kind, data=hierarchy.options)

    def _prepare_for_manager(self) -> None:
        # systemd --user refuses to start where systemd does not seem to run.
        for folder in ("/run/systemd/system", "/run/lock", "/var/lib/systemd/linger"):
            os.makedirs(folder, exist_ok=True)
        os.makedirs("/run/user", exist_ok=True)
        os.mkdir(f"/run/user/{self.uid}", 0o700)
        # The manager's log target `console` is this device, which is the machine's.
        Path(LOG).touch()
        if os.path.exists("/dev/console"):
            _mount(LOG, "/dev/console", flags=_MS_BIND)

    def _shared_below(self, covered: list[str]) -> list[str]:
        wanted = sorted({os.path.realpath(path) for path in self.wanted.share if os.path.exists(path)})
        below = [p for p in wanted if any(p.startswith(f"{c}/") for c in covered)]
        return [p for p in below if not any(p.startswith(f"{other}/") for other in below)]

    def _start_manager(self, manager_env: dict[str, str]) -> None:
        notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        notify.bind("/run/mosaic-host.notify")
        notify.settimeout(self.wanted.timeout)
        program = next((path for path in MANAGERS if os.path.exists(path)), MANAGERS[0])
        pid = os.fork()
        if pid == 0:
            os.setsid()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            for file in cgroups.procs_files(self._inside(), cgroups.manager_path(self.uid)):
                Path(file).write_text("0")
            log_fd = os.open(LOG, os.O_WRONLY | os.O_APPEND)
            os.dup2(log_fd, 1)
            os.dup2(log_fd, 2)
            os.chdir(self.wanted.home)
            env = {**manager_env, "NOTIFY_SOCKET": "/run/mosaic-host.notify"}
            os.execve(program, [program, "--user", "--log-target=console"], env)  # noqa: S606  # no shell is the point
        Path("/run/mosaic-host.pid").write_text(f"{pid}\n")
        try:
            # It says READY twice: when its basic.target is reached, and when everything of default.target was tried.
            while b"READY=1" not in (message := notify.recv(4096)) or b"basic.target" in message:
                pass
        except TimeoutError:
            log = Path(LOG).read_text(errors="replace")[-2000:]
            raise CannotError(f"systemd --user was not ready after {self.wanted.timeout} s\n{log}") from None
        notify.close()
        os.unlink("/run/mosaic-host.notify")

    @staticmethod
    def _inside() -> tuple[str, ...]:
        return tuple(hierarchy.mount_point for hierarchy in cgroups.hierarchies())


def main() -> None:
    wanted = Wanted(**json.loads(sys.stdin.readline()))
    host = Host(wanted)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    left: list[str] = []
    try:
        try:
            report = host.start()
        except (CannotError, OSError) as error:
            report = {"error": str(error)}
        sys.stdout.write(f"{json.dumps(report)}\n")
        sys.stdout.flush()
        if "error" not in report:
            sys.stdin.read()  # until the owner lets go
    finally:
        left = host.stop()
    sys.stdout.write(f"{json.dumps({'left': left})}\n")


if __name__ == "__main__":
    main()
