"""Descent and signatures, with real keys. What is refused is refused before anything of the commit is read."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.context.settings import Settings
from reconciler.errors import InvalidConfig, Refused, Unavailable
from reconciler.source.ledger import Ledger, marker_path, read_ledger
from reconciler.source.trust import TrustVerdict, check
from tests.source.conftest import NOW, ROSTER, Look, Repo, program, snapshot

Calls = Callable[[], list[str]]


@pytest.fixture(scope="session")
def ssh_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ssh")
    for name in ("ada", "eve"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(command, check=True)
    return folder


@pytest.fixture(scope="session")
def gpg_home() -> Iterator[Path]:
    """Two keys without a passphrase. A short path: gpg-agent's socket is in it."""
    home = Path(
        subprocess.run(["mktemp", "-d", "/tmp/mg.XXXXXX"], check=True, capture_output=True, text=True).stdout.strip()
    )
    env = {**os.environ, "GNUPGHOME": str(home)}
    for name in ("ada", "eve"):
        spec = ["--quick-gen-key", f"{name} <{name}@example.org>", "ed25519", "sign", "never"]
        subprocess.run(
            ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", *spec],
            check=True,
            env=env,
            capture_output=True,
        )
    yield home
    subprocess.run(["gpgconf", "--kill", "all"], check=False, env=env)
    shutil.rmtree(home, ignore_errors=True)


def exported(home: Path, target: Path, *names: str, armor: bool = False) -> Path:
    options = ["--armor"] if armor else []
    addresses = [f"{name}@example.org" for name in names]
    command = ["gpg", "--homedir", str(home), "--batch", *options, "--export", *addresses]
    target.write_bytes(subprocess.run(command, check=True, capture_output=True).stdout)
    target.chmod(0o600)
    return target


class Judge:
    """A host: its ledger, its signers, and what it says about a source."""

    def __init__(self, look: Look, tmp_path: Path, state_dir: Path) -> None:
        self.look, self.state_dir = look, state_dir
        self.signers = tmp_path / "allowed_signers"
        self.settings = Settings()
        self.marker = marker_path(tmp_path / "config", "canary")

    def trust(self, keys: Path, *names: str) -> None:
        lines = [f"{name}@example.org {(keys / f'{name}.pub').read_text()}" for name in names]
        self.signers.write_text("".join(lines))
        self.signers.chmod(0o600)

    def verify(self, verify: str) -> None:
        self.settings = Settings(verify=verify, allowed_signers=self.signers)  # type: ignore[arg-type]

    def ledger(self) -> Ledger:
        return read_ledger(self.state_dir, self.marker)

    def check(self, spec: object, *, rewind: bool = False, preview: bool = False, **options: bool) -> TrustVerdict:
        source = self.look(spec, settings=self.settings, preview=preview, **options)
        return check(source, self.ledger(), settings=self.settings, allow_rewind=rewind)

    def apply(self, spec: object, *, rewind: bool = False) -> TrustVerdict:
        verdict = self.check(spec, rewind=rewind)
        self.ledger().record(verdict.sha, by="ada", verify=self.settings.verify, now=NOW, rewind=verdict.rewind)
        return verdict


@pytest.fixture
def judge(look: Look, tmp_path: Path, state_dir: Path) -> Judge:
    return Judge(look, tmp_path, state_dir)


def signed(repo: Repo, keys: Path, name: str = "ada") -> str:
    """Commit, signed with SSH."""
    options = ["-c", "gpg.format=ssh", "-c", f"user.signingKey={keys / name}"]
    (repo.path / "roster.yaml").write_text(ROSTER + f"# {len(repo.git('rev-list', '--all'))}\n")
    repo.git("add", "--all")
    repo.git(*options, "commit", "--quiet", "-S", "-m", f"by {name}")
    return repo.head()


# --- descent


def test_a_descendant_is_good_and_costs_nothing_when_unchanged(repo: Repo, judge: Judge, calls: Calls) -> None:
    judge.apply(repo.path)
    repo.commit("second")
    repo.commit("third")
    verdict = judge.apply(repo.path)
    assert (verdict.sha, verdict.rewind, verdict.signer) == (repo.head(), False, None)
    calls()
    head = repo.head()
    assert judge.check(repo.path).sha == head
    assert calls() == []


