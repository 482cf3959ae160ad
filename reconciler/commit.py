"""What a raw git commit says, read without git: who, when, what, and what stands in for the spec files. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

FILES = ("fleet.yaml", "roster.yaml", "NORTH_STAR.yaml")
MAX_FILE = 1 << 20  # bytes: the contract's limit for one file
_CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+"
_SUBMODULE = b"160000 "


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit as far as a person or the loop wants to know it. `when` is RFC 3339 UTC, by the committer's clock.

    `blobs` are the object ids of the spec files that exist; `problems` say why one cannot be read (by file name).
    """

    sha: str
    subject: str = ""
    author: str = ""
    when: str = ""
    blobs: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """`kind` is an object type, or missing, symlink (leaves the repository), dangling, loop, notdir, submodule.
    `oid` is the link's target for `symlink`."""

    kind: str
    oid: str
    size: int


def printable(text: str) -> str:
    """Without anything that could move the cursor, colour the terminal or turn the direction of writing."""
    return re.sub(_CONTROL, " ", text).strip()


def parse_commit(sha: str, raw: bytes) -> Commit:
    """Who, when and what of a raw commit object. Control characters never reach a terminal from here."""
    head, _, body = raw.partition(b"\n\n")
    fields: dict[str, bytes] = {}
    for line in head.split(b"\n"):
        key, _, value = line.partition(b" ")
        fields.setdefault(key.decode("ascii", "replace"), value)
    encoding = fields.get("encoding", b"utf-8").decode("ascii", "replace")

    def text(data: bytes) -> str:
        try:
            decoded = data.decode(encoding, "replace")
        except LookupError:  # an encoding that Python does not know
            decoded = data.decode("utf-8", "replace")
        return printable(decoded)

    paragraph = body.lstrip(b"\n").partition(b"\n\n")[0]
    author, _, _ = fields.get("author", b"").rpartition(b"> ")
    _, _, stamp = fields.get("committer", b"").rpartition(b"> ")
    when = ""
    with suppress(ValueError, OverflowError, OSError, IndexError):
        when = datetime.fromtimestamp(int(stamp.split()[0]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Commit(sha=sha, subject=text(paragraph), author=text(author + b">") if author else "", when=when)


def problem_of(name: str, entry: Entry) -> str | None:
    if entry.kind == "blob":
        return f"{name} is larger than 1 MiB ({entry.size} bytes)" if entry.size > MAX_FILE else None
    return {
        "missing": None,
        "symlink": f"{name} is a symlink that leaves the repository",
        "dangling": f"{name} is a symlink to a file that is not in the repository",
        "loop": f"{name} is a symlink that leads back to itself",
        "notdir": f"{name} is a symlink through a file that is no folder",
    }.get(entry.kind, f"{name} is not a file but a {entry.kind}")


def submodules_in(tree: bytes, oid_size: int) -> frozenset[str]:
    """The names of the submodules in a raw tree object (git itself answers "missing" for them)."""
    found, at = set(), 0
    while at < len(tree):
        end = tree.index(b"\0", at)
        if tree.startswith(_SUBMODULE, at):
            found.add(tree[at + len(_SUBMODULE) : end].decode(errors="replace"))
        at = end + 1 + oid_size
    return frozenset(found)
