"""Look at this machine and this shell. Every question is bounded; what cannot be answered is `Unseen`."""

from __future__ import annotations

import ctypes
import locale
import os
import platform
import pwd
import shlex
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from providers.base import ObserveError
from providers.host import HostFacts, UnitState
from providers.machine.local_host import LocalHost, LocalLook
from providers.processes import procfs
from providers.processes.process import NotInstalledError, SpawnError, find, run
from providers.systemd.bus_address import candidates, manager_listens
from providers.systemd.client import Systemd
from reconciler.context.settings import Settings
from reconciler.doctor.check import Unseen
from reconciler.doctor.files import Disk, Watches
from reconciler.doctor.programs import FoundProgram
from reconciler.doctor.systemd import Manager

T = TypeVar("T")
TIMEOUT_S = 5.0
BUS_S = 2.0
_CALLS = {"systemd": ("systemctl", "--version"), "tmux": ("tmux", "-V"), "git": ("git", "--version")}
_UNSYNCHRONISED = 0x40  # STA_UNSYNC of adjtimex(2)


def attempt(look: Callable[[], T]) -> T | Unseen:
    """What a look saw, or why it saw nothing."""
    try:
        return look()
    except ObserveError as error:
        return Unseen(why=str(error))
    except OSError as error:
        return Unseen(why=f"{error.filename}: {error.strerror}" if error.filename else str(error))


def ask(argv: Sequence[str], environ: Mapping[str, str], *, timeout_s: float = TIMEOUT_S) -> str | Unseen:
    """What a program prints, if it ends well."""
    try:
        done = run(argv, environ, timeout_s=timeout_s)
    except NotInstalledError as error:
        return Unseen(why=str(error), missing=True)
    except SpawnError as error:
        return Unseen(why=str(error))
    if done.status != 0:
        said = done.err.decode("utf-8", "replace").strip() or f"status {done.status}"
        return Unseen(why=f"{shlex.join(argv[:3])}: {said.splitlines()[0]}")
    return done.out.decode("utf-8", "replace")


def programs(environ: Mapping[str, str]) -> tuple[FoundProgram, ...]:
    """This Python, and what systemd, tmux and git say of themselves."""
    found = [FoundProgram(name="python", path=sys.executable, said=f"Python {platform.python_version()}")]
    for name, argv in _CALLS.items():
        said = ask(argv, environ)
        if isinstance(said, str):
            said = (said.strip().splitlines() or ["it prints nothing"])[0]
        found.append(FoundProgram(name=name, path=whereabouts(argv[0], environ), said=said))
    return tuple(found)


def whereabouts(program: str, environ: Mapping[str, str]) -> str:
    """Its path on PATH, "" if it has none."""
    try:
        return find(program, environ)
    except NotInstalledError:
        return ""


def manager(
    facts: HostFacts, environ: Mapping[str, str], systemd: Systemd, look: LocalLook
) -> tuple[Manager, Mapping[str, UnitState] | Unseen]:
    """The user's systemd, and the units that it has."""
    units = attempt(look.units)
    bus = _bus_listens(environ)
    patience = time.monotonic() + BUS_S
    while not isinstance(units, Unseen) and not systemd.on_bus and bus and time.monotonic() < patience:
        # The first caller of a bus that starts on demand may come before systemd has.
        time.sleep(0.1)
        systemd.close()
        attempt(systemd.list_units)
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    owner = _owner(runtime) if runtime else None
    why = units.why if isinstance(units, Unseen) else ""
    return (
        Manager(
            user=facts.user,
            uid=facts.uid,
            sudo_user=environ.get("SUDO_USER", ""),
            runtime=runtime,
            runtime_owner=None if owner is None else user_name(owner),
            runtime_is_ours=owner == facts.uid,
            own_runtime=os.path.isdir(f"/run/user/{facts.uid}"),
            own_listens=manager_listens(facts.uid),
            process_1=_text("/proc/1/comm").strip(),
            booted=os.path.isdir("/run/systemd/system"),
            answers="" if why else "bus" if systemd.on_bus else "private",
            bus=bus,
            silent="not answer" in why,
            why=why,
            linger=attempt(look.linger),
        ),
        units,
    )


def _bus_listens(environ: Mapping[str, str]) -> bool:
    """A socket file outlives whoever listened there, so that only a connection tells."""
    for path, is_bus in candidates(environ):
        if not is_bus:
            continue
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            caller.settimeout(BUS_S)
            try:
                caller.connect(path)
            except OSError:
                continue
            return True
    return False


