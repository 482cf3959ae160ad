"""What `mosaic fleet validate` and `mosaic fleet init` say of files. The temporary folder shows as /home/ada."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.commands.calling import Said, fleet
from tests.golden.book import Text

ROSTER = "version: 1\ntransport: tmux\nagents:\n"
GOOD = ROSTER + "  - name: lead\n    runtime: stub\n    class: orchestrator\n"
FLEETS = {
    "a valid fleet": {"roster.yaml": GOOD, "fleet.yaml": "version: 1\nname: demo\nfloor: none\n"},
    "an agent that would be held": {"roster.yaml": GOOD + "  - name: coder0\n    runtime: cluade\n    class: coder\n"},
    "an unknown key, a bad name, a wrong type": {
        "roster.yaml": ROSTER + "  - name: a b\n    runtime: stub\n    class: coder\n    yolo: perhaps\n    wroker: x\n"
    },
    "no roster": {"fleet.yaml": "version: 1\nname: demo\n"},
    "it is not YAML": {"roster.yaml": "agents: [\n"},
}


XDG = {
    "XDG_CONFIG_HOME": ".config",
    "XDG_STATE_HOME": ".local/state",
    "XDG_DATA_HOME": ".local/share",
    "XDG_CACHE_HOME": ".cache",
    "XDG_RUNTIME_DIR": "run",
}
ADA = {"NAME": "Ada", "EMAIL": "ada@example.org"}


@contextmanager
def folder() -> Iterator[Path]:
    """A home with nothing in it, on a machine that has git, and of the agents' programs only claude."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name).resolve()
        programs = home / "bin"
        programs.mkdir()
        for known in ("git", "sh"):
            found = shutil.which(known)
            if found is None:
                raise AssertionError(f"{known} is not on PATH")
            (programs / known).symlink_to(found)
        (programs / "claude").write_text("#!/bin/sh\necho '2.1.0 (Claude Code)'\n")
        (programs / "claude").chmod(0o755)
        who = {f"GIT_{role}_{part}": word for role in ("AUTHOR", "COMMITTER") for part, word in ADA.items()}
        own = {name: str(home / place) for name, place in XDG.items()}
        (home / XDG["XDG_RUNTIME_DIR"]).mkdir(mode=0o700)
        with patch.dict(os.environ, {"HOME": str(home), "PATH": str(programs), **who, **own}):
            yield home


INHERITING = """\
version: 1
defaults:
  env: {GIT_PAGER: cat, LANG: C.UTF-8}
  args: --quiet
runtimes:
  claude: {args: [--effort, high]}
agents:
  - {name: coder0, runtime: claude, env: {LANG: de_DE.UTF-8}, args: --add-dir ~/shared}
  - {name: coder1, runtime: claude, command: claude --resume, model_hint: opus, yolo: false}
"""


def shown(said: Said, home: Path) -> str:
    """Both streams, one after the other, and the exit code; nothing in it is of this machine or this moment."""
    text = "".join(f"{name}:\n{text}" for name, text in (("stderr", said.err), ("stdout", said.out)) if text)
    text = re.sub(r"\bcommitted [0-9a-f]{12}\b", "committed 1a2b3c4d5e6f", text.replace(str(home), "/home/ada"))
    text = re.sub(r"(?m)^\+( +)by: \S+$", r"+\1by: ada", text)
    return f"{text.rstrip()}\nexit code: {said.code}\n"


def validate() -> Iterator[Text]:
    for situation, files in FLEETS.items():
        with folder() as home:
            for name, text in files.items():
                (home / name).write_text(text)
            yield Text(situation, shown(fleet("validate", str(home), "--host", "build-1"), home))
    with folder() as home:
        (home / "roster.yaml").write_text(INHERITING)
        yield Text("--explain AGENT", shown(fleet("validate", str(home), "--explain", "coder0"), home))
        yield Text("--explain nobody", shown(fleet("validate", str(home), "--explain", "coder9"), home))


def init() -> Iterator[Text]:
    with folder() as home:
        place = str(home / "fleet")
        yield Text("--dry-run", shown(fleet("init", place, "--preset", "minimal", "--dry-run"), home))
        yield Text("a new fleet", shown(fleet("init", place, "--preset", "local-canary"), home))
        yield Text("again", shown(fleet("init", place), home))
        yield Text("again, with another socket", shown(fleet("init", place, "--socket", "other"), home))
        yield Text("too few names", shown(fleet("init", f"{place}2", "--preset", "general", "--agents", "a,b"), home))
        (home / "file").write_text("x")
        yield Text("a file is in the way", shown(fleet("init", str(home / "file")), home))
