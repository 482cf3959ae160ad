"""Decide whether a revision may be applied on this host, by descent from the last applied one and by signatures.

* `verify = none`: descent only. `head`: the revision itself needs a good signature. `all`: so does every commit since
  the last applied revision, on every side of a merge.
* Trust begins at the first revision ever, and at one that the operator accepts as a rewind: even with `all`, only that
  commit is verified. It vouches for the history below it, whose ids it contains.
* A signature counts only if the settings name its kind of key: SSH by `allowed_signers`, GPG by `gpg_keyring`. GPG
  never sees the user's own keyring; it trusts every key in the named one, except an expired or revoked one.
* Good signatures are remembered by commit and by the digest of the key files: after a change of the files every
  signature is verified again, so that a signer's removal takes effect at once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from providers.filesystem.guarded_read import read_regular
from reconciler.context.settings import Settings, Verify
from reconciler.errors import HistoryCut, InvalidConfig, Rewound
from reconciler.helpers.atomic_files import loose_permissions, parse_json, read_optional, write_cache
from reconciler.source.commit_state import SourceState
from reconciler.source.ledger import Ledger, lost_ledger
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.git.signatures import Keys

_MAX_REMEMBERED = 2000
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustVerdict:
    """The revision may be applied. `signer` is who signed it (None with verify = none); `rewind`: it does not descend
    from the last applied one, or that one is no longer known, and the operator allowed it; `warnings` are for
    people."""

    sha: str
    verify: Verify
    signer: str | None
    rewind: bool
    warnings: tuple[str, ...] = ()


def check(source: SourceState, ledger: Ledger, *, settings: Settings, allow_rewind: bool = False) -> TrustVerdict:
    """Judge the revision, before anything in it is read.

    Raises Refused (rewound, unsigned, a wrong key, ledger lost, history cut) with the way out, InvalidConfig for key
    files that cannot be used, Unavailable if git, gpg or the necessary history cannot be reached.
    """
    keys = load_keys(settings)
    warnings = []
    if ledger.problem is not None:
        if settings.verify != "none" and not allow_rewind:
            raise lost_ledger(ledger)
        warnings.append(ledger.problem)
    base = ledger.last.sha if ledger.last is not None else None
    rewind = base is not None and not _descends(source, base, allow_rewind)
    if rewind and not allow_rewind:
        raise _rewound(source, str(base))
    rewind = rewind or (ledger.problem is not None and allow_rewind)
    signer = None
    if settings.verify != "none":
        since = base if settings.verify == "all" and not rewind and base != source.revision else None
        shas = source.since(since)
        signer = _signers(source, shas, keys, ledger.path.parent)[source.revision]
    return TrustVerdict(
        sha=source.revision, verify=settings.verify, signer=signer, rewind=rewind, warnings=tuple(warnings)
    )


def _descends(source: SourceState, base: str, allow_rewind: bool) -> bool:
    try:
        return source.descends_from(base)
    except HistoryCut:
        if not allow_rewind:
            raise
        return False


def load_keys(settings: Settings) -> Keys | None:
    """The trusted keys, or None with verify = none. Raises InvalidConfig if a file is missing, empty or writable by
    others."""
    if settings.verify == "none":
        return None
    digest = hashlib.sha256()
    files = (("allowed_signers", settings.allowed_signers), ("gpg_keyring", settings.gpg_keyring))
    for name, path in files:
        if path is None:
            continue
        file = _keyring_file(path) if name == "gpg_keyring" else path
        try:
            loose = loose_permissions(file)
            content = read_regular(file)
        except OSError as error:
            raise InvalidConfig(f"{name} cannot be read: {error.strerror}", where=str(file)) from error
        if loose:
            raise InvalidConfig(f"{loose}; it says whom to trust", where=str(file), help=f"chmod 600 {file}")
        if not content.strip():
            raise InvalidConfig(f"{name} is empty, so nothing could ever be applied", where=str(file))
        digest.update(f"{name} {len(content)}\n".encode() + content)
    if settings.allowed_signers is None and settings.gpg_keyring is None:
        raise InvalidConfig(
            f"verify = {settings.verify} needs allowed_signers or gpg_keyring", help="name one in reconcile.toml"
        )
    from reconciler.git.signatures import Keys

    return Keys(
        allowed_signers=settings.allowed_signers,
        gpg_keyring=_keyring_file(settings.gpg_keyring) if settings.gpg_keyring is not None else None,
        digest=digest.hexdigest(),
    )


def _keyring_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in ("pubring.kbx", "pubring.gpg"):
        if (path / name).is_file():
            return path / name
    raise InvalidConfig(
        "gpg_keyring is a folder without a keyring that can be read",
        where=str(path),
        help="export the keys to a file: gpg --export KEY > signers.gpg",
    )


def _rewound(source: SourceState, base: str) -> Rewound:
    return Rewound(
        f"revision {source.revision[:12]} ({source.subject[:60]!r}) does not descend from {base[:12]}, "
        "which was applied last: history was rewound or replaced",
        where=f"{source.spec} {source.ref}",
        help="to go back, revert in git; if the rewind is wanted: reconcile --allow-rewind",
    )


def _signers(source: SourceState, shas: list[str], keys: Keys | None, state_dir: Path) -> Mapping[str, str]:
    """Who signed each of these commits. Raises Refused if any has no good signature."""
    if keys is None:  # never reached with a policy that verifies; failing closed costs nothing
        raise InvalidConfig("no keys to verify with")
    path = state_dir / "verified.json"
    known = _remembered(path, keys.digest)
    new = [sha for sha in shas if sha not in known]
    if not new:
        return known
    from reconciler.git.signatures import verify_commits

    found = verify_commits(source.checkout, new, keys)
    known = {**known, **found}
    if not source.preview:
        newest = dict(list(known.items())[-_MAX_REMEMBERED:])
        with suppress(OSError):  # a full disk costs the work again, not the run
            write_cache(path, json.dumps({"version": _VERSION, "keys": keys.digest, "commits": newest}) + "\n")
    return known


def _remembered(path: Path, digest: str) -> dict[str, str]:
    with suppress(ValueError, KeyError, TypeError, OSError, AttributeError):
        data = parse_json(read_optional(path) or b"{}")
        if data["version"] == _VERSION and data["keys"] == digest:
            return {str(sha): str(signer) for sha, signer in data["commits"].items()}
    return {}
