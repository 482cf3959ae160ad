"""The README's transcript is what `./dev demo` says: line by line, but for times, ids and what is cut."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.docs.pages import page
from tests.hosts.errors import HostUnavailable
from tests.hosts.fixtures import without_host
from tests.hosts.namespace import CHECKOUT

CUT = "[...]"
CHANGING = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"\b[0-9a-f]{12,16}\b", "ID"),
    (r"\d+\.\d\d s, \d+ pass(es)?", "SPAN"),
    (r"kill -9 \d+", "kill -9 PID"),
)


def stable(line: str) -> str:
    for pattern, word in CHANGING:
        line = re.sub(pattern, word, line)
    return line.rstrip()


def test_the_transcript_is_what_the_demo_says() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"], cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode == 69:
        without_host(HostUnavailable(done.stderr.strip()))
    assert done.returncode == 0, done.stdout + done.stderr
    said = iter([stable(line) for line in done.stdout.splitlines()])
    for line in page("README.md").blocks[0].text.splitlines():
        wanted = stable(line.partition(CUT)[0])
        if wanted:
            cut = CUT in line
            found = next((one for one in said if (one.startswith(wanted) if cut else one == wanted)), None)
            assert found is not None, f"the demo does not say, or not in this order: {line}"
