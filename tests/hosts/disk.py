"""What a booted machine has as its disk: an overlay of the machine's own root, or of another system's, and what of the
machine is shown in it."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.hosts import roots
from tests.hosts.environment import WHEELS, environment, wheels
from tests.hosts.systems import CHECKOUT, System

ROOT = "/run/mosaic-machine/root"
# nspawn puts its own file systems there, and the homes are empty: what the machine has below them is bound into place.
_REPLACED = ("/tmp", "/run", "/dev", "/proc", "/sys", "/home", "/root")
# What takes time at boot, or would speak on a console or a network that is not there.
_MASKED = (
    *("systemd-networkd.service", "systemd-resolved.service", "systemd-timesyncd.service", "networking.service"),
    *("console-getty.service", "getty.target", "systemd-firstboot.service", "ldconfig.service"),
    *("systemd-hwdb-update.service", "systemd-journal-catalog-update.service", "systemd-journal-flush.service"),
    *("systemd-update-utmp.service", "systemd-update-utmp-runlevel.service", "e2scrub_reap.service"),
    *("dev-hugepages.mount", "systemd-sysctl.service"),
)
_PREPARE = r"""
set -eu
top=${1%/*}; root=$1; lower=$2; name=$3; shift 3
mkdir -p "$top/upper" "$top/work" "$root"
# Whoever works on this machine is nobody in that one: no home of theirs is there, and every name is free.
for home in home root; do [ ! -d "$lower/$home" ] || mknod "$top/upper/$home" c 0 0; done
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$top/upper,workdir=$top/work" "$root"
: >"$root/etc/machine-id"
: >"$root/etc/fstab"
echo "$name" >"$root/etc/hostname"
for home in home root; do
  [ ! -d "$lower/$home" ] || { mkdir "$root/$home"; chmod --reference="$lower/$home" "$root/$home"; }
done
# Nor is what an administrator set up on the machine what a test asks for.
rm -rf "$root"/etc/systemd/system/* "$root"/etc/systemd/user/* "$root"/etc/systemd/*.conf.d "$root"/etc/sudoers.d/*
rm -rf "$root"/etc/tmux.conf "$root"/etc/gitconfig "$root"/etc/environment.d "$root"/etc/mosaic
rm -rf "$root"/etc/polkit-1/rules.d/* "$root"/etc/polkit-1/localauthority/* "$root"/etc/security/limits.d/*
rm -rf "$root"/var/lib/systemd/linger "$root"/var/log/journal "$root"/var/lib/systemd/timers "$root"/var/spool/cron/*
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
while [ "$1" != -- ]; do ln -sf /dev/null "$root/etc/systemd/system/$1"; shift; done
shift
# Folders on the way to what is shared: an ordinary user may pass them, in the overlay only.
for folder in "$@"; do [ ! -d "$root$folder" ] || chmod a+x "$root$folder"; done
"""


class Disk:
    """`binds` are options of systemd-nspawn. Raises HostUnavailable where the system's root cannot be made."""

    def __init__(self, system: System | None, *, bare: bool, share: Iterable[str | Path]) -> None:
        write = [os.path.realpath(path) for path in share]
        self._stack = contextlib.ExitStack()
        if system is None:
            self._lower = Path("/")
            needed = [os.path.realpath(path) for path in (CHECKOUT, sys.prefix, sys.base_prefix)]
            read = {path: path for path in needed if _is_hidden(path)}
            shown = [*needed, *write]
        else:
            self._lower = roots.root(system, "bare" if bare else "full")
            read = {str(CHECKOUT): str(CHECKOUT)}
            read |= {str(wheels(system)): WHEELS} if bare else {str(environment(system)): sys.prefix}
            shown = [*read.values(), *write]
        self.binds = [_bind("--bind-ro", path, at) for path, at in read.items()]
        self.binds += [_bind("--bind", path, path) for path in write]
        self._passed = sorted({str(part) for path in shown for part in (Path(path), *Path(path).parents)})

    def prepare(self, name: str) -> list[str]:
        """The command that makes the folder ROOT, in the namespaces around the machine."""
        if self._lower != Path("/"):
            self._stack.enter_context(roots.in_use(self._lower))
        return ["sh", "-c", _PREPARE, "sh", ROOT, str(self._lower), name, *_MASKED, "--", *self._passed]

    def empty_of_people(self, root: Path) -> None:
        """Leave no account but the system's own in the folder `root`, so that every name is free for a test's user."""
        etc = root / "etc"
        gone = {
            line.split(":")[0] for file in ("passwd", "group") for line in _lines(etc / file) if _is_of_a_person(line)
        }
        for file in ("passwd", "shadow", "subuid", "subgid"):
            kept = [line for line in _lines(etc / file) if line.split(":")[0] not in gone]
            _write(etc / file, kept)
        for file in ("group", "gshadow"):
            groups = [line.rpartition(":") for line in _lines(etc / file) if line.split(":")[0] not in gone]
            stay = [(rest, ",".join(one for one in all_.split(",") if one not in gone)) for rest, _, all_ in groups]
            _write(etc / file, [":".join(parts) for parts in stay])
        # The kernel counts what a user has (processes, inotify) over all machines: not with what somebody has here.
        first = 30000 + 20 * secrets.randbelow(1000)
        settings = [re.sub(r"^#?([UG]ID_MIN)\s.*", rf"\1 {first}", line) for line in _lines(etc / "login.defs")]
        _write(etc / "login.defs", settings)

    def close(self) -> None:
        self._stack.close()


def _is_of_a_person(line: str) -> bool:
    """A line of passwd or group; 65534 is the system's nobody."""
    number = int(line.split(":")[2])
    return number >= 1000 and number != 65534


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return []


def _write(file: Path, lines: Iterable[str]) -> None:
    if file.exists():  # what a system does not have, it is not given
        file.write_text("".join(f"{line}\n" for line in lines), errors="surrogateescape")


def _is_hidden(path: str) -> bool:
    """Whether the overlay does not show it: it lives on another mount, or where nspawn mounts something."""
    other_mount = os.stat(path).st_dev != os.stat("/").st_dev
    return other_mount or any(f"{path}/".startswith(f"{top}/") for top in _REPLACED)


def _bind(option: str, path: str, at: str) -> str:
    escaped, target = (text.replace("\\", "\\\\").replace(":", "\\:") for text in (path, at))
    return f"{option}={escaped}" if path == at else f"{option}={escaped}:{target}"
