"""`python -m tests.real_agents.tries [N]`: each way of going on tried N times with the real programs, and a table.

A program that fails in one try has its line with fewer successes; the exit status is that of the tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.real_agents.test_going_on import PROGRAMS, WAYS


def table(lines: Iterable[str], tries: int) -> str:
    """Successes of all tries, by program and way, as Markdown; two agents of each program are counted together."""
    count = Counter((one["program"], one["way"]) for one in map(json.loads, lines))
    rows = [["", *WAYS], ["---"] * (len(WAYS) + 1)]
    rows += [[name, *(f"{count[name, way]} of {2 * tries}" for way in WAYS)] for name in PROGRAMS]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> int:
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        report.touch()
        told = {"MOSAIC_TEST_TRIES": str(tries), "MOSAIC_TEST_REPLACED": "1", "MOSAIC_TEST_REPORT": str(report)}
        told["MOSAIC_TEST_REBOOTED"] = "1"
        files = ["tests/real_agents/test_going_on.py", "tests/real_agents/test_rebooted.py"]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", *files]
        done = subprocess.run(command, env=os.environ | told, check=False)
        print(table(report.read_text().splitlines(), tries))
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
