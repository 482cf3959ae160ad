"""What happened between two revisions, for people: the commits that a preview or a refusal is about.

The one place that uses GitPython, and only on request, because importing it costs more than a whole quiet run. It reads
objects with its own pure Python database; no git process is started for them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.checkout import Checkout
from reconciler.commit import FILES

if TYPE_CHECKING:
    import git

_DEFAULT_LIMIT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryLine:
    """One commit. `when` is RFC 3339 UTC; `files` are the spec files it changes, empty if its parent is not here."""

    sha: str
    subject: str = ""
    author: str = ""
    when: str = ""
    files: tuple[str, ...] = ()


def history(checkout: Checkout, old: str, new: str, *, limit: int = _DEFAULT_LIMIT) -> tuple[HistoryLine, ...]:
    """The newest `limit` commits that are in `new` but not in `old`, newest first. Raises GitFailed or Refused like
    `Checkout.between`. In a repository with SHA-256 ids, which GitPython cannot read, only the ids are known."""
    shas = checkout.between(old, new)[:limit]
    if any(len(sha) != 40 for sha in shas):
        return tuple(HistoryLine(sha=sha) for sha in shas)
    import git
    from git.db import GitDB

    with git.Repo(checkout.path, odbt=GitDB) as repo:
        return tuple(_line(repo.commit(sha)) for sha in shas)


def _line(commit: git.Commit) -> HistoryLine:
    from datetime import UTC

    from reconciler.commit import printable

    summary = commit.summary if isinstance(commit.summary, str) else commit.summary.decode(errors="replace")
    return HistoryLine(
        sha=commit.hexsha,
        subject=printable(summary),
        author=printable(f"{commit.author.name} <{commit.author.email}>"),
        when=commit.committed_datetime.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        files=_changed(commit),
    )


def _changed(commit: git.Commit) -> tuple[str, ...]:
    before: dict[str, str] = {}
    with suppress(ValueError, KeyError):  # how gitdb says that an object is not here: history may be cut off
        if commit.parents:
            before = _blobs(commit.parents[0])
        now = _blobs(commit)
        return tuple(name for name in FILES if before.get(name) != now.get(name))
    return ()


def _blobs(commit: git.Commit) -> dict[str, str]:
    return {str(entry.name): entry.hexsha for entry in commit.tree if entry.name in FILES}
