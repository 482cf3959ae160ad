"""Makes a private host and the neighbours' virtual environment, and measures inside.

Figures are for comparing with each other, not with another machine's: every pair is measured in turn, in the same run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from pathlib import Path

from tests.hosts.errors import HostUnavailable
from tests.hosts.namespace import CHECKOUT
from tests.hosts.private import PrivateHost

NEIGHBOURS = ("pyinfra==3.2", "ansible-core==2.18.1")
FOLDER = CHECKOUT / ".cache" / "bench-venv"
HOUR_S = 3600


def neighbours() -> Path | None:
    """A virtual environment with pyinfra and Ansible; None, with a word why, where they cannot be installed."""
    stamp = FOLDER / ".installed"
    wanted = " ".join(NEIGHBOURS)
    if stamp.exists() and stamp.read_text() == wanted:
        return FOLDER / "bin"
    venv.create(FOLDER, with_pip=True, clear=True)
    pip = [
        str(FOLDER / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        *NEIGHBOURS,
    ]
    done = subprocess.run(pip, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        print(f"bench: without the neighbours: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return None
    stamp.write_text(wanted)
    return FOLDER / "bin"


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--sizes", default="10,100,1000", help="numbers of agents, with commas")
    parser.add_argument(
        "--only", default="", help="of: noop, compose, converge, heal, commit, large, quiet, operate (with commas)"
    )
    parser.add_argument("--full", action="store_true", help="Ansible for 1,000 units too (several minutes)")
    parser.add_argument("--no-neighbours", action="store_true")
    parser.add_argument("--quiet-s", type=int, default=60, help="how long the quiet loop is watched, in seconds")
    options = parser.parse_args()
    peers = None if options.no_neighbours else neighbours()
    inside = [sys.executable, "-m", "tests.bench.inside", "--sizes", options.sizes, "--only", options.only]
    inside += ["--quiet-s", str(options.quiet_s), *(["--full"] if options.full else [])]
    inside += ["--neighbours", str(peers)] if peers else []
    try:
        with PrivateHost(hostname="bench") as host:
            host.run(["install", "-D", "/dev/null", f"/var/lib/systemd/linger/{host.env['USER']}"])
            environment = {"PYTHONPATH": str(CHECKOUT)}
            process = host.popen(inside, env=environment)
            return int(process.wait(timeout=HOUR_S))
    except HostUnavailable as error:
        print(f"bench: {error}", file=sys.stderr)
        return 69


if __name__ == "__main__":
    sys.exit(main())
