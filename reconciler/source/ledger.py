"""The ledger: the revisions that were applied on this host, in order, and those that were rejected.

`ledger.ndjson` is append-only: one JSON object a line, each with the SHA-256 of the line before it, fsynced before the
first step of its revision. A small marker in the configuration folder records its length and digest, and so reveals a
ledger that was altered, cut short or lost together with the state folder. `Ledger.problem` says so; with verification
on, `trust` then refuses to continue, because only the ledger prevents a rewind.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from errno import EIO
from pathlib import Path

from reconciler.errors import Unverified
from reconciler.helpers.atomic_files import (
    append_synced,
    parse_json,
    read_optional,
    set_aside,
    sync_folder,
    write_atomic,
    write_cache,
)
from specs.dataclass import asdict, dataclass, field

_NAME = "ledger.ndjson"
_FIRST = "0" * 64
_MAX_REJECTED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One applied revision. `parent` is the one applied before it, `by` the user who ran it, `verify` the policy then;
    `rewind`: the operator allowed a revision that does not descend from its parent. `ts` is RFC 3339 UTC."""

    ts: str
    sha: str
    parent: str | None
    by: str
    verify: str
    rewind: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """A revision that was not applied, since when, and why."""

    sha: str
    ts: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The ledger as read. `last` is the last good revision; with a `problem`, the last that could be read. `behind`:
    its marker belongs to a shorter ledger."""

    path: Path
    marker: Path
    last: LedgerEntry | None
    problem: str | None
    _whole: bytes = field(repr=False)  # the complete lines
    _torn: bool = field(repr=False)  # a crash left part of a line after them
    behind: bool = False

    def last_good(self) -> LedgerEntry | None:
        """The revision that stays in force while newer ones are rejected; None if the ledger has a `problem`, because
        somebody who altered it must not choose that revision."""
        return self.last if self.problem is None else None

    def record(self, sha: str, *, by: str, verify: str, now: float, rewind: bool = False) -> Ledger:
        """Append an applied revision and return the new ledger; does nothing if it is already the last one.

        A torn last line is cut off first. A ledger with a `problem` is set aside and a new one begun, but only with
        verification off or if the operator allowed the rewind; otherwise raises Unverified. Raises OSError; if it names
        the `marker`, the revision is in the ledger.
        """
        if self.problem is None and self.last is not None and self.last.sha == sha and not self._torn:
            if self.behind:
                self._mark(self._whole)
            return self
        whole = self._whole
        if self.problem is not None:
            if verify != "none" and not rewind:
                raise lost_ledger(self)
            self._set_aside(now)
            whole = b""
        elif self._torn:
            write_atomic(self.path, whole)
        last = self.last
        if last is None or last.sha != sha or not whole:
            previous = hashlib.sha256(whole.splitlines()[-1]).hexdigest() if whole else _FIRST
            parent = last.sha if last is not None else None
            last = LedgerEntry(ts=_rfc3339(now), sha=sha, parent=parent, by=by, verify=verify, rewind=rewind)
            line = json.dumps({**asdict(last), "prev": previous}, ensure_ascii=False).encode() + b"\n"
            append_synced(self.path, line)
            whole += line
        self._mark(whole)
        return Ledger(path=self.path, marker=self.marker, last=last, problem=None, _whole=whole, _torn=False)

    def _mark(self, whole: bytes) -> None:
        mark = {"ledger": str(self.path), "lines": whole.count(b"\n"), "sha256": hashlib.sha256(whole).hexdigest()}
        try:
            write_cache(self.marker, json.dumps(mark, indent=1) + "\n")
        except OSError as error:  # whichever part of its path failed
            raise OSError(error.errno or EIO, error.strerror or str(error), str(self.marker)) from error

    def _set_aside(self, now: float) -> None:
        stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
        with suppress(FileNotFoundError):
            set_aside(self.path, word=f"set-aside-{stamp}")
            sync_folder(self.path.parent)


def marker_path(config_home: str | Path, fleet: str) -> Path:
    """The path of a ledger's marker: outside the state folder, so that a lost state folder is noticed."""
    return Path(config_home) / "mosaic" / "ledger" / f"{fleet}.json"


