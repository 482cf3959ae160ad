"""Compares the operator's working tree with what is committed: by content, without git, reading only."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import suppress
from pathlib import Path

from reconciler.commit import FILES, MAX_FILE, Commit
from reconciler.errors import NotFound
from reconciler.place import Place
from specs.load import FOLDERS, MOST, spec_path


def dirty_files(place: Place, ref: str, commit: Commit) -> tuple[str, ...]:
    """The spec files that differ, by name; none if `ref` is not what is checked out there, or if the
    repository cannot be read just now."""
    try:
        repo = place.repo()
    except NotFound:
        return ()
    if repo is None or repo.worktree is None:
        return ()
    with suppress(OSError):
        head = (repo.git_dir / "HEAD").read_text(errors="replace").strip()
        if ref not in ("HEAD", head.removeprefix("ref:").strip()):
            return ()
    below = {*folder_files(repo.worktree), *(name for name in commit.blobs if name not in FILES)}
    names = (*FILES, *sorted(below))
    return tuple(name for name in names if _working_blob(repo.worktree / name, commit) != commit.blobs.get(name))


def folder_files(root: Path) -> tuple[str, ...]:
    """The files of a working tree's folders that a fleet is made of, by their paths below `root`, sorted; of a folder
    that has more than a commit may have, so many and one more. A folder that cannot be listed has none."""
    found: list[str] = []
    for folder in FOLDERS:
        with suppress(OSError):
            names = (f"{folder}/{name}" for name in sorted(os.listdir(root / folder)))
            found += [name for name in names if spec_path(name) and name.isprintable()][: MOST + 1]
    return tuple(found)


def _working_blob(path: Path, commit: Commit) -> str | None:
    """The object id that git would give the file's content; None if there is no file; "" for what is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        seen = os.fstat(descriptor)
        if not stat.S_ISREG(seen.st_mode) or seen.st_size > MAX_FILE:
            return ""
        data = file.read()
    digest = hashlib.sha1(usedforsecurity=False) if len(commit.sha) == 40 else hashlib.sha256()
    digest.update(b"blob %d\0" % len(data) + data)
    return digest.hexdigest()
