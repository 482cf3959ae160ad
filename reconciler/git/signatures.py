"""Verify commit signatures with git, ssh-keygen and gpg, against named keys only."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from providers.filesystem.guarded_read import read_regular
from reconciler.errors import InvalidConfig, Unavailable, Unverified
from reconciler.git.mirror import Checkout
from reconciler.git.process import GitFailed, GitTimeout, run_git
from specs.dataclass import dataclass

SignatureKind = Literal["SSH", "GPG", "X.509"]

_BATCH = 64
_VERIFY_S = 30.0  # for one batch
_HEADER = re.compile(rb"^gpgsig(?:-sha256)? (-----BEGIN [A-Z ]+-----)", re.MULTILINE)
_KINDS: Mapping[bytes, SignatureKind] = {
    b"-----BEGIN SSH SIGNATURE-----": "SSH",
    b"-----BEGIN PGP SIGNATURE-----": "GPG",
    b"-----BEGIN PGP MESSAGE-----": "GPG",
    b"-----BEGIN SIGNED MESSAGE-----": "X.509",
}
_SSH_GOOD = re.compile(r'^Good "git" signature for (.+) with (\S+) key (\S+)$', re.MULTILINE)
_GPG_GOOD = re.compile(r"^\[GNUPG:\] VALIDSIG (\S+)", re.MULTILINE)
_GPG_NAME = re.compile(r"^\[GNUPG:\] GOODSIG \S+ (.+)$", re.MULTILINE)
_GPG_BAD = (
    ("EXPKEYSIG", "the key has expired"),
    ("REVKEYSIG", "the key was revoked"),
    ("EXPSIG", "the signature has expired"),
    ("BADSIG", "the signature does not fit the commit"),
    ("NO_PUBKEY", "the key is not in gpg_keyring"),
)
_KEYBOX = b"KBXf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The files that say whom to trust, and a digest of their contents."""

    allowed_signers: Path | None
    gpg_keyring: Path | None
    digest: str


def verify_commits(checkout: Checkout, shas: Sequence[str], keys: Keys) -> dict[str, str]:
    """Who signed each commit, by id. Raises Unverified for the first without a good signature by a trusted key,
    Unavailable if a program is missing or does not answer, InvalidConfig for a keyring that gpg cannot read."""
    signers: dict[str, str] = {}
    for start in range(0, len(shas), _BATCH):
        batch = shas[start : start + _BATCH]
        kinds = dict(zip(batch, (_kind(raw) for raw in checkout.read(batch)), strict=True))
        for sha, kind in kinds.items():
            _accepted(sha, kind, keys)
        ssh = [sha for sha in batch if kinds[sha] == "SSH"]
        gpg = [sha for sha in batch if kinds[sha] == "GPG"]
        if ssh:
            _need("ssh-keygen", "openssh-client")
            trust = (("gpg.ssh.allowedSignersFile", str(keys.allowed_signers)), ("gpg.minTrustLevel", "fully"))
            signers |= _verify(checkout, ssh, trust, {})
        if gpg and keys.gpg_keyring is not None:
            _need("gpg", "gpg")
            with tempfile.TemporaryDirectory(prefix="mosaic-gpg-") as home:
                _make_keyring(keys.gpg_keyring, Path(home))
                signers |= _verify(checkout, gpg, (), {"GNUPGHOME": home})
    return signers


def _kind(raw: bytes) -> SignatureKind | None:
    """The kind of a raw commit's signature; only the header counts, never the message."""
    found = _HEADER.search(raw.partition(b"\n\n")[0])
    return _KINDS.get(found[1]) if found else None


def _accepted(sha: str, kind: SignatureKind | None, keys: Keys) -> None:
    if kind is None:
        raise _refused(sha, "is not signed")
    trusted = {"SSH": keys.allowed_signers, "GPG": keys.gpg_keyring, "X.509": None}
    if trusted[kind] is None:
        raise _refused(sha, f"is signed with {kind}, and no {kind} key is trusted here")


def _verify(
    checkout: Checkout, shas: Sequence[str], config: Sequence[tuple[str, str]], env: Mapping[str, str]
) -> dict[str, str]:
    """One process for all; if that fails, one for each, to name the bad commit."""
    if len(shas) == 1:
        return {shas[0]: _verify_one(checkout, shas[0], config, env)}
    try:
        said = _run(checkout, shas, config, env)
    except GitTimeout:
        raise
    except GitFailed:
        return {sha: _verify_one(checkout, sha, config, env) for sha in shas}
    names = _names(said)
    if len(names) != len(shas):
        return {sha: _verify_one(checkout, sha, config, env) for sha in shas}
    return dict(zip(shas, names, strict=True))


def _verify_one(checkout: Checkout, sha: str, config: Sequence[tuple[str, str]], env: Mapping[str, str]) -> str:
    try:
        said = _run(checkout, [sha], config, env)
    except GitTimeout:
        raise
    except GitFailed as error:
        raise _refused(sha, _why(error.stderr)) from error
    names = _names(said)
    if len(names) != 1:
        raise _refused(sha, "has a signature that git calls good without saying whose it is")
    return names[0]


def _names(said: str) -> list[str]:
    """The signers, in the order of the commits: for people and the record; git's exit status is what decides."""
    ssh = [f"{name} ({kind} {key})" for name, kind, key in _SSH_GOOD.findall(said)]
    keys, users = _GPG_GOOD.findall(said), _GPG_NAME.findall(said)
    return ssh + [f"{user} ({key})" for user, key in zip(users, keys, strict=False)]


def _run(checkout: Checkout, shas: Sequence[str], config: Sequence[tuple[str, str]], env: Mapping[str, str]) -> str:
    args = ["verify-commit", "--raw", "--end-of-options", *shas]
    return run_git(args, git_dir=checkout.path, timeout_s=_VERIFY_S, config=config, env=env).err


def _why(said: str) -> str:
    for word, reason in _GPG_BAD:
        if f"[GNUPG:] {word} " in said:
            return f"has no good signature: {reason}"
    if "No principal matched" in said:
        return "is signed by a key that is not in allowed_signers"
    if "Could not verify signature" in said or "incorrect signature" in said:
        return "has a signature that does not fit the commit"
    lines = said.splitlines()
    return f"has no good signature: {lines[0]}" if lines else "has no good signature"


def _refused(sha: str, what: str) -> Unverified:
    return Unverified(
        f"commit {sha[:12]} {what}",
        where=f"commit {sha}",
        help="sign it with a trusted key (git commit --amend -S), or name its signer in the files of reconcile.toml",
    )


def _need(program: str, package: str) -> None:
    if shutil.which(program) is None:
        raise Unavailable(f"{program} is needed to verify signatures", help=f"apt install {package}")


def _make_keyring(source: Path, home: Path) -> None:
    """A GnuPG home with the named keys and nothing else: no agent, no options, no other keys, no key server."""
    data = read_regular(source)
    if data[8:12] == _KEYBOX:
        (home / "pubring.kbx").write_bytes(data)
    elif data[:1] and data[0] & 0x80:  # the first byte of a binary OpenPGP packet
        (home / "pubring.gpg").write_bytes(data)
    else:
        raise InvalidConfig(
            "gpg_keyring is not a binary keyring",
            where=str(source),
            help=f"make it with: gpg --export KEY > {source} (without --armor)",
        )
