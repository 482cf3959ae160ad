"""Root folders of other systems, made by debootstrap: once, whole or not at all, and anew when their recipe changes.

Two of each. `bare` is what somebody rents: no git, no tmux; the packages that the README tells to install are in its
apt's cache, so that they can be installed where there is no network. `full` has them, and what the scenarios need.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from tests.hosts import mirrors
from tests.hosts.errors import HostUnavailable
from tests.hosts.systems import BARE, SCENARIOS, SYSTEMS, System, told_to_install

Kind = Literal["bare", "full"]
# Read once: a test has another home.
CACHE = Path(
    os.environ.get("MOSAIC_TEST_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "mosaic-fleet-tests")
)
_VERSION = 1  # of the steps below
_HOUR = 3600.0  # seconds; a mirror may be slow, and one that says nothing for so long is broken
_FORGOTTEN = 14 * 86400.0  # seconds
_INSTALL = "apt-get -q -y -o Dpkg::Use-Pty=0 install"
_BARE = """
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
rm -f /var/cache/apt/archives/*.deb
apt-get -q update
{install} --download-only {told}
"""
_FULL = """
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
{install} --no-install-recommends {packages}
apt-get clean
"""
_KEYRING = """
set -eu
cd /tmp
apt-get -q download {package}
dpkg-deb --extract {package}_*.deb keyring
cat keyring{path} >/out/keyring
"""
# What is mounted and started ends with us, however we end: nothing goes on writing where the next one begins.
_TOGETHER = (
    *("setpriv", "--pdeathsig", "KILL", "unshare", "--kill-child", "--fork", "--pid", "--mount-proc"),
    *("--mount", "--propagation=private", "--ipc", "--uts", "--"),
)
_INSIDE = """
set -eu
root=$1 script=$2; shift 2
if [ "$root" = --aside ]; then
  lower=$1 aside=$2; shift 2
  mount -t tmpfs aside "$aside"
  mkdir "$aside/upper" "$aside/work" "$aside/root"
  root=$aside/root
  mount -t overlay overlay -o "lowerdir=$lower,upperdir=$aside/upper,workdir=$aside/work" "$root"
fi
while [ $# -gt 0 ]; do
  mkdir -p "$root$2"
  mount --bind "$1" "$root$2"
  shift 2
done
mount -t proc proc "$root/proc"
exec chroot "$root" /bin/sh -c "$script" </dev/null
"""


def root(system: System, kind: Kind = "full") -> Path:
    """Its folder, which nobody may change. Raises HostUnavailable with what went wrong where it cannot be made."""
    folder = CACHE / "roots" / f"{system.name}-{kind}-{_digest(system, kind)}"
    if folder.is_dir():
        return folder
    with alone(f"{system.name}-{kind}"):
        if not folder.is_dir():
            _make(system, kind, folder)
    return folder


def made(folder: Path, script: str, *, binds: Mapping[Path, str] | None = None, aside: bool = False) -> str:
    """Run a shell script in a root, with this machine's network; returns what it said.

    `binds`: folders of this machine, and where they are there. `aside`: what it changes elsewhere is forgotten.
    Raises HostUnavailable with the end of what it said.
    """
    over = CACHE / "aside"
    over.mkdir(exist_ok=True)
    where = ["--aside", script, str(folder), str(over)] if aside else [str(folder), script]
    words = [str(word) for pair in (binds or {}).items() for word in pair]
    return _run(["sh", "-c", _INSIDE, "sh", *where, *words], f"a step in {folder}")


@contextlib.contextmanager
def alone(name: str) -> Iterator[None]:
    """One at a time makes `name`; the others wait and find it made."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def in_use(folder: Path) -> Iterator[None]:
    """Nobody takes it away for a newer one meanwhile."""
    with _users(folder).open("a") as users:
        os.utime(users.fileno())
        fcntl.flock(users, fcntl.LOCK_SH)
        yield


def _users(folder: Path) -> Path:
    """Held by those who use it; its time is that of the last one's coming."""
    return folder.with_name(f"{folder.name}.users")


@contextlib.contextmanager
def whole(folder: Path, stem: str) -> Iterator[Path]:
    """A folder to fill, which takes its place only if nothing went wrong. Others of its stem that nobody has used for
    long are taken away: other checkouts have other recipes."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        _users(folder).touch()
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for older in folder.parent.glob(f"{stem}-*"):
        users = _users(older)
        if older in {folder, partial} or not users.exists() or time.time() - users.stat().st_mtime < _FORGOTTEN:
            continue
        with users.open("a") as lock, contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(older, ignore_errors=True)
            users.unlink()


def _packages(kind: Kind) -> tuple[str, ...]:
    return (*BARE, *told_to_install(), *(SCENARIOS if kind == "full" else ()))


def _digest(system: System, kind: Kind) -> str:
    recipe = repr((_VERSION, system, kind, _packages(kind), _BARE, _FULL))
    return hashlib.sha256(recipe.encode()).hexdigest()[:12]


def _make(system: System, kind: Kind, folder: Path) -> None:
    if kind == "full":
        base = root(system, "bare")
        with whole(folder, f"{system.name}-full") as partial:
            _run(
                ["cp", "-a", "--reflink=auto", "--one-file-system", f"{base}/.", str(partial)],
                "a copy of the bare root",
            )
            made(partial, _FULL.format(install=_INSTALL, packages=" ".join([*told_to_install(), *SCENARIOS])))
        return
    if shutil.which("debootstrap") is None:
        raise HostUnavailable(
            f"missing on this machine: debootstrap (package debootstrap), for a root of {system.name}"
        )
    keyring = _keyring(system)
    mirror = _reached(system)
    with whole(folder, f"{system.name}-bare") as partial:
        options = [f"--keyring={keyring}", f"--components={','.join(system.components)}", "--variant=minbase"]
        options += [f"--include={','.join(BARE)}"]
        # A debootstrap that is older than the suite has all of it but the name.
        known = Path("/usr/share/debootstrap/scripts", system.suite)
        how = [] if known.exists() else [str(known.with_name(system.like))]
        _run(["debootstrap", *options, system.suite, str(partial), mirror, *how], f"debootstrap {system.suite}")
        (partial / "etc/apt/sources.list").write_text(f"deb {mirror} {system.suite} {' '.join(system.components)}\n")
        (partial / "etc/apt/apt.conf.d/90machine").write_text(mirrors.apt_settings())
        made(partial, _BARE.format(install=_INSTALL, told=" ".join(told_to_install())))


def _keyring(system: System) -> Path:
    """What its archive is signed with; for Ubuntu's where this machine has none, as Debian's archive vouches for it."""
    here = Path(system.keyring)
    if here.exists():
        return here
    if system.distribution == "debian":
        raise HostUnavailable(f"{here} is not here (package {system.keyring_package})")
    folder = CACHE / "keyrings"
    kept = folder / here.name
    if not kept.exists():
        partial = folder / f".{os.getpid()}"
        partial.mkdir(parents=True)
        try:
            vouching = root(SYSTEMS["debian-13"], "bare")
            script = _KEYRING.format(package=system.keyring_package, path=system.keyring)
            made(vouching, script, binds={partial: "/out"}, aside=True)
            (partial / "keyring").rename(kept)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return kept


def _reached(system: System) -> str:
    """The first mirror that has the suite."""
    tried = mirrors.mirrors(system.distribution)
    for mirror in tried:
        asked = ["wget", "-q", "--spider", "--timeout=30", "--tries=2", f"{mirror}/dists/{system.suite}/Release"]
        if subprocess.run(asked, env=_environment(), capture_output=True, check=False).returncode == 0:
            return mirror
    raise HostUnavailable(
        f"no mirror of {system.distribution} has {system.suite}: tried {', '.join(tried) or 'none'}, from what this "
        f"machine's apt is configured with"
    )


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **mirrors.proxies()}


def _run(argv: list[str], what: str) -> str:
    try:
        done = subprocess.run(
            [*_TOGETHER, *argv],
            env=_environment(),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_HOUR,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HostUnavailable(f"{what} did not end within {_HOUR:.0f} s") from None
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise HostUnavailable(f"{what} ended with {done.returncode}:\n{said}")
    return done.stdout
