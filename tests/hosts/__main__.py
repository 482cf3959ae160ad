"""`python -m tests.hosts shell` and `python -m tests.hosts run COMMAND...`: a private host from the command line."""

from __future__ import annotations

import subprocess
import sys

from tests.hosts.errors import HostUnavailable
from tests.hosts.private import PrivateHost

USAGE = "usage: python -m tests.hosts shell | run COMMAND [ARGUMENT...]\n"


def main(argv: list[str]) -> int:
    """The command's own exit status; 2 for a wrong call, 69 where no host can be made."""
    match argv:
        case ["shell"]:
            command = ["bash", "-i"]
        case ["run", *command] if command:
            pass
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
