"""Our own copy of the fleet's repository: bare, in the state folder, read by object and never checked out.

Because we read blobs and have no work tree, the repository's filters, hooks, submodules and symlinks never take effect
here. One process at a time writes to it (the caller holds the host's lock); a preview writes to a scratch copy.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import HistoryCut, InvalidConfig, MosaicError, NotFound, Refused, Unavailable
from reconciler.git.objects import (
    FILES,
    Commit,
    TreeEntry,
    entries_in,
    files_in,
    folder_problem,
    parse_commit,
    problem_of,
    submodules_in,
)
from reconciler.git.process import Deadline, GitFailed, GitTimeout, run_git
from reconciler.git.refs import odd_file
from reconciler.helpers.atomic_files import discard, make_folder, read_optional
from specs.dataclass import replace
from specs.fleet_files import FOLDERS

if TYPE_CHECKING:
    import tempfile

MAX_OBJECT = 1 << 20  # bytes of a commit or of the root folder
MOST_SINGLE, MOST_PACKS = 2000, 50  # objects and packs of our copy, before they are packed together
LOCAL_S = 20.0  # a call that only reads our own copy
TIP = "refs/mosaic/tip"
_BROKEN = r"(?:error|fatal|missing|broken|bad)\b(?! in (?:blob|tree|commit|tag) )"
_DEEPEN = (64, 1024)  # steps before we ask for the whole history


class Checkout:
    """The private repository at `path`. Every method that runs git raises GitFailed or GitTimeout."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def exists(self) -> bool:
        """Whether something that looks like a repository is there."""
        return all((self.path / name).is_dir() for name in ("objects", "refs")) and (self.path / "HEAD").is_file()

    def damage(self) -> str:
        """What is broken in it, in a few words; "" if nothing is known to be. Checks every object."""
        odd = odd_file(self.path)
        if odd:
            return odd
        if not self.exists():
            return f"{self.path} is not a repository" if self.path.exists() else f"{self.path} is not there"
        try:
            args = ["fsck", "--full", "--no-dangling", "--no-progress"]
            done = run_git(args, git_dir=self.path, timeout_s=LOCAL_S, ok=range(256))
        except (GitTimeout, Unavailable):  # an unknown state is not "broken"
            return ""
        # Mere oddities of somebody's commit ("error in commit ...") do not count.
        said = [
            line for line in f"{done.err}\n{done.out.decode(errors='replace')}".splitlines() if re.match(_BROKEN, line)
        ]
        return f"{said[0].removeprefix('error: ').removeprefix('fatal: ')} ({self.path})" if said else ""

    def scratch(self) -> tempfile.TemporaryDirectory[str]:
        """A throw-away copy for a preview, which borrows our objects and writes only to itself."""
        import shutil
        import tempfile

        folder = tempfile.TemporaryDirectory(prefix="mosaic-preview-", ignore_cleanup_errors=True)
        copy = Path(folder.name)
        if not self.exists():
            return folder
        Checkout(copy).init(oid_length=40 if self._is_sha1() else 64)
        (copy / "objects" / "info").mkdir(exist_ok=True)
        (copy / "objects" / "info" / "alternates").write_text(f"{self.path.resolve() / 'objects'}\n")
        for name in ("shallow", TIP):
            with suppress(FileNotFoundError):
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.path / name, copy / name)
        return folder

    def _is_sha1(self) -> bool:
        with suppress(OSError):
            return "sha256" not in (read_optional(self.path / "config") or b"").decode(errors="replace")
        return True

    def init(self, *, oid_length: int) -> None:
        """Create it if it is missing, for object ids of 40 or 64 hex digits; anything else in its place is deleted.
        Also raises OSError."""
        if self.exists() and not odd_file(self.path):
            return
        discard(self.path)
        make_folder(self.path)
        form = ["--object-format=sha256"] if oid_length == 64 else []
        run_git(["init", "--quiet", "--bare", "--template=", *form, "--", str(self.path)], timeout_s=LOCAL_S)

    def rebuild(self, url: str, ref: str, oid: str, *, timeout_s: float) -> None:
        """Replace a damaged copy by a new one, fetched beside it: if that fails, nothing is lost. Raises OSError."""
        new = Checkout(self.path.with_name(f"{self.path.name}.new"))
        discard(new.path)
        new.init(oid_length=len(oid))
        new.fetch(url, ref, timeout_s=timeout_s)
        discard(self.path)
        new.path.rename(self.path)

    def fetched_before(self) -> bool:
        """Whether any fetch has succeeded."""
        return (self.path / TIP).exists()

    def is_shallow(self) -> bool:
        """Whether history was cut off somewhere."""
        return (self.path / "shallow").exists()

    def fetch(self, url: str, ref: str, *, timeout_s: float, depth: str | None = None) -> None:
        """Fetch `ref` (a full name) to TIP, even if it was rewound: `trust` judges descent.

        A new copy is shallow; an existing one gets what is new since the last fetch, unless `depth` (an option such as
        `--unshallow`) says otherwise.
        """
        if depth is None and not self.fetched_before():
            depth = "--depth=1"
        self._clear_locks()
        run_git(
            [
                *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"),
                *("--update-shallow", "--force", *([depth] if depth else [])),
                *("--end-of-options", url, f"+{ref}:{TIP}"),
            ],
            git_dir=self.path,
            timeout_s=timeout_s,
            network=True,
        )

    def _clear_locks(self) -> None:
        """Remove the lock files of a killed fetch. They mean nothing, since nobody else writes here."""
        for lock in (*self.path.glob("*.lock"), *self.path.glob("refs/**/*.lock")):
            lock.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Pack many small fetches together. Best effort: an unpacked copy works just as well. Whether it is time is
        asked as git asks it, without a process: one of the 256 folders of single objects tells how many there are."""
        objects = self.path / "objects"
        with suppress(OSError):
            packs = len(list((objects / "pack").glob("*.pack")))
            single = objects / "17"
            if packs <= MOST_PACKS and (not single.is_dir() or len(os.listdir(single)) <= MOST_SINGLE / 256):
                return
        with suppress(GitFailed):
            auto = (("gc.auto", str(MOST_SINGLE)), ("gc.autoPackLimit", str(MOST_PACKS)))
            run_git(["gc", "--auto", "--quiet"], git_dir=self.path, timeout_s=LOCAL_S, config=auto)

    def peel(self, revision: str) -> tuple[str, Commit]:
        """The object that `revision` names, and the commit that it leads to. Raises NotFound if it is not here."""
        below = (*FILES, *FOLDERS)
        names = (revision, f"{revision}^{{commit}}", f"{revision}^{{tree}}", *(f"{revision}:{name}" for name in below))
        raw, commit, tree, *entries = self._check(names)
        if raw.kind == "missing" or commit.kind != "commit":
            raise NotFound(f"{revision} is not a commit that was fetched")
        if max(commit.size, tree.size) > MAX_OBJECT:
            raise Refused(f"commit {commit.oid} or its root folder is larger than {MAX_OBJECT} bytes")
        found = dict(zip(below, entries, strict=True))
        folders = {name: found[name] for name in FOLDERS if folder_problem(name, found[name]) is None}
        trees = {name: entry for name, entry in folders.items() if entry.kind == "tree"}
        oids = dict.fromkeys([commit.oid, tree.oid, *(entry.oid for entry in trees.values())])
        objects = dict(zip(oids, self.read(list(oids)), strict=True))
        size = len(tree.oid) // 2
        submodules = set(submodules_in(objects[tree.oid], size))
        for name in entries_in(objects[tree.oid], size).keys() & found.keys():
            self._must_be_here(name, found[name], submodules)
        found |= {name: TreeEntry("missing", "", 0) for name in folders}
        problems: dict[str, str] = {}
        wanted: list[str] = []
        for name, entry in trees.items():
            files, many = files_in(name, objects[entry.oid], size)
            wanted += files
            problems |= {name: many} if many else {}
            submodules |= {f"{name}/{one}" for one in submodules_in(objects[entry.oid], size)}
        if wanted:
            found |= dict(zip(wanted, self._check([f"{commit.oid}:{name}" for name in wanted]), strict=True))
        for name in wanted:
            self._must_be_here(name, found[name], submodules)
        blobs = {}
        for name, entry in found.items():
            what = "folder" if name in FOLDERS else "file"
            odd = folder_problem(name, entry) if name in FOLDERS else problem_of(name, entry)
            problem = f"{name} is not a {what} but a submodule" if name in submodules else odd
            if problem:
                problems[name] = problem
            elif entry.kind == "blob":
                blobs[name] = entry.oid
        return raw.oid, replace(parse_commit(commit.oid, objects[commit.oid]), blobs=blobs, problems=problems)

    def _must_be_here(self, name: str, entry: TreeEntry, submodules: set[str]) -> None:
        """Raises GitFailed for a file that its folder lists and git cannot find: nobody has deleted it, so the copy is
        damaged."""
        if entry.kind == "missing" and name not in submodules:
            raise GitFailed(f"the object of {name} is damaged or missing in {self.path}")

    def files(self, commit: Commit) -> dict[str, bytes]:
        """The spec files at that commit. Raises Refused for one that leaves the repository, InvalidConfig for one that
        is too large or not a file."""
        for problem in commit.problems.values():
            error: type[MosaicError] = Refused if "leaves the repository" in problem else InvalidConfig
            raise error(problem, where=f"commit {commit.sha}", help="correct the file and commit")
        names = list(commit.blobs)
        return dict(zip(names, self.read([commit.blobs[name] for name in names]), strict=True)) if names else {}

    def read(self, oids: Sequence[str]) -> list[bytes]:
        """The contents of objects that are known to be here, in order; one process."""
        stdin = "".join(f"{oid}\n" for oid in oids).encode()
        out = run_git(["cat-file", "--batch"], git_dir=self.path, timeout_s=LOCAL_S, stdin=stdin).out
        contents, at = [], 0
        for oid in oids:
            line, end = _line(out, at)
            words = line.split()
            if len(words) != 3 or words[0] != oid:
                raise GitFailed(f"object {oid} is damaged or missing in {self.path}: {line}")
            size = int(words[2])
            contents.append(out[end : end + size])
            at = end + size + 1
        return contents

    def contents(self, names: Sequence[str]) -> list[bytes | None]:
        """The target of each name (`COMMIT:PATH`) inside the repository, in order; None if it is not a file or too
        large. Two processes."""
        entries = self._check(names)
        oids = [one.oid for one in entries if one.kind == "blob" and one.size <= MAX_OBJECT]
        found = dict(zip(oids, self.read(oids), strict=True)) if oids else {}
        return [found.get(one.oid) if one.kind == "blob" else None for one in entries]

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `new` descends from `old`, judged by the history that is here."""
        args = ["merge-base", "--is-ancestor", "--end-of-options", old, new]
        done = run_git(args, git_dir=self.path, timeout_s=LOCAL_S, ok=(0, 1, 128))
        return done.code == 0

    def descends(self, old: str, new: str, *, url: str, ref: str, deadline: Deadline, fetch_s: float) -> bool:
        """Like `is_ancestor`, but if history was cut off, more of it is fetched first, so that "no" is certain.

        Raises GitFailed if that history cannot be fetched, HistoryCut if the source itself lacks it: unknown does not
        mean "no".
        """
        for depth in (*(f"--deepen={count}" for count in _DEEPEN), "--unshallow"):
            if self.is_ancestor(old, new):
                return True
            if not self.is_shallow():
                return False
            self.fetch(url, ref, timeout_s=deadline.left(fetch_s), depth=depth)
        if self.is_ancestor(old, new):
            return True
        if self.is_shallow() and not self.is_ancestor(new, old):
            raise HistoryCut(
                f"cannot tell whether {new[:12]} comes after {old[:12]}, which was applied last: "
                "the source has cut its history"
            )
        return False

    def between(self, old: str, new: str) -> list[str]:
        """The commits that are in `new` but not in `old`, newest first. Raises HistoryCut if some are unknown because
        the source itself has cut its history off among them."""
        args = ["rev-list", "--end-of-options", new, f"^{old}"]
        shas = run_git(args, git_dir=self.path, timeout_s=LOCAL_S).out.decode("ascii").split()
        cut = read_optional(self.path / "shallow") or b""
        if not set(cut.decode(errors="replace").split()).isdisjoint(shas):
            raise HistoryCut(
                f"cannot tell which commits came after {old[:12]}, which was applied last: "
                "the source has cut its history"
            )
        return shas

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest common ancestor, judged by the history that is here; None if there is none."""
        args = ["merge-base", "--end-of-options", one, other]
        done = run_git(args, git_dir=self.path, timeout_s=LOCAL_S, ok=(0, 1))
        return done.out.decode("ascii").split()[0] if done.code == 0 else None

    def versions(self, old: str, new: str, path: str = "roster.yaml") -> list[str]:
        """The commits after `old`, up to `new`, that change a file, newest first: the branch's own commits, without
        those that were merged into it."""
        args = ["rev-list", "--first-parent", "--end-of-options", new, f"^{old}", "--", path]
        return run_git(args, git_dir=self.path, timeout_s=LOCAL_S).out.decode("ascii").split()

    def _check(self, names: Sequence[str]) -> list[TreeEntry]:
        """The target of each name, links inside the repository followed; one process, no content read."""
        stdin = "".join(f"{name}\n" for name in names).encode()
        args = ["cat-file", "--batch-check", "--follow-symlinks"]
        out = run_git(args, git_dir=self.path, timeout_s=LOCAL_S, stdin=stdin).out
        entries, at = [], 0
        for _name in names:
            line, at = _line(out, at)
            words = line.split(" ")
            if words[0] in ("symlink", "dangling", "loop", "notdir") and len(words) == 2 and words[1].isdigit():
                size = int(words[1])
                entries.append(TreeEntry(words[0], out[at : at + size].decode(errors="replace"), size))
                at += size + 1
            elif len(words) == 3 and words[2].isdigit():
                entries.append(TreeEntry(words[1], words[0], int(words[2])))
            elif line:
                entries.append(TreeEntry("missing" if line.endswith(" missing") else line.rpartition(" ")[2], "", 0))
            else:
                raise Unavailable(f"git cat-file gave an unreadable answer for {self.path}")
        return entries


def _line(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(b"\n", at)
    if end < 0:
        return "", len(data)
    return data[at:end].decode(errors="replace"), end + 1