@pytest.mark.parametrize("remote_", [False, True])
@pytest.mark.parametrize("what", ["reset", "amend", "orphan"])
def test_a_rewound_history_is_refused_until_allowed(
    repo: Repo, judge: Judge, remote: str, what: str, remote_: bool
) -> None:
    spec: object = remote if remote_ else repo.path
    repo.commit("second")
    repo.git("push", "--quiet", "origin", "main")
    applied = judge.apply(spec).sha
    if what == "reset":
        repo.git("reset", "--quiet", "--hard", "HEAD~1")
    elif what == "amend":
        repo.git("commit", "--quiet", "--amend", "--allow-empty", "-m", "another second")
    else:
        repo.git("checkout", "--quiet", "--orphan", "new")
        repo.commit("root")
        repo.git("branch", "-M", "new", "main")
    repo.git("push", "--quiet", "--force", "origin", "main")
    for _run in range(2):
        with pytest.raises(Refused, match="does not descend") as caught:
            judge.check(spec)
        assert "--allow-rewind" in caught.value.help
        assert caught.value.exit_code == 5
        assert applied[:12] in caught.value.message
    verdict = judge.apply(spec, rewind=True)
    assert (verdict.sha, verdict.rewind) == (repo.head(), True)
    assert judge.check(spec).rewind is False
    assert judge.look(spec).at(applied).revision == applied, "what was applied before stays readable"


def test_a_newer_commit_mends_a_rewind(repo: Repo, judge: Judge) -> None:
    repo.commit("second")
    applied = judge.apply(repo.path).sha
    repo.git("reset", "--quiet", "--hard", "HEAD~1")
    with pytest.raises(Refused):
        judge.check(repo.path)
    repo.git("merge", "--quiet", "--no-ff", "-m", "merge back", applied)
    repo.commit("third")
    assert judge.check(repo.path).sha == repo.head()


def test_a_revert_is_no_rewind(repo: Repo, judge: Judge) -> None:
    repo.commit("second", roster="version: 2\n")
    judge.apply(repo.path)
    repo.git("revert", "--no-edit", "HEAD")
    assert judge.check(repo.path).rewind is False


@pytest.mark.parametrize("remote_", [False, True])
def test_the_copy_is_shallow_and_deepens_when_descent_needs_it(
    repo: Repo, judge: Judge, remote: str, state_dir: Path, remote_: bool
) -> None:
    spec: object = remote if remote_ else repo.path
    applied = judge.apply(spec).sha
    shutil.rmtree(state_dir / "checkout")
    for number in range(70):
        repo.commit(f"commit {number}")
    repo.git("push", "--quiet", "origin", "main")
    source = judge.look(spec)
    shallow = state_dir / "checkout" / "shallow"
    assert shallow.exists()
    assert judge.check(spec).sha == repo.head()
    assert source.descends_from(applied)


def test_unknown_is_not_no(repo: Repo, judge: Judge, remote: str, state_dir: Path, programs: Path) -> None:
    judge.apply(remote)
    shutil.rmtree(state_dir / "checkout")
    repo.commit("second")
    repo.git("push", "--quiet", "origin", "main")
    judge.look(remote)
    program(programs, "ssh", "#!/bin/sh\nexit 255\n")
    with pytest.raises(Unavailable):
        judge.check(remote)
    with pytest.raises(Unavailable, match="history"):
        judge.check(remote, fetch=False)


# --- SSH


def test_a_signed_head(repo: Repo, judge: Judge, ssh_keys: Path, calls: Calls) -> None:
    judge.trust(ssh_keys, "ada")
    judge.verify("head")
    with pytest.raises(Refused, match="not signed"):
        judge.check(repo.path)
    sha = signed(repo, ssh_keys)
    verdict = judge.apply(repo.path)
    assert verdict.sha == sha
    assert str(verdict.signer).startswith("ada@example.org (ED25519 SHA256:")
    calls()
    assert judge.check(repo.path).signer == verdict.signer
    assert calls() == [], "a verified commit is remembered"


def test_an_unknown_key(repo: Repo, judge: Judge, ssh_keys: Path) -> None:
    judge.trust(ssh_keys, "ada")
    judge.verify("head")
    sha = signed(repo, ssh_keys, "eve")
    with pytest.raises(Refused, match="not in allowed_signers") as caught:
        judge.check(repo.path)
    assert sha in caught.value.where


def test_a_signature_of_another_commit(repo: Repo, judge: Judge, ssh_keys: Path) -> None:
    judge.trust(ssh_keys, "ada")
    judge.verify("head")
    raw = repo.git("cat-file", "commit", signed(repo, ssh_keys))
    (repo.path / "forged").write_text(raw.replace("by ada", "by eve") + "\n")
    forged = repo.git("hash-object", "-t", "commit", "-w", str(repo.path / "forged"))
    repo.git("reset", "--quiet", "--hard", forged)
    with pytest.raises(Refused, match="does not fit"):
        judge.check(repo.path)


