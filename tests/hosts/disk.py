"""What a booted machine has as its disk: an overlay of the machine's own root, or of another system's, and what of the
machine is shown in it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.hosts import roots
from tests.hosts.environment import environment
from tests.hosts.systems import CHECKOUT, System

ROOT = "/run/mosaic-machine/root"
# nspawn puts its own file systems there, so that what the machine has below them must be bound into place.
_REPLACED = ("/tmp", "/run", "/dev", "/proc", "/sys")
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
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$top/upper,workdir=$top/work" "$root"
: >"$root/etc/machine-id"
: >"$root/etc/fstab"
echo "$name" >"$root/etc/hostname"
# What an administrator enabled on the machine (databases, timers, network) is not what a test asks for.
rm -rf "$root"/etc/systemd/system/*.wants "$root"/etc/systemd/user/*.wants "$root"/var/lib/systemd/linger
rm -rf "$root"/var/log/journal "$root"/var/lib/systemd/timers
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
            if not bare:
                read[str(environment(system))] = sys.prefix
            shown = [*read.values(), *write]
        self.binds = [_bind("--bind-ro", path, at) for path, at in read.items()]
        self.binds += [_bind("--bind", path, path) for path in write]
        self._passed = sorted({str(part) for path in shown for part in (Path(path), *Path(path).parents)})

    def prepare(self, name: str) -> list[str]:
        """The command that makes the folder ROOT, in the namespaces around the machine."""
        if self._lower != Path("/"):
            self._stack.enter_context(roots.in_use(self._lower))
        return ["sh", "-c", _PREPARE, "sh", ROOT, str(self._lower), name, *_MASKED, "--", *self._passed]

    def close(self) -> None:
        self._stack.close()


def _is_hidden(path: str) -> bool:
    """Whether the overlay does not show it: it lives on another mount, or where nspawn mounts something."""
    other_mount = os.stat(path).st_dev != os.stat("/").st_dev
    return other_mount or any(f"{path}/".startswith(f"{top}/") for top in _REPLACED)


def _bind(option: str, path: str, at: str) -> str:
    escaped, target = (text.replace("\\", "\\\\").replace(":", "\\:") for text in (path, at))
    return f"{option}={escaped}" if path == at else f"{option}={escaped}:{target}"
