"""The systems that the tests run on, and what each of them is made of."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from tests.hosts.errors import HostUnavailable

CHECKOUT = Path(__file__).resolve().parents[2]
# The system of this run's machines; not set: the one that this machine has.
ON = "MOSAIC_TEST_ON"
# What a server has that somebody rents, and nothing that the project asks for.
BARE = (
    *("systemd", "systemd-sysv", "dbus", "libpam-systemd", "sudo", "procps", "python3", "iproute2", "less", "nano"),
    *("ca-certificates", "openssh-server", "openssh-client"),
)
# What the scenarios use besides what the README installs.
SCENARIOS = ("groff-base", "gnupg", "strace", "fuse3", "cron", "systemd-container")


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """`keyring`: what its archive is signed with; `keyring_package`: where Debian has that; `like`: the script of
    debootstrap that makes the systems of its kind."""

    name: str
    distribution: str
    suite: str
    components: tuple[str, ...]
    keyring: str
    keyring_package: str
    like: str


_DEBIAN = ("/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring", "sid")
SYSTEMS = {
    system.name: system
    for system in (
        System(
            name=f"{distribution}-{version}",
            distribution=distribution,
            suite=suite,
            components=components,
            keyring=keyring[0],
            keyring_package=keyring[1],
            like=keyring[2],
        )
        for distribution, version, suite, components, keyring in (
            ("debian", "12", "bookworm", ("main",), _DEBIAN),
            ("debian", "13", "trixie", ("main",), _DEBIAN),
            (
                *("ubuntu", "24.04", "noble", ("main", "universe")),
                ("/usr/share/keyrings/ubuntu-archive-keyring.gpg", "ubuntu-keyring", "gutsy"),
            ),
        )
    )
}


def this_system() -> str:
    """The name of the system that runs here; not necessarily one of SYSTEMS."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "unknown"
    return f"{release.get('ID', 'unknown')}-{release.get('VERSION_ID', '')}".rstrip("-")


def wanted() -> System | None:
    """The system that this run's machines have; None: the machine's own. Raises HostUnavailable for an unknown name."""
    name = os.environ.get(ON, "")
    if name in {"", this_system()}:
        return None
    return named(name)


def named(name: str) -> System:
    """Raises HostUnavailable with the names that there are."""
    if name not in SYSTEMS:
        raise HostUnavailable(f"unknown system {name!r}; known are {', '.join(SYSTEMS)}, and {this_system()} runs here")
    return SYSTEMS[name]


def told_to_install() -> tuple[str, ...]:
    """The packages that the README tells people to install."""
    found = re.search(r"^\$ sudo apt install (.+)$", (CHECKOUT / "README.md").read_text(), re.MULTILINE)
    if found is None:
        raise HostUnavailable("README.md has no line `$ sudo apt install ...` any more, which names what a root needs")
    return tuple(word for word in found[1].split() if not word.startswith("-"))
