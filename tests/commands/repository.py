"""A fleet's repository on this machine, for the tests of commands that commit."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.commands.calling import Said, fleet

ROSTER = """\
# The fleet of the tests.
version: 1
agents:
  - name: lead  # the first
    runtime: stub
    class: orchestrator

  - name: helper
    runtime: stub
    class: enhancer

  - name: coder0
    runtime: stub
    class: implementer
    depends_on: [lead]
"""
RULES = "version: 1\nname: demo\nfloor: two-agent  # never alone\n"


@dataclass(frozen=True)
class Repository:
    """`path` is a working tree (or a bare repository) whose branch is main."""

    path: Path

    @classmethod
    def make(cls, path: Path, *, rules: str | None = RULES, roster: str = ROSTER) -> Repository:
        """With one commit."""
        path.mkdir(parents=True)
        made = cls(path)
        made.git("init", "--quiet", "--initial-branch=main")
        (path / "roster.yaml").write_text(roster)
        if rules is not None:
            (path / "fleet.yaml").write_text(rules)
        (path / "notes.txt").write_text("mine\n")
        made.git("add", ".")
        made.git("commit", "--quiet", "-m", "first")
        return made

    def git(self, *args: str, ok: bool = True) -> str:
        done = subprocess.run(["git", *args], cwd=self.path, capture_output=True, text=True, check=False, timeout=60)
        assert not ok or done.returncode == 0, done.stderr
        return done.stdout.strip()

    def call(self, *args: str) -> Said:
        """`mosaic fleet ARGS --fleet THIS`."""
        return fleet(*args, "--fleet", str(self.path))

    def hook(self, name: str, script: str) -> None:
        path = self.path / ".git" / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    @property
    def roster(self) -> str:
        return (self.path / "roster.yaml").read_text()

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    @property
    def subjects(self) -> list[str]:
        """Newest first."""
        return self.git("log", "--format=%s").splitlines()

    def untouched(self) -> bool:
        """Nothing but the first commit, and a clean tree without anybody's locks."""
        locks = list((self.path / ".git").glob("*.lock"))
        return self.subjects == ["first"] and self.git("status", "--porcelain") == "" and not locks
