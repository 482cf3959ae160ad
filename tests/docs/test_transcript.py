"""The pages' transcripts are what `./dev demo` says: line by line, but for times, ids and sizes."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.hosts.errors import HostUnavailable
from tests.hosts.fixtures import without_host
from tests.hosts.namespace import CHECKOUT
from tests.transcript import PAGES, block, transcript

CHANGING = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME"),
    (r"\b[0-9a-f]{12,16}\b", "ID"),
    (r"\d+\.\d\d s, \d+ pass(es)?", "SPAN"),
    (r"kill -9 \d+", "kill -9 PID"),
    (r"-t %\d+", "-t %PANE"),
    (r", for \d+s(?=,)", ""),  # held for a moment, or not yet
    (r"drain timeout in [0-9hms ]+", "drain timeout in N"),
    (r"\b\d+(\.\d+)?[smhKMG]\b", "N"),
    (r" +", " "),
)


def stable(text: str) -> list[str]:
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    return text.splitlines()


@pytest.mark.usefixtures("real_hosts")
def test_the_transcripts_are_what_the_demo_says() -> None:
    """If this fails because the demo or its words have changed: ./dev transcript."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.demo"], cwd=CHECKOUT, capture_output=True, text=True, timeout=900, check=False
    )
    if done.returncode == 69:
        without_host(HostUnavailable(done.stderr.strip()))
    assert done.returncode == 0, done.stdout + done.stderr
    for name, heading, story in PAGES:
        text = (CHECKOUT / name).read_text(encoding="utf-8")
        begin, end = block(text, heading)
        assert stable(text[begin:end]) == stable(transcript(done.stdout, story)), name