def test_a_signature_shown_in_the_message_is_none(repo: Repo, judge: Judge, ssh_keys: Path) -> None:
    judge.trust(ssh_keys, "ada")
    judge.verify("head")
    repo.commit("innocent\n\ngpgsig -----BEGIN SSH SIGNATURE-----\n x\n -----END SSH SIGNATURE-----\n")
    with pytest.raises(Refused, match="not signed"):
        judge.check(repo.path)


def test_a_removed_signer_is_asked_for_again(repo: Repo, judge: Judge, ssh_keys: Path) -> None:
    judge.trust(ssh_keys, "ada", "eve")
    judge.verify("head")
    signed(repo, ssh_keys, "eve")
    judge.apply(repo.path)
    judge.trust(ssh_keys, "ada")
    with pytest.raises(Refused, match="not in allowed_signers"):
        judge.check(repo.path)


def test_tightening_the_policy_asks_for_what_is_applied(repo: Repo, judge: Judge, ssh_keys: Path) -> None:
    judge.apply(repo.path)
    judge.trust(ssh_keys, "ada")
    judge.verify("all")
    with pytest.raises(Refused, match="not signed"):
        judge.check(repo.path)


def test_head_looks_at_the_head_and_all_at_every_commit(repo: Repo, judge: Judge, ssh_keys: Path) -> None:
    judge.trust(ssh_keys, "ada")
    judge.verify("all")
    signed(repo, ssh_keys)
    judge.apply(repo.path)  # trust begins here: the unsigned first commit below it is not asked for
    signed(repo, ssh_keys)
    assert judge.apply(repo.path).sha == repo.head()
    unsigned = repo.commit("sneaked in", roster="version: 3\n")
    signed(repo, ssh_keys)
    with pytest.raises(Refused, match="not signed") as caught:
        judge.check(repo.path)
    assert unsigned in caught.value.where
    judge.verify("head")
    assert judge.check(repo.path).sha == repo.head()


def test_all_looks_at_every_side_of_a_merge(repo: Repo, judge: Judge, ssh_keys: Path) -> None:
    judge.trust(ssh_keys, "ada", "eve")
    judge.verify("all")
    for _commit in range(3):
        signed(repo, ssh_keys)
    judge.apply(repo.path)
    repo.git("checkout", "--quiet", "-b", "side", "HEAD~2")
    for name in ("eve", "ada", "eve"):
        (repo.path / "notes").write_text(f"{name} {repo.head()}")
        signed(repo, ssh_keys, name)
    repo.git("checkout", "--quiet", "main")
    merge = ["-c", "gpg.format=ssh", "-c", f"user.signingKey={ssh_keys / 'ada'}", "merge", "--quiet", "-S"]
    repo.git(*merge, "-X", "ours", "--no-ff", "-m", "merge", "side")
    assert str(judge.apply(repo.path).signer).startswith("ada@")
    repo.git("checkout", "--quiet", "side")
    unsigned = repo.commit("unsigned on the side")
    repo.git("checkout", "--quiet", "main")
    repo.git(*merge, "-X", "ours", "--no-ff", "-m", "merge", "side")
    with pytest.raises(Refused, match="not signed") as caught:
        judge.check(repo.path)
    assert unsigned in caught.value.where


def test_all_with_many_commits_names_the_one_to_blame(repo: Repo, judge: Judge, ssh_keys: Path, calls: Calls) -> None:
    judge.trust(ssh_keys, "ada")
    judge.verify("all")
    signed(repo, ssh_keys)
    judge.apply(repo.path)
    for _commit in range(5):
        signed(repo, ssh_keys)
    calls()
    judge.apply(repo.path)
    assert len([line for line in calls() if "verify-commit" in line]) == 1
    signed(repo, ssh_keys)
    to_blame = signed(repo, ssh_keys, "eve")
    signed(repo, ssh_keys)
    with pytest.raises(Refused, match="not in allowed_signers") as caught:
        judge.check(repo.path)
    assert to_blame in caught.value.where


