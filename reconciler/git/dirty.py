"""Compare the operator's working tree with the commit, read-only: by content if that suffices, otherwise by git's own
judgement."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from errno import EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR
from pathlib import Path

from providers.filesystem.guarded_read import read_regular
from reconciler.errors import MosaicError
from reconciler.git.location import RepositoryLocation
from reconciler.git.objects import FILES, MAX_FILE, Commit
from reconciler.git.refs import LocalRepo, read_tip
from specs.fleet_files import FOLDERS, MOST, spec_path


def dirty_files(place: RepositoryLocation, ref: str, commit: Commit) -> tuple[str, ...]:
    """The spec files that differ, by name. None if `commit` is not checked out there now, or if that cannot be
    determined because the repository or git cannot be read."""
    with suppress(MosaicError, OSError):
        repo = place.repo()
        if repo is None or repo.worktree is None or not _checked_out(repo, ref, commit):
            return ()
        return _differing(repo.worktree, commit)
    return ()


def _checked_out(repo: LocalRepo, ref: str, commit: Commit) -> bool:
    head = read_tip(repo, None)
    return head is not None and ref in ("HEAD", head.ref) and head.oid == commit.sha


def _differing(root: Path, commit: Commit) -> tuple[str, ...]:
    below = {*folder_files(root), *(name for name in commit.blobs if name not in FILES)}
    names = (*FILES, *sorted(below))
    found = {name: _content(root / name) for name in names}
    suspects = [
        name
        for name, data in found.items()
        if (None if data is None else blob_id(data, len(commit.sha))) != commit.blobs.get(name)
    ]
    if not any(name in commit.blobs for name in suspects):
        return tuple(suspects)
    from reconciler.git.conversion import asking, blob_of, left_out

    ask = asking(root)
    missing = left_out(ask, [name for name in suspects if found[name] is None])

    def differs(name: str) -> bool:
        data, blob = found[name], commit.blobs.get(name)
        if data is None or not data or blob is None:
            return name not in missing
        return blob_of(ask, _below(root, name), data) != blob

    return tuple(name for name in suspects if differs(name))


def folder_files(root: Path) -> tuple[str, ...]:
    """The files in a fleet's folders of a working tree, by their paths below `root`, sorted. From a folder with more
    files than a commit may have, one more than that limit. A folder that cannot be listed has none."""
    found: list[str] = []
    for folder in FOLDERS:
        with suppress(OSError):
            names = (f"{folder}/{name}" for name in sorted(os.listdir(root / folder)))
            found += [name for name in names if spec_path(name) and name.isprintable()][: MOST + 1]
    return tuple(found)


def blob_id(data: bytes, length: int) -> str:
    """The id of the object with this content, in a repository whose ids have `length` digits."""
    digest = hashlib.sha1(usedforsecurity=False) if length == 40 else hashlib.sha256()
    digest.update(b"blob %d\0" % len(data) + data)
    return digest.hexdigest()


def _content(path: Path) -> bytes | None:
    """None if there is no file, or something that git does not treat as one; empty for a file that cannot be read."""
    try:
        return read_regular(path, limit=MAX_FILE + 1, cut=True)
    except OSError as error:
        return None if error.errno in (ENOENT, ENOTDIR, EISDIR, EINVAL, ELOOP) else b""


def _below(root: Path, name: str) -> str:
    """Where a spec file's content is, below the root: git's attributes follow that path."""
    with suppress(OSError, ValueError):
        return str((root / name).resolve(strict=True).relative_to(root.resolve()))
    return name
