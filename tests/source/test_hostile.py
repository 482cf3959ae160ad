"""Repositories that would like to do more than be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.context.settings import Settings
from reconciler.errors import InvalidConfig, Refused
from reconciler.git.objects import parse_commit
from reconciler.git.process import environment, redact
from tests.source.conftest import ROSTER, Look, Repo, program


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "../outside", "sub/../../outside", "link-out", "../fleet/other.yaml", "folder/roster.yaml"],
)
def test_a_symlink_that_leaves_the_repository(repo: Repo, look: Look, target: str) -> None:
    (repo.path / "roster.yaml").unlink()
    (repo.path / "roster.yaml").symlink_to(target)
    (repo.path / "link-out").symlink_to("../outside")
    (repo.path / "folder").symlink_to("/etc")
    (repo.path / "sub").mkdir()
    (repo.path / "sub" / "file").write_text("x")
    (repo.path / "other.yaml").write_text("x")
    sha = repo.commit("link")
    source = look(repo.path)
    assert source.revision == sha
    with pytest.raises(Refused, match="leaves the repository") as caught:
        _ = source.files
    assert sha in caught.value.where


def test_a_symlink_inside_the_repository_is_followed(repo: Repo, look: Look) -> None:
    (repo.path / "live").mkdir()
    (repo.path / "live" / "roster.yaml").write_text("version: 7\n")
    (repo.path / "current").symlink_to("live")
    (repo.path / "roster.yaml").unlink()
    (repo.path / "roster.yaml").symlink_to("current/roster.yaml")
    repo.commit("link")
    source = look(repo.path)
    assert source.files["roster.yaml"] == b"version: 7\n"
    assert source.dirty == ()


@pytest.mark.parametrize(("target", "word"), [("nowhere", "not in the repository"), ("roster.yaml", "back to itself")])
def test_a_symlink_that_leads_nowhere(repo: Repo, look: Look, target: str, word: str) -> None:
    (repo.path / "roster.yaml").unlink()
    (repo.path / "roster.yaml").symlink_to(target)
    repo.commit("link")
    with pytest.raises(InvalidConfig, match=word):
        _ = look(repo.path).files


def test_a_folder_and_a_submodule_instead_of_a_file(repo: Repo, look: Look) -> None:
    (repo.path / "fleet.yaml").mkdir()
    (repo.path / "fleet.yaml" / "x").write_text("x")
    repo.commit("folder")
    with pytest.raises(InvalidConfig, match="not a file but a tree"):
        _ = look(repo.path).files
    repo.git("rm", "--quiet", "-r", "fleet.yaml")
    repo.git("update-index", "--add", "--cacheinfo", f"160000,{repo.head()},fleet.yaml")
    repo.git("commit", "--quiet", "-m", "submodule")
    with pytest.raises(InvalidConfig, match="submodule"):
        _ = look(repo.path).files


def test_a_submodule_is_not_fetched(repo: Repo, look: Look, tmp_path: Path, state_dir: Path) -> None:
    inner = Repo(tmp_path / "inner")
    inner.commit("inner", roster="x")
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner.path), "inner")
    repo.commit("with a submodule")
    assert look(repo.path).files["roster.yaml"] == ROSTER.encode()
    assert not list(state_dir.rglob("modules"))


def test_a_file_over_the_limit(repo: Repo, look: Look) -> None:
    repo.commit("large", roster="#" * ((1 << 20) + 1))
    with pytest.raises(InvalidConfig, match="1 MiB"):
        _ = look(repo.path).files


def test_hooks_filters_and_configuration_of_others_run_nothing(
    repo: Repo, look: Look, tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repo.path / ".gitattributes").write_text("*.yaml filter=evil diff=evil\n")
    repo.commit("attributes", roster=ROSTER + "#\n")
    ran = tmp_path / "ran"
    program(programs, "evil", f'#!/bin/sh\necho "$0 $*" >> {ran}\ncat\n')
    hooks, template = tmp_path / "hooks", tmp_path / "template"
    for folder in (hooks, template / "hooks", repo.path / ".git" / "hooks"):
        folder.mkdir(parents=True, exist_ok=True)
        for hook in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc", "post-merge"):
            program(folder, hook, f"#!/bin/sh\necho {hook} >> {ran}\n")
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "git" / "config"
    config.parent.mkdir(parents=True)
    config.write_text(
        f"[core]\n hooksPath = {hooks}\n fsmonitor = evil\n askPass = evil\n sshCommand = evil\n"
        f"[init]\n templateDir = {template}\n"
        '[filter "evil"]\n smudge = evil\n clean = evil\n process = evil\n required = true\n'
        '[protocol "ext"]\n allow = always\n[submodule]\n recurse = true\n'
    )
    (repo.path / ".git" / "config").open("a").write(
        '[filter "evil"]\n smudge = evil\n clean = evil\n[core]\n fsmonitor = evil\n'
        "[uploadpack]\n packObjectsHook = evil\n"
    )
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "evil")
    ran.unlink(missing_ok=True)
    source = look(repo.path)
    assert source.files["roster.yaml"] == ROSTER.encode() + b"#\n"
    assert source.dirty == ()
    with look(repo.path, preview=True) as preview:
        assert preview.files
    assert not ran.exists(), ran.read_text()


@pytest.mark.parametrize(
    "spec",
    ["ext::sh -c evil", "http://host/x", "git://host/x", "fd::17", "ftp://host/x", "EXT::x", "foo::https://host/x"],
)
def test_other_protocols(look: Look, spec: str) -> None:
    with pytest.raises(Refused, match="not allowed") as caught:
        look(spec)
    assert caught.value.exit_code == 5


def test_a_redirected_source_cannot_choose_another_protocol(look: Look, tmp_path: Path, remote: str) -> None:
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "git" / "config"
    config.parent.mkdir(parents=True)
    config.write_text(f'[url "ext::touch {tmp_path}/ran "]\n insteadOf = ssh://\n')
    with pytest.raises(Exception, match="not allowed"):
        look(remote)
    assert not (tmp_path / "ran").exists()


def test_nothing_of_a_commit_reaches_the_terminal_raw(repo: Repo, look: Look) -> None:
    repo.commit("red \x1b[31m and \u202e turned\rover")
    subject = look(repo.path).subject
    assert subject == "red  [31m and   turned over"


def test_odd_commits_are_read() -> None:
    raw = b"tree 0\nauthor no brackets\ncommitter A <a@b> 99999999999999999999 +0000\nencoding nonsense"
    raw += b"\n\n\n\nhi\xff\nyou\n"
    commit = parse_commit("0" * 40, raw)
    assert (commit.subject, commit.author, commit.when) == ("hi\ufffd you", "", "")
    latin = b"author B\xe9 <b@c> 1 +0000\ncommitter B <b@c> 0 +0000\nencoding ISO-8859-1\n\nna\xefve"
    commit = parse_commit("0" * 40, latin)
    assert (commit.subject, commit.author, commit.when) == ("na\xefve", "B\xe9 <b@c>", "1970-01-01T00:00:00Z")


def test_a_tag_of_something_that_is_no_commit(repo: Repo, look: Look) -> None:
    repo.git("tag", "blob", repo.git("rev-parse", "HEAD:roster.yaml"))
    with pytest.raises(Exception, match="not a commit"):
        look(repo.path, settings=Settings(ref="blob"))


def test_an_empty_commit_has_no_files(look: Look, tmp_path: Path) -> None:
    repo = Repo(tmp_path / "bare-bones")
    repo.commit("nothing")
    assert look(repo.path).files == {}


def test_the_environment_of_git_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_PROXY_COMMAND", "evil")
    monkeypatch.setenv("LD_PRELOAD", "evil.so")
    for network in (False, True):
        env = environment(network=network)
        assert not {"GIT_PROXY_COMMAND", "LD_PRELOAD"} & set(env)
        assert env["GIT_ALLOW_PROTOCOL"] == "https:ssh:file"
        assert env["GIT_TERMINAL_PROMPT"] == "0"
        assert "BatchMode=yes" in env["GIT_SSH_COMMAND"]


def test_redaction() -> None:
    assert redact("git fetch https://ada:pw@host/x") == "git fetch https://***@host/x"
    assert redact("'https://token@host/x'") == "'https://***@host/x'"
    assert (
        redact("ssh://ada:pw@host/x ssh://git@host/x git@host:x") == "ssh://ada:***@host/x ssh://git@host/x git@host:x"
    )