def test_all_fails_closed_when_the_source_has_cut_its_history(repo: Repo, judge: Judge, ssh_keys: Path) -> None:
    judge.trust(ssh_keys, "ada")
    judge.verify("all")
    signed(repo, ssh_keys)
    judge.apply(repo.path)
    base = repo.head()
    for _commit in range(3):
        signed(repo, ssh_keys)
    repo.git("checkout", "--quiet", "--orphan", "island")
    for _commit in range(3):
        signed(repo, ssh_keys)
    repo.git("checkout", "--quiet", "main")
    merge = ["-c", "gpg.format=ssh", "-c", f"user.signingKey={ssh_keys / 'ada'}", "merge", "--quiet", "-S"]
    repo.git(*merge, "-X", "ours", "--allow-unrelated-histories", "-m", "merge", "island")
    assert base in repo.git("rev-list", "HEAD")
    island = repo.git("rev-list", "island").split()
    (repo.path / ".git" / "shallow").write_text(f"{island[1]}\n")
    with pytest.raises(Refused, match="has cut its history"):
        judge.check(repo.path)


def test_a_preview_remembers_nothing(repo: Repo, judge: Judge, ssh_keys: Path, state_dir: Path) -> None:
    judge.trust(ssh_keys, "ada")
    judge.verify("all")
    signed(repo, ssh_keys)
    judge.check(repo.path, preview=True)
    assert not state_dir.exists()
    judge.apply(repo.path)
    signed(repo, ssh_keys)
    before = snapshot(state_dir)
    assert judge.check(repo.path, preview=True).signer
    assert snapshot(state_dir) == before


@pytest.mark.parametrize("content", ["{", "[]", "null", '{"version": 1}'])
def test_a_damaged_memory_only_costs_work(
    repo: Repo, judge: Judge, ssh_keys: Path, state_dir: Path, content: str
) -> None:
    judge.trust(ssh_keys, "ada")
    judge.verify("head")
    signed(repo, ssh_keys)
    judge.apply(repo.path)
    (state_dir / "verified.json").write_text(content)
    assert judge.check(repo.path).signer


# --- GPG


def gpg_signed(repo: Repo, home: Path, name: str = "ada") -> str:
    stand_in = repo.path.parent / "gpg-with-home"
    stand_in.write_text(f'#!/bin/sh\nexec gpg --homedir {home} --batch --pinentry-mode loopback --passphrase "" "$@"\n')
    stand_in.chmod(0o755)
    options = ["-c", "gpg.format=openpgp", "-c", f"gpg.program={stand_in}", "-c", f"user.signingKey={name}@example.org"]
    repo.git(*options, "commit", "--quiet", "--allow-empty", "-S", "-m", f"by {name}")
    return repo.head()


@pytest.mark.parametrize("form", ["file", "folder"])
def test_a_gpg_signature(repo: Repo, judge: Judge, gpg_home: Path, tmp_path: Path, form: str) -> None:
    keyring = exported(gpg_home, tmp_path / "keys.gpg", "ada") if form == "file" else gpg_home
    judge.settings = Settings(verify="head", gpg_keyring=keyring)
    sha = gpg_signed(repo, gpg_home)
    verdict = judge.check(repo.path)
    assert verdict.sha == sha
    assert str(verdict.signer).startswith("ada <ada@example.org> (")


def test_a_gpg_key_that_is_not_named(repo: Repo, judge: Judge, gpg_home: Path, tmp_path: Path) -> None:
    """Not even if the user's own keyring knows it."""
    exported(gpg_home, tmp_path / "eve.gpg", "eve")
    own = tmp_path / "home" / ".gnupg"
    own.mkdir(mode=0o700)
    subprocess.run(
        ["gpg", "--homedir", str(own), "--batch", "--import", str(tmp_path / "eve.gpg")],
        check=True,
        capture_output=True,
    )
    judge.settings = Settings(verify="head", gpg_keyring=exported(gpg_home, tmp_path / "keys.gpg", "ada"))
    gpg_signed(repo, gpg_home, "eve")
    with pytest.raises(Refused, match="not in gpg_keyring"):
        judge.check(repo.path)