def manager_environment(environ: Mapping[str, str]) -> dict[str, str] | Unseen:
    """The variables that the user's systemd starts everything with."""
    said = ask(("systemctl", "--user", "show", "--property=Environment", "--value"), environ)
    if isinstance(said, Unseen):
        return said
    try:
        return dict(word.partition("=")[::2] for word in shlex.split(said))
    except ValueError as error:
        return Unseen(why=f"systemctl show printed something unexpected: {error}")


def controllers(processes: Mapping[int, object]) -> tuple[str, ...] | Unseen:
    """What of the machine's control groups the user's systemd may hand out."""
    path = next((path for pid in processes if (path := _manager_group(pid))), "")
    if not path:
        return Unseen(why="the control group of the user's systemd cannot be found")
    tops = [top for top in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified") if os.path.exists(f"{top}/cgroup.controllers")]
    if not tops:
        return ()
    try:
        with open(f"{tops[0]}{path}/cgroup.controllers", encoding="ascii") as file:
            return tuple(file.read().split())
    except OSError as error:
        return Unseen(why=f"{tops[0]}{path} cannot be read: {error.strerror}")


def _manager_group(pid: int) -> str:
    """The group of a process that is a user's systemd, in the unified hierarchy; "" for any other."""
    if "--user" not in procfs.cmdline(pid) or _text(f"/proc/{pid}/comm").strip() != "systemd":
        return ""
    for line in _text(f"/proc/{pid}/cgroup").splitlines():
        if line.startswith("0::"):
            return line[3:].removesuffix("/init.scope")
    return ""


def unit_here(look: LocalLook) -> str:
    """The unit that this very process is in; "" if that cannot be told."""
    unit = attempt(lambda: look.unit_of(os.getpid()))
    return "" if isinstance(unit, Unseen) else unit


def locale_is_usable(environ: Mapping[str, str]) -> bool:
    """Whether the C library has the locale that the environment names."""
    name = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "C")
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, name)
    except locale.Error:
        return False
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return True


def disk(what: str, path: str) -> Disk | Unseen:
    """The file system of a folder, or of the nearest one above it that is there."""
    folder = path
    while not os.path.isdir(folder) and folder != "/":
        folder = os.path.dirname(folder)
    try:
        seen = os.statvfs(folder)
    except OSError as error:
        return Unseen(why=f"{folder}: {error.strerror}")
    return Disk(
        what=what,
        path=path,
        free=seen.f_bavail * seen.f_frsize,
        inodes=seen.f_favail if seen.f_files else None,
        read_only=bool(seen.f_flag & os.ST_RDONLY),
    )


def watches(processes: Mapping[int, object]) -> Watches | Unseen:
    """inotify instances: how many this user may have, and how many its processes hold."""
    text = _text("/proc/sys/fs/inotify/max_user_instances").strip()
    if not text.isdecimal():
        return Unseen(why="/proc/sys/fs/inotify/max_user_instances cannot be read")
    return Watches(limit=int(text), used=sum(_instances(pid) for pid in processes))


def _instances(pid: int) -> int:
    used = 0
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            try:
                used += "inotify" in os.readlink(f"/proc/{pid}/fd/{number}")
            except OSError:
                continue  # closed meanwhile
    except OSError:
        return used  # ended meanwhile, or in another user namespace
    return used


class _Timex(ctypes.Structure):
    """The beginning of struct timex; what follows `status` is the kernel's to write."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 512),
    )


def synchronised() -> bool | Unseen:
    """What the kernel knows of its clock; asking changes nothing."""
    timex = _Timex()
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError) as error:
        return Unseen(why=f"the kernel cannot be asked about its clock: {error}")
    if answer < 0:
        return Unseen(why=f"the kernel does not tell about its clock: {os.strerror(ctypes.get_errno())}")
    return not timex.status & _UNSYNCHRONISED


def user_name(uid: int) -> str:
    """The name of a user, or its number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _owner(path: str) -> int | None:
    try:
        return os.stat(path).st_uid
    except OSError:
        return None


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(1 << 20)
    except OSError:
        return ""


def refusal(settings: Settings, host: LocalHost) -> tuple[str, str]:
    """Why a run would not even begin on this host, and the way out; two empty texts if it would."""
    from reconciler.errors import Refused
    from reconciler.loop.host_guard import checked
    from reconciler.loop.result import RunOptions

    try:
        checked(RunOptions(dry_run=True), settings, host)
    except Refused as error:
        return error.message, error.help
    return "", ""
