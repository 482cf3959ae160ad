"""Read a raw git commit without git: who, when, what, and which objects the spec files are. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

from specs.dataclass import dataclass, field
from specs.fleet_files import FOLDERS, LARGEST, MOST, spec_path

FILES = ("fleet.yaml", "roster.yaml", "NORTH_STAR.yaml")
MAX_FILE = 1 << 20  # bytes: the contract's limit for one file of the root
_CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+"
_SUBMODULE = "160000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """What a person or the loop wants to know of a commit. `when` is RFC 3339 UTC, by the committer's clock.

    `blobs` are the object ids of the spec files that exist; `problems` say why one cannot be read (by file name).
    """

    sha: str
    subject: str = ""
    author: str = ""
    when: str = ""
    blobs: Mapping[str, str] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """`kind` is an object type, or missing, symlink (leaves the repository), dangling, loop, notdir, submodule. For
    `symlink`, `oid` is the link's target."""

    kind: str
    oid: str
    size: int


def printable(text: str) -> str:
    """The text without anything that moves the cursor, colours the terminal or changes the writing direction."""
    return re.sub(_CONTROL, " ", text).strip()


def parse_commit(sha: str, raw: bytes) -> Commit:
    """Who, when and what of a raw commit object. Its control characters never reach a terminal."""
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


def problem_of(name: str, entry: TreeEntry) -> str | None:
    if entry.kind == "blob":
        limit, shown = (MAX_FILE, "1 MiB") if name in FILES else (LARGEST, "64 KiB")
        return f"{name} is larger than {shown} ({entry.size} bytes)" if entry.size > limit else None
    return _odd(name, entry)


def folder_problem(name: str, entry: TreeEntry) -> str | None:
    """Why the contracts or profiles in a folder cannot be read. None if they can, or if it is not a folder: then it is
    not part of a fleet."""
    if entry.kind == "tree" and entry.size > MAX_FILE:
        return f"the folder {name} is larger than 1 MiB ({entry.size} bytes)"
    return None if entry.kind in ("tree", "blob") else _odd(name, entry)


def files_in(folder: str, tree: bytes, oid_size: int) -> tuple[list[str], str | None]:
    """The sorted paths of a folder's fleet files, from its raw tree object; and why there are too many of them."""
    names = sorted(path for name in entries_in(tree, oid_size) if spec_path(path := f"{folder}/{name}"))
    if len(names) > MOST:
        return [], f"{folder} has {len(names)} files of *{FOLDERS[folder]}; {MOST} are read at most"
    # A request to git is one line, so it cannot name this path. No class has such a name.
    return [name for name in names if name.isprintable()], None


def _odd(name: str, entry: TreeEntry) -> str | None:
    return {
        "missing": None,
        "symlink": f"{name} is a symlink that leaves the repository",
        "dangling": f"{name} is a symlink to a file that is not in the repository",
        "loop": f"{name} is a symlink that leads back to itself",
        "notdir": f"{name} is a symlink through a file that is not a folder",
    }.get(entry.kind, f"{name} is not a file but a {entry.kind}")


def entries_in(tree: bytes, oid_size: int) -> dict[str, str]:
    """The modes of the entries in a raw tree object, as git writes them, by name."""
    found, at = {}, 0
    while at < len(tree):
        end = tree.index(b"\0", at)
        mode, _, name = tree[at:end].decode(errors="replace").partition(" ")
        found[name] = mode
        at = end + 1 + oid_size
    return found


def submodules_in(tree: bytes, oid_size: int) -> frozenset[str]:
    """The names of the submodules in a raw tree object (git itself answers "missing" for them)."""
    return frozenset(name for name, mode in entries_in(tree, oid_size).items() if mode == _SUBMODULE)