def test_an_expired_gpg_key(repo: Repo, judge: Judge, gpg_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "g"
    home.mkdir(mode=0o700)
    short = Path("/tmp") / f"mg-{os.getpid()}"
    short.symlink_to(home)
    try:
        gpg = ["gpg", "--homedir", str(short), "--batch", "--pinentry-mode", "loopback", "--passphrase", ""]
        past = ["--faked-system-time", "20200101T000000!"]
        spec = ["--quick-gen-key", "ada <ada@example.org>", "ed25519", "sign", "2020-01-05"]
        subprocess.run([*gpg, *past, *spec], check=True, capture_output=True)
        stand_in = tmp_path / "gpg-then"
        stand_in.write_text(f'#!/bin/sh\nexec {" ".join(gpg[:-1])} "" {" ".join(past)} "$@"\n')
        stand_in.chmod(0o755)
        options = ["-c", f"gpg.program={stand_in}", "-c", "user.signingKey=ada@example.org"]
        repo.git(*options, "commit", "--quiet", "--allow-empty", "-S", "-m", "then")
        judge.settings = Settings(verify="head", gpg_keyring=exported(short, tmp_path / "keys.gpg", "ada"))
        with pytest.raises(Refused, match="expired"):
            judge.check(repo.path)
        subprocess.run(["gpgconf", "--homedir", str(short), "--kill", "all"], check=False)
    finally:
        short.unlink()
    assert gpg_home


def test_kinds_of_keys_are_not_mixed(repo: Repo, judge: Judge, gpg_home: Path, ssh_keys: Path, tmp_path: Path) -> None:
    judge.trust(ssh_keys, "ada")
    judge.verify("head")
    gpg_signed(repo, gpg_home)
    with pytest.raises(Refused, match="signed with GPG, and no GPG key is trusted"):
        judge.check(repo.path)
    keyring = exported(gpg_home, tmp_path / "keys.gpg", "ada")
    judge.settings = Settings(verify="head", gpg_keyring=keyring)
    judge.apply(repo.path)
    signed(repo, ssh_keys)
    with pytest.raises(Refused, match="signed with SSH"):
        judge.check(repo.path)
    judge.settings = Settings(verify="all", gpg_keyring=keyring, allowed_signers=judge.signers)
    gpg_signed(repo, gpg_home)
    assert judge.check(repo.path).sha == repo.head()


def test_the_gpg_home_is_not_written_to(repo: Repo, judge: Judge, gpg_home: Path) -> None:
    judge.settings = Settings(verify="head", gpg_keyring=gpg_home)
    gpg_signed(repo, gpg_home)
    before = {path: path.stat().st_mtime_ns for path in gpg_home.iterdir()}
    judge.check(repo.path)
    assert {path: path.stat().st_mtime_ns for path in gpg_home.iterdir()} == before


# --- key files


def test_key_files_that_cannot_be_used(repo: Repo, judge: Judge, gpg_home: Path, tmp_path: Path) -> None:
    judge.verify("head")
    with pytest.raises(InvalidConfig, match="cannot be read"):
        judge.check(repo.path)
    judge.signers.write_text("")
    judge.signers.chmod(0o600)
    with pytest.raises(InvalidConfig, match="empty"):
        judge.check(repo.path)
    judge.signers.chmod(0o666)
    with pytest.raises(InvalidConfig, match="written by others"):
        judge.check(repo.path)
    (tmp_path / "no-home").mkdir()
    judge.settings = Settings(verify="head", gpg_keyring=tmp_path / "no-home")
    with pytest.raises(InvalidConfig, match="without a keyring"):
        judge.check(repo.path)
    judge.settings = Settings(verify="head")
    with pytest.raises(InvalidConfig, match="needs allowed_signers or gpg_keyring"):
        judge.check(repo.path)
    gpg_signed(repo, gpg_home)
    keyring = exported(gpg_home, tmp_path / "keys.asc", "ada", armor=True)
    judge.settings = Settings(verify="head", gpg_keyring=keyring)
    with pytest.raises(InvalidConfig, match="not a binary keyring"):
        judge.check(repo.path)


# --- a ledger that is gone


def test_a_lost_ledger_fails_closed_when_verification_is_on(
    repo: Repo, judge: Judge, ssh_keys: Path, state_dir: Path
) -> None:
    judge.trust(ssh_keys, "ada")
    judge.verify("head")
    signed(repo, ssh_keys)
    judge.apply(repo.path)
    shutil.rmtree(state_dir)
    with pytest.raises(Refused, match="ledger of applied revisions is missing") as caught:
        judge.check(repo.path)
    assert "--allow-rewind" in caught.value.help
    verdict = judge.apply(repo.path, rewind=True)
    assert verdict.rewind
    assert verdict.warnings
    assert judge.check(repo.path).warnings == ()


def test_a_lost_ledger_only_warns_with_verification_off(repo: Repo, judge: Judge, state_dir: Path) -> None:
    judge.apply(repo.path)
    (state_dir / "ledger.ndjson").unlink()
    verdict = judge.check(repo.path)
    assert "missing" in verdict.warnings[0]
