"""Real git repositories in temporary folders; the real home, configuration and agents are out of reach."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.context.settings import Settings
from reconciler.source.commit_state import SourceState
from reconciler.source.fetch import open_source

GIT = shutil.which("git") or "git"  # past any stand-in that a test puts on PATH
NOW = 1_790_000_000.0
ROSTER = "version: 1\ntransport: tmux\nagents: []\n"

# Stands in for ssh: runs the command that git asks for on this machine.
SSH_HERE = '#!/bin/sh\nfor last; do :; done\nexec /bin/sh -c "$last"\n'


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("GIT_", "XDG_", "MOSAIC_", "SSH_", "GNUPG")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder before everything else on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def calls(programs: Path, tmp_path: Path) -> Callable[[], list[str]]:
    """The git processes started since the last call, by their arguments."""
    log = tmp_path / "git.log"
    program(programs, "git", f'#!/bin/sh\necho "$*" >> {log}\nexec {GIT} "$@"\n')

    def take() -> list[str]:
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    return take


class Repo:
    """An operator's repository. Commits are made with fixed names and, on request, signed."""

    def __init__(self, path: Path, *options: str) -> None:
        self.path = path
        self.config = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false"]
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "-b", "main", *options)

    def git(self, *args: str, check: bool = True) -> str:
        command = [GIT, "-C", str(self.path), *self.config, *args]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if check and done.returncode:
            raise AssertionError(f"{command}: {done.stderr}")
        return done.stdout.strip()

    def commit(self, subject: str = "change", *options: str, **files: str) -> str:
        """Write files (`roster="..."` is roster.yaml), commit all, return the id."""
        for stem, text in files.items():
            (self.path / f"{stem}.yaml").write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject, *options)
        return self.head()

    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def bare(self, path: Path) -> Path:
        """A bare clone, to be pushed to as `origin`."""
        self.git("clone", "--quiet", "--bare", str(self.path), str(path))
        self.git("remote", "add", "origin", str(path))
        return path


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "fleet")
    made.commit("first", roster=ROSTER)
    return made


@pytest.fixture
def remote(repo: Repo, tmp_path: Path, programs: Path) -> str:
    """A URL that git reaches through ssh; the repository is `repo`'s origin."""
    program(programs, "ssh", SSH_HERE)
    return f"ssh://host.invalid{repo.bare(tmp_path / 'remote.git')}"


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    return tmp_path / "state"


Look = Callable[..., SourceState]


@pytest.fixture
def look(state_dir: Path) -> Iterator[Look]:
    """`open_source` with this test's state folder; closed at the end."""
    opened = []

    def open_it(spec: object, *, settings: Settings | None = None, now: float = NOW, **options: bool) -> SourceState:
        source = open_source(
            str(spec), settings=settings or Settings(), state_dir=state_dir, now=now, timeout_s=60.0, **options
        )
        opened.append(source)
        return source

    yield open_it
    for source in opened:
        source.close()


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Everything below a folder: mode, modification time and content."""
    seen = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        content = os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else b""
        seen[str(path.relative_to(folder))] = (stat.st_mode, stat.st_mtime_ns, content)
    return seen
