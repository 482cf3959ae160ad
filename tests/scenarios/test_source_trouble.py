"""What stands around the source or in our own folders is broken: agents are healed all the same, each time another one,
and the next good commit is taken once it is mended."""

from __future__ import annotations

import sys

import pytest

from tests.scenarios.fleet import Fleet, Run, stub
from tests.scenarios.test_watch import Watch, watching

MANY = tuple(f"a{number}" for number in range(1, 13))


class Healing:
    """A fleet of which each trouble costs another agent its process."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.left = list(MANY)
        fleet.rules["reconcile"]["restart_budget"] = 100
        fleet.declare(*MANY)
        fleet.converge()
        self.pids = fleet.up(*MANY)

    def heals(self, *args: str) -> Run:
        """A run that brings back the one that was ended, and nobody else anew."""
        name = self.left.pop()
        self.fleet.kill(self.pids[name])
        run = self.fleet.reconcile(*args)
        assert run.code != 70, run.err
        now = self.fleet.pids()
        assert now.keys() == self.pids.keys(), run.err
        assert {one for one in now if now[one] != self.pids[one]} == {name}, run.err
        self.pids = now
        return run

    def takes(self) -> Run:
        """The next commit is taken."""
        self.fleet.rules["reconcile"]["interval"] = f"{60 + len(self.left)}s"
        sha = self.fleet.commit("next")
        run = self.fleet.reconcile()
        assert run.document["revision"] == sha, run.err
        assert run.code == 0, run.err
        assert self.fleet.condition("SourceReady")["reason"] == "RevisionAccepted"
        return run


@pytest.fixture
def healing(fleet: Fleet) -> Healing:
    return Healing(fleet)


def test_what_stands_in_the_working_tree_never_ends_a_run(healing: Healing) -> None:
    fleet = healing.fleet
    for there in ("mkdir -p roles/worker.md", "mkfifo roles/x.md", "mkdir -p roles/y.md/z", "ln -s nowhere roles/l.md"):
        fleet.sh(f"cd {fleet.repo} && mkdir -p roles && {there}")
        assert healing.heals().code == 0, there
    fleet.sh(f"cd {fleet.repo} && rm -rf roles && mkfifo roles")
    assert healing.heals().code == 0
    fleet.sh(f"cd {fleet.repo} && rm roles && rm fleet.yaml && mkdir fleet.yaml")
    run = healing.heals()
    assert "fleet.yaml" in run.err, "a file that is gone is an edit"
    fleet.sh(
        f"cd {fleet.repo} && rmdir fleet.yaml && git checkout -q fleet.yaml && rm roster.yaml && mkfifo roster.yaml"
    )
    assert "roster.yaml" in healing.heals().err
    fleet.sh(f"cd {fleet.repo} && rm roster.yaml && git checkout -q roster.yaml")
    healing.takes()


def test_a_committed_folder_or_submodule_in_the_place_of_a_file(healing: Healing) -> None:
    fleet = healing.fleet
    good = fleet.git("rev-parse", "HEAD")
    fleet.sh(f"cd {fleet.repo} && mkdir -p roles/worker.md && touch roles/worker.md/x")
    fleet.commit("a folder")
    run = healing.heals()
    assert (run.code, run.document["revision"]) == (78, good)
    assert "roles/worker.md is not a file but a tree" in run.err
    assert fleet.condition("SourceReady")["reason"] == "InvalidConfiguration"
    fleet.git("rm", "-q", "-r", "roles")
    fleet.git("update-index", "--add", "--cacheinfo", f"160000,{good},roles/worker.md")
    fleet.git("commit", "-q", "-m", "a submodule")
    run = healing.heals()
    assert (run.code, run.document["revision"]) == (78, good)
    assert "submodule" in run.err
    fleet.git("rm", "-q", "--cached", "roles/worker.md")
    fleet.sh(f"cd {fleet.repo} && rm -f roster.yaml && ln -s /etc/passwd roster.yaml && git add -A && {COMMIT}")
    run = healing.heals()
    assert (run.code, run.document["revision"]) == (5, good)
    assert "roster.yaml is a symlink that leaves the repository" in run.err
    assert fleet.condition("SourceReady")["reason"] == "InvalidConfiguration"
    fleet.sh(f"cd {fleet.repo} && rm roster.yaml && rm -rf roles")
    healing.takes()


COMMIT = "git -c user.name=T -c user.email=t@example.invalid commit -q -m x"


@pytest.mark.parametrize("file", ["HEAD", "refs/heads/main", "commondir"])
def test_a_fifo_in_the_repository_is_not_waited_for(healing: Healing, file: str) -> None:
    fleet = healing.fleet
    path = f"{fleet.repo}/.git/{file}"
    fleet.sh(f"if [ -e {path} ]; then mv {path} /tmp/kept; fi; mkfifo {path}")
    run = healing.heals()
    assert run.code == 0, run.err
    source = fleet.condition("SourceReady")
    assert (source["status"], source["reason"]) == ("False", "SourceUnreachable")
    assert f"{path} cannot be read: a FIFO is there" in source["message"]
    text = fleet.reconcile(form="")
    assert "the last commit that was seen (" in text.out.splitlines()[-1]
    assert "not committed" not in text.err
    assert "the last commit that was seen (" in fleet.reconcile("--dry-run", form="").out.splitlines()[-1]
    fleet.sh(f"rm {path}; if [ -e /tmp/kept ]; then mv /tmp/kept {path}; fi")
    healing.takes()


def test_what_only_git_reads_of_the_repository(healing: Healing) -> None:
    """Where nothing has to be fetched nobody reads it; where something has, git would wait for it."""
    fleet = healing.fleet
    before = fleet.git("rev-parse", "HEAD")
    sha = fleet.commit("newer")
    for file, there in (("config", "mkfifo"), ("config", "mkdir"), ("packed-refs", "mkfifo"),
                        ("objects/info/alternates", "mkfifo"), ("shallow", "mkdir")):  # fmt: skip
        path = f"{fleet.repo}/.git/{file}"
        fleet.sh(f"if [ -e {path} ]; then mv {path} /tmp/kept; fi; {there} {path}")
        run = healing.heals()
        assert (run.code, run.document["revision"]) == (0, before), run.err
        assert f"{path} is a" in fleet.condition("SourceReady")["message"]
        fleet.sh(f"rm -r {path}; if [ -e /tmp/kept ]; then mv /tmp/kept {path}; fi")
    assert fleet.converge().document["revision"] == sha


def test_git_that_fails_or_is_missing(healing: Healing) -> None:
    """The tree is clean, and the newest commit was never fetched: nobody can say that there are edits."""
    fleet = healing.fleet
    before = fleet.git("rev-parse", "HEAD")
    fleet.rules["reconcile"]["interval"] = "77s"
    sha = fleet.commit("newer")
    fleet.sh("mkdir -p /tmp/failing && printf '#!/bin/sh\\nexit 1\\n' >/tmp/failing/git && chmod 755 /tmp/failing/git")
    failing = {"PATH": f"/tmp/failing:{fleet.host.env['PATH']}"}
    for args in ((), ("--dry-run",)):
        run = fleet.reconcile(*args, form="", env=failing)
        assert run.code == 0
        assert "not committed" not in run.err
        last = run.out.splitlines()[-1]
        assert f"{before[:7]}" in last
        assert "the last commit that was seen (" in last
        assert "git says" not in last
    assert fleet.condition("SourceReady")["reason"] == "SourceUnreachable"
    assert fleet.converge().document["revision"] == sha


DAMAGE: dict[str, str] = {
    "a commit": "f=$(object HEAD) && chmod u+w $f && truncate -s 10 $f",
    "a tree": "f=$(object HEAD^{tree}) && chmod u+w $f && truncate -s 10 $f",
    "a file": "f=$(object HEAD:fleet.yaml) && chmod u+w $f && truncate -s 0 $f",
    "nulls": "f=$(object HEAD:fleet.yaml) && chmod u+w $f && n=$(stat -c %s $f) && head -c $n /dev/zero >$f",
    "a ref": "echo garbage >refs/mosaic/tip",
    "HEAD": "rm HEAD && mkfifo HEAD",
    "config": "rm config && mkdir config",
    "config garbage": "head -c 100 /dev/urandom >config",
    "refs": "rm -r refs",
    "a file instead": "cd .. && rm -r checkout && echo x >checkout",
    "gone": "cd .. && rm -r checkout",
}


def test_a_damaged_private_copy_is_made_anew_and_that_is_said(healing: Healing) -> None:
    fleet = healing.fleet
    find = 'object() { o=$(git --git-dir=. rev-parse "refs/mosaic/tip${1#HEAD}"); echo objects/${o%${o#??}}/${o#??}; }'
    for what, damage in DAMAGE.items():
        fleet.sh(f"cd {fleet.state}/checkout && {find} && {damage}")
        said = ""
        if what in ("a commit", "a file", "HEAD", "gone"):
            run = healing.heals()
            assert run.code == 0, what
            said = run.err
        preview = fleet.reconcile("--dry-run")
        assert preview.code == 0, (what, preview.err)
        assert "has been fetched again" in said + healing.takes().err, what
        assert "fetched again" not in fleet.converge().err, what
    fleet.sh(f"cd {fleet.state}/checkout && touch HEAD.lock refs/mosaic/tip.lock shallow.lock config.lock")
    assert "fetched again" not in healing.takes().err


def test_a_damaged_pack_of_the_private_copy(healing: Healing) -> None:
    """Git itself takes a pack that it cannot read for none, and fetches all of it again."""
    fleet = healing.fleet
    for suffix in ("pack", "idx"):
        fleet.sh(f"cd {fleet.state}/checkout && git --git-dir=. repack -q -a -d && "
                 f"f=$(ls objects/pack/*.{suffix}) && chmod u+w $f && truncate -s 40 $f")  # fmt: skip
        assert healing.heals().code == 0
        healing.takes()


STATE = ("source.json", "status.json", "inventory.json", "desired.json", "names", "events.ndjson", "reconcile.prom",
         "receipts", "rejected.json", "source.seen")  # fmt: skip


@pytest.mark.parametrize(
    "there", ["mkdir -p {0}/x", "mkfifo {0}", "head -c 300 /dev/zero >{0}"], ids=["folder", "fifo", "nulls"]
)
def test_anything_in_the_place_of_a_file_of_ours(healing: Healing, there: str) -> None:
    fleet = healing.fleet
    runtime = f"{fleet.host.runtime_dir}/mosaic/canary"
    paths = [*(f"{fleet.state}/{name}" for name in STATE), f"{runtime}/lock", f"{fleet.state}/../sources.json"]
    fleet.sh("; ".join(f"rm -rf {path} && {there.format(path)}" for path in paths))
    preview = fleet.reconcile("--dry-run")
    assert preview.code == 0, preview.err
    assert healing.heals().code == 0
    status = fleet.cli("fleet", "status", "--fleet", fleet.repo)
    assert status.code in (0, 3), status.err
    healing.takes()
    again = fleet.converge()
    assert again.err == "", "it is all in order again"


def test_a_ledger_that_cannot_be_read_is_a_warning_unless_something_is_verified(healing: Healing) -> None:
    fleet = healing.fleet
    ledger = f"{fleet.state}/ledger.ndjson"
    marker = f"{fleet.mosaic}/ledger/canary.json"
    for path, there in ((ledger, "mkdir"), (ledger, "mkfifo"), (marker, "mkdir"), (marker, "mkfifo")):
        fleet.sh(f"rm -rf {path} && {there} {path}")
        preview = fleet.reconcile("--dry-run")
        assert preview.code == 0
        assert f"the ledger of applied revisions cannot be read: {path}: a " in preview.err
        run = healing.heals()
        assert run.code == 0
        assert f"cannot be read: {path}: a " in run.err
        assert "ledger" not in fleet.converge().err
    healing.takes()
    fleet.write(
        f"{fleet.mosaic}/signers", "x ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDvYk5Hk1i3zHGFzb7Zc6Pb1bHkUq9E8v0d1\n", 0o600
    )
    fleet.write(
        f"{fleet.mosaic}/reconcile.toml", f'verify = "head"\nallowed_signers = "{fleet.mosaic}/signers"\n', 0o600
    )
    fleet.sh(f"rm {ledger} && mkdir {ledger}")
    run = fleet.reconcile()
    assert run.code == 5
    assert f"cannot be read: {ledger}: a folder is there" in run.err
    assert fleet.condition("SourceReady")["reason"] == "VerificationFailed"


def test_settings_that_cannot_be_read_are_named(healing: Healing) -> None:
    fleet = healing.fleet
    path = f"{fleet.mosaic}/reconcile.toml"
    for there in ("mkfifo", "mkdir"):
        fleet.sh(f"{there} {path}")
        run = fleet.reconcile()
        assert run.code == 78
        assert path in run.err
        assert "cannot be read" in run.err
        fleet.sh(f"rm -r {path}")
    healing.heals()


# --- the resident loop, through one state after the other ---


def test_the_resident_loop_goes_on_healing(fleet: Fleet) -> None:
    healing = Healing(fleet)
    repo, state = fleet.repo, fleet.state
    states: tuple[tuple[str, str], ...] = (
        (f"mkdir -p {repo}/roles/worker.md", f"rm -r {repo}/roles"),
        (f"mv {repo}/.git/HEAD /tmp/HEAD && mkfifo {repo}/.git/HEAD", f"mv /tmp/HEAD {repo}/.git/HEAD"),
        (f"mv {repo} {repo}.away", f"mv {repo}.away {repo}"),
        (f"rm -rf {state}/checkout && mkfifo {state}/checkout", "true"),
        (f"rm {state}/source.json && mkdir {state}/source.json", "true"),
        (f"rm {state}/ledger.ndjson && mkdir {state}/ledger.ndjson", "true"),
        (f"rm {state}/events.ndjson && mkfifo {state}/events.ndjson", "true"),
    )
    with watching(fleet) as watch:
        for break_, mend in states:
            fleet.sh(break_)
            name = healing.left.pop()
            before = fleet.pids()
            fleet.kill(before[name])
            watch.until(lambda n=name, b=before: fleet.pids().get(n, b[n]) != b[n], f"{name} is back after {break_}")
            assert {n: p for n, p in fleet.pids().items() if n != name} == {
                n: p for n, p in before.items() if n != name
            }
            fleet.sh(mend)
            fleet.rules["reconcile"]["interval"] = f"{70 + len(healing.left)}s"
            watch.seen(fleet.commit(break_))
        assert watch.end() == 143


# --- a working tree in which git has something half done ---

HALF_DONE: dict[str, tuple[str, str]] = {
    "rebase": ("git rebase -q work", "git rebase --abort"),
    "cherry-pick": ("git cherry-pick work~1 work", "git cherry-pick --abort"),
    "merge": ("git merge -q work", "git merge --abort"),
    "revert": ("git revert --no-edit HEAD~1", "git revert --abort"),
    "am": ("git format-patch -q -2 work -o /tmp/p && git am -q -3 /tmp/p/*", "git am --abort"),
    "bisect": ("git bisect start -q HEAD HEAD~2 && git checkout -q HEAD~1", "git bisect reset"),
}
WHO = "export GIT_AUTHOR_NAME=T GIT_AUTHOR_EMAIL=t@x GIT_COMMITTER_NAME=T GIT_COMMITTER_EMAIL=t@x"


@pytest.mark.parametrize("what", HALF_DONE)
def test_the_last_commit_stays_in_force_while_git_has_something_half_done(fleet: Fleet, what: str) -> None:
    """One of the commits on the way lacks b."""
    fleet.declare("a", "b")
    fleet.write(f"{fleet.repo}/note", "base\n")
    fleet.commit("note")
    fleet.git("branch", "work")
    fleet.git("switch", "-q", "work")
    fleet.agents = {"a": stub()}
    fleet.commit("passing")
    fleet.agents = {"a": stub(), "b": stub()}
    fleet.commit("later", raw={"note": "work\n"})
    fleet.git("switch", "-q", "main")
    fleet.commit("first on main", raw={"note": "main\n"})
    good = fleet.commit("second on main", raw={"note": "again\n"})
    fleet.converge()
    before = fleet.up("a", "b")
    begin, end = HALF_DONE[what]
    fleet.sh(f"{WHO}; cd {fleet.repo}; ({begin}) >/dev/null 2>&1 || true")
    run = fleet.reconcile()
    assert (run.code, run.document["revision"]) == (0, good), run.err
    source = fleet.condition("SourceReady")
    assert (source["status"], source["reason"]) == ("False", "SourceBusy")
    assert what in source["message"].replace("bisection", "bisect")
    assert "git " in source["message"], "how to end it"
    preview = fleet.reconcile("--dry-run")
    assert (preview.code, preview.document["actions"]) == (0, [])
    assert "in progress" in preview.err
    fleet.kill(before["a"])
    fleet.converge()
    assert fleet.up("a", "b")["b"] == before["b"]
    fleet.sh(f"{WHO}; cd {fleet.repo}; {end} >/dev/null 2>&1")
    fleet.converge()
    assert fleet.condition("SourceReady")["reason"] == "RevisionAccepted"
    fleet.up("a", "b")


def test_a_resident_loop_and_a_long_rebase(fleet: Fleet) -> None:
    fleet.rules["reconcile"]["interval"] = "1h"
    fleet.declare("a", "b")
    fleet.git("switch", "-q", "-c", "work")
    fleet.agents = {"a": stub()}
    fleet.commit("passing")
    fleet.agents = {"a": stub(), "b": stub(), "c": stub()}
    fleet.commit("later")
    fleet.git("switch", "-q", "main")
    fleet.commit("on main", raw={"note": "x\n"})
    fleet.git("switch", "-q", "work")

    def busy(watch: Watch) -> bool:
        return any(one["reason"] == "SourceBusy" for one in watch.reports[-1]["conditions"])

    # The branch that is checked out is the source's HEAD.
    with watching(fleet) as watch:
        watch.until(lambda: set(fleet.pids()) == {"a", "b", "c"}, "all three")
        before = fleet.up("a", "b", "c")
        script = "git rebase -q --exec 'test -e /tmp/go || exit 1' main"
        fleet.sh(f"{WHO}; cd {fleet.repo}; {script} >/dev/null 2>&1 || true")
        watch.until(lambda: busy(watch), "a report that says so")
        assert fleet.up("a", "b", "c") == before, "the commit that is passed through lacks two of them"
        fleet.sh(f"{WHO}; cd {fleet.repo}; git rebase --abort")
        watch.until(lambda: not busy(watch), "the end of it")
        assert fleet.up("a", "b", "c") == before


# --- history that was cut ---


def test_a_source_that_has_cut_its_history(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    upstream = f"{fleet.host.home}/upstream"
    fleet.sh(f"cp -r {fleet.repo} {upstream} && cd {fleet.repo} && git remote add origin file://{upstream}")
    good = fleet.git("rev-parse", "HEAD")
    fleet.converge()
    before = fleet.up("a", "b")
    tree, fleet.repo = fleet.repo, upstream
    for number in range(3):
        newest = fleet.commit(f"later {number}")
    fleet.repo = tree
    fleet.git("fetch", "-q", "--depth", "1", "origin", "main")
    fleet.git("reset", "-q", "--hard", "FETCH_HEAD")
    run = fleet.reconcile()
    assert (run.code, run.document["revision"]) == (5, good), run.err
    assert "cannot tell" in run.err
    assert "the source has cut its history" in run.err
    assert f"git -C {tree} fetch --unshallow" in run.err
    assert "--allow-rewind" not in run.err
    assert fleet.condition("SourceReady")["reason"] == "HistoryCut"
    fleet.kill(before["a"])
    assert fleet.reconcile().code == 5
    assert fleet.up("a", "b")["b"] == before["b"], "healed all the same"
    fleet.git("fetch", "-q", "--unshallow", "origin")
    assert fleet.converge().document["revision"] == newest
    fleet.git("reset", "-q", "--hard", good)
    run = fleet.reconcile()
    assert (run.code, fleet.condition("SourceReady")["reason"]) == (5, "NotADescendant")


# --- edits, by git's own judgement ---


def test_only_what_git_would_commit_is_an_edit(fleet: Fleet) -> None:
    fleet.declare("a", "b")
    fleet.converge()

    def edits() -> bool:
        return "not committed" in fleet.reconcile("--dry-run", form="").err

    clean: tuple[tuple[str, str], ...] = (
        (
            "line ends",
            "git config core.autocrlf true && rm *.yaml && git checkout -q . && grep -q $(printf '\\r') *.yaml",
        ),
        ("mode", "git config core.autocrlf false && git checkout -q . && chmod 755 roster.yaml"),
        ("touched", "chmod 644 roster.yaml; touch roster.yaml"),
        ("sparse", "git sparse-checkout set --no-cone '/roster.yaml' && test ! -e fleet.yaml"),
        ("whole", "git sparse-checkout disable && test -e fleet.yaml"),
    )
    for what, script in clean:
        fleet.sh(f"cd {fleet.repo} && {script}")
        assert not edits(), what
    fleet.write(f"{fleet.repo}/.gitattributes", "*.yaml text eol=crlf working-tree-encoding=UTF-16LE-BOM\n")
    fleet.git("add", ".gitattributes")
    fleet.git("commit", "-q", "-m", "attributes")
    fleet.sh(f"cd {fleet.repo} && rm *.yaml && git checkout -q .")
    assert not edits(), "another encoding"
    fleet.converge()
    fleet.sh(
        f"cd {fleet.repo} && git rm -q .gitattributes && rm *.yaml && git checkout -q HEAD -- '*.yaml' && {COMMIT}"
    )
    fleet.sh(f"cd {fleet.repo} && rm *.yaml && git checkout -q .")
    fleet.converge()
    text = fleet.read(f"{fleet.repo}/roster.yaml")
    for hide in (
        "true",
        "git update-index --assume-unchanged roster.yaml",
        "git update-index --skip-worktree roster.yaml",
    ):
        fleet.write(f"{fleet.repo}/roster.yaml", text)
        fleet.sh(f"cd {fleet.repo} && {hide}")
        assert not edits(), hide
        fleet.write(f"{fleet.repo}/roster.yaml", text.replace('"b"', '"x"'))
        assert edits(), hide


@pytest.mark.parametrize("how", ["assume-unchanged", "skip-worktree"])
def test_a_hidden_edit_is_not_committed_along(fleet: Fleet, how: str) -> None:
    fleet.declare("a", "b")
    fleet.converge()
    before = fleet.git("rev-parse", "HEAD")
    fleet.git("update-index", f"--{how}", "roster.yaml")
    text = fleet.read(f"{fleet.repo}/roster.yaml")
    fleet.write(f"{fleet.repo}/roster.yaml", text.replace('"a"', '"hidden"'))
    said = fleet.cli("fleet", "stop", "b", "--fleet", fleet.repo)
    assert said.code == 5, said.out
    assert "git was told not to show" in said.err
    assert "--no-assume-unchanged" in said.err
    assert fleet.git("rev-parse", "HEAD") == before
    fleet.write(f"{fleet.repo}/roster.yaml", text)
    env = {"GIT_AUTHOR_NAME": "T", "GIT_AUTHOR_EMAIL": "t@x", "GIT_COMMITTER_NAME": "T", "GIT_COMMITTER_EMAIL": "t@x"}
    stop = [*_mosaic(), "fleet", "stop", "b", "--fleet", fleet.repo]
    done = fleet.run(stop, env=env)
    if done.code == 0:
        assert fleet.git("show", "--stat", "--format=", "HEAD").count("roster.yaml") == 1
        assert "hidden" not in fleet.git("show", "HEAD")
    else:
        assert how == "skip-worktree", done.err
        assert fleet.read(f"{fleet.repo}/roster.yaml") == text


def _mosaic() -> list[str]:
    return [sys.executable, "-c", "from reconciler.commands.mosaic import main; main()"]
