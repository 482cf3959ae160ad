"""From the command line: a private host (`shell`, `run COMMAND...`), and what machines boot from (`root SYSTEM`)."""

from __future__ import annotations

import subprocess
import sys

from tests.hosts.environment import environment, wheels
from tests.hosts.errors import HostUnavailable
from tests.hosts.private import PrivateHost
from tests.hosts.roots import root
from tests.hosts.systems import named, this_system

USAGE = "usage: python -m tests.hosts shell | run COMMAND [ARGUMENT...] | root SYSTEM\n"


def main(argv: list[str]) -> int:
    """The command's own exit status; 2 for a wrong call, 69 where no host can be made."""
    match argv:
        case ["shell"]:
            command = ["bash", "-i"]
        case ["run", *command] if command:
            pass
        case ["root", name]:
            return _root(name)
        case _:
            sys.stderr.write(USAGE)
            return 2
    try:
        with PrivateHost(hostname="sandbox") as host:
            # It keeps our terminal: no session of its own, so that Ctrl-C and job control reach it.
            return subprocess.call(host.argv_inside(command), env=host.env)
    except HostUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 69


def _root(name: str) -> int:
    """Make what machines of a system boot from, before many tests ask for it at once."""
    try:
        system = named(name)
        bare = root(system, "bare")
        wheels(system)
        if name != this_system():
            environment(system)
    except HostUnavailable as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 69
    sys.stdout.write(f"{bare if name == this_system() else root(system)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