def read_ledger(state_dir: Path, marker: Path) -> Ledger:
    """Read and check the ledger; write nothing. An unreadable ledger has a `problem`."""
    path = state_dir / _NAME
    try:
        data, mark = read_optional(path), _read_marker(marker)
    except OSError as error:
        why = f"the ledger of applied revisions cannot be read: {error.filename or path}: {error.strerror or error}"
        return Ledger(path=path, marker=marker, last=None, problem=why, _whole=b"", _torn=False)
    whole = data[: data.rfind(b"\n") + 1] if data else b""
    problem = None
    if data is None and mark is not None:
        problem = f"the ledger of applied revisions is missing: {path}"
    elif mark is None or hashlib.sha256(whole).hexdigest() != mark.get("sha256"):
        # Fine after a crash between the two files: then the ledger is ahead of the marker, and its chain holds.
        lines = whole.splitlines(keepends=True)
        known = mark.get("lines", 0) if mark is not None else 0
        prefix = b"".join(lines[:known]) if isinstance(known, int) else b""
        marked = mark is None or hashlib.sha256(prefix).hexdigest() == mark.get("sha256")
        if not marked or not _chain_holds(whole):
            problem = f"the ledger of applied revisions was altered: {path}"
    return Ledger(
        path=path,
        marker=marker,
        last=_last_entry(whole),
        problem=problem,
        _whole=whole,
        _torn=bool(data) and len(whole) != len(data or b""),
        behind=bool(whole) and (mark is None or hashlib.sha256(whole).hexdigest() != mark.get("sha256")),
    )


def lost_ledger(ledger: Ledger) -> Unverified:
    """Why nothing is applied while the ledger cannot be trusted, and the way out."""
    return Unverified(
        f"{ledger.problem}; without it a rewound repository cannot be told from a new one",
        where=str(ledger.path),
        help="restore the file from a backup, or look at the revision yourself and run: reconcile --allow-rewind",
    )


def reject(state_dir: Path, sha: str, reason: str, now: float) -> Rejection:
    """Remember that a revision is not applied. A repetition keeps the first time and writes nothing."""
    known = rejections(state_dir)
    before = known.get(sha)
    if before is not None and before.reason == reason:
        return before
    rejection = Rejection(sha=sha, ts=before.ts if before is not None else _rfc3339(now), reason=reason)
    _save_rejections(state_dir, {**{k: v for k, v in known.items() if k != sha}, sha: rejection})
    return rejection


def clear_rejection(state_dir: Path, sha: str) -> None:
    """Remove a rejected revision that turned out to be good (a signer was added, a rewind allowed)."""
    known = dict(rejections(state_dir))
    if known.pop(sha, None) is not None:
        _save_rejections(state_dir, known)


def rejections(state_dir: Path) -> Mapping[str, Rejection]:
    """The rejected revisions, oldest first, at most 50. A damaged file counts as none: it only informs."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        raw = parse_json(read_optional(state_dir / "rejected.json") or b"[]")
        return {item["sha"]: Rejection(sha=item["sha"], ts=item["ts"], reason=item["reason"]) for item in raw}
    return {}


def _save_rejections(state_dir: Path, known: Mapping[str, Rejection]) -> None:
    newest = [asdict(rejection) for rejection in known.values()][-_MAX_REJECTED:]
    with suppress(OSError):  # it only informs: a full disk must not stop the revision that is in force
        write_cache(state_dir / "rejected.json", json.dumps(newest, ensure_ascii=False, indent=1) + "\n")


def _chain_holds(whole: bytes) -> bool:
    previous = _FIRST
    for line in whole.splitlines():
        try:
            if parse_json(line)["prev"] != previous:
                return False
        except (ValueError, TypeError, KeyError):
            return False
        previous = hashlib.sha256(line).hexdigest()
    return True


def _last_entry(whole: bytes) -> LedgerEntry | None:
    for line in reversed(whole.splitlines()):
        with suppress(ValueError, TypeError, KeyError):
            raw = parse_json(line)
            raw.pop("prev")
            return LedgerEntry(**raw)
    return None


def _read_marker(path: Path) -> Mapping[str, object] | None:
    """None: there is no marker. A damaged marker fits no ledger."""
    data = read_optional(path)
    if data is None:
        return None
    with suppress(ValueError):
        mark = parse_json(data)
        if isinstance(mark, dict):
            return mark
    return {"sha256": ""}


def _rfc3339(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
