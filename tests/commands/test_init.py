"""`mosaic fleet init`: by flags, by a person at a terminal, over a fleet that is there, and when it goes wrong."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from specs.fleet_files import FILES
from specs.loading.load import load
from specs.scaffold.presets import PRESETS
from tests.commands.calling import Said, fleet
from tests.commands.repository import Repository
from tests.commands.typist import Typist
from tests.documents import read
from tests.hosts.namespace import CHECKOUT

EXAMPLES = CHECKOUT / "examples" / "fleets"
PROGRAM = "from reconciler.commands.mosaic import main; main()"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which of the real programs only claude and pi are there; returns where their folder is."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, version in (("claude", "2.1.0 (Claude Code)"), ("pi", "0.7.0")):
        (folder / name).write_text(f"#!/bin/sh\necho '{version}'\n")
        (folder / name).chmod(0o755)
    (folder / "git").symlink_to("/usr/bin/git")
    (folder / "sh").symlink_to("/bin/sh")
    (folder / "sed").symlink_to("/bin/sed")
    monkeypatch.setenv("PATH", str(folder))
    return folder


def init(*args: str) -> Said:
    return fleet("init", *args)


def there(path: Path) -> dict[str, bytes]:
    return {name: (path / name).read_bytes() for name in FILES}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_fleet(name: str, tmp_path: Path) -> None:
    path = tmp_path / "fleet"
    said = init(str(path), "--preset", name)
    assert said.code == 0, said.err
    loaded = load(there(path))
    assert loaded.problems == ()
    assert (loaded.fleet.name, loaded.floor) == (name, "none" if name == "minimal" else "two-agent")
    repo = Repository(path)
    assert repo.subjects == [f"Begin the fleet {name}"]
    assert repo.git("status", "--porcelain") == ""
    assert repo.git("branch", "--show-current") == "main"
    assert repo.git("ls-files").split() == [
        "NORTH_STAR.yaml", "fleet.yaml", "roster.yaml", "schemas/fleet.schema.json",
        "schemas/north-star.schema.json", "schemas/roster.schema.json",
    ]  # fmt: skip
    for file in FILES:
        first = (path / file).read_text().splitlines()[0]
        assert (path / first.removeprefix("# yaml-language-server: $schema=")).is_file()
    assert said.out.endswith(f"next: reconcile --dry-run {path}\n")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_the_example_of_its_name(name: str, tmp_path: Path, machine: Path) -> None:
    """Where all the programs are there, the two declare the same agents."""
    for program in ("codex", "opencode"):
        (machine / program).write_text("#!/bin/sh\necho 1.0\n")
        (machine / program).chmod(0o755)
    assert init(str(tmp_path / "fleet"), "--preset", name).code == 0

    def agents(path: Path) -> list[tuple[object, ...]]:
        roster = load(there(path)).roster
        assert roster is not None
        return [(a.name, a.runtime, a.agent_class, a.yolo, a.reset_between_tasks, a.depends_on) for a in roster.agents]

    assert agents(tmp_path / "fleet") == agents(EXAMPLES / name)


def test_the_programs_that_are_there_are_taken(tmp_path: Path) -> None:
    said = init(str(tmp_path / "fleet"), "--preset", "coding")
    assert all(name in said.err for name in ("claude: 2.1.0 (Claude Code)", "codex", "opencode"))
    roster = load(there(tmp_path / "fleet")).roster
    assert roster is not None
    assert [agent.runtime for agent in roster.agents] == ["claude"] * 5
    assert [agent.model_hint for agent in roster.agents] == ["opus", None, None, None, "sonnet"]


def test_every_question_has_a_flag(tmp_path: Path) -> None:
    words = (
        "--preset", "general", "--name", "mine", "--agents", "a, b,c", "--runtime", "stub", "--runtime", "c=codex",
        "--socket", "s", "--working-directory", "/srv", "--mission", "Try: it", "--no-linger", "--timer", "none",
    )  # fmt: skip
    said = init(str(tmp_path / "x" / "fleet"), *words, "-m", "Hello", "--yes")
    assert said.code == 0, said.err
    loaded = load(there(tmp_path / "x" / "fleet"))
    assert loaded.roster is not None
    assert loaded.north_star is not None
    assert [(agent.name, agent.runtime) for agent in loaded.roster.agents] == [
        ("a", "stub"),
        ("b", "stub"),
        ("c", "codex"),
    ]
    assert loaded.roster.agents[2].depends_on == ("a",)
    assert (loaded.fleet.name, loaded.roster.tmux.socket_name, loaded.north_star.mission) == ("mine", "s", "Try: it")
    assert loaded.roster.defaults.working_directory == "/srv"
    assert "codex" in said.err
    assert Repository(tmp_path / "x" / "fleet").subjects == ["Hello"]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--agents", "a,b"], 64, "has 2 names; the general fleet has 3 agents"),
        (["--agents", "a,b,b"], 64, "has a name twice"),
        (["--agents", "a,b,c/d"], 64, "must not contain a path separator"),
        (["--runtime", "x=stub"], 64, 'no agent is called "x"'),
        (["--runtime", "cluade"], 78, 'did you mean "claude"?'),
        (["--name", "no way"], 78, "must not contain spaces"),
        (["--working-directory", "here"], 78, "must be an absolute folder"),
        (["--preset", "huge"], 64, "huge"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_flag_leaves_nothing(tmp_path: Path, words: list[str], code: int, told: str) -> None:
    said = init(str(tmp_path / "x" / "fleet"), "--preset", "general", *words)
    assert said.code == code
    assert told in said.err
    assert not (tmp_path / "x").exists()


def test_a_dry_run_shows_the_files_and_leaves_nothing(tmp_path: Path) -> None:
    said = init(str(tmp_path / "fleet"), "--preset", "minimal", "--dry-run")
    assert said.code == 0
    assert "  - name: canary\n    runtime: claude\n" in said.out
    assert said.out.endswith("dry run: nothing was written\n")
    assert not (tmp_path / "fleet").exists()


def test_places_that_will_not_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    assert init(str(tmp_path / "file")).code == 64
    assert init("ssh://build-1/fleet").code == 64
    bare = Repository(tmp_path)
    bare.git("init", "--quiet", "--bare", "bare.git")
    assert "is a bare repository" in init(str(tmp_path / "bare.git")).err
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{name}_NAME")
        monkeypatch.delenv(f"GIT_{name}_EMAIL")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.useConfigOnly")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    said = init(str(tmp_path / "fleet"))
    assert said.code == 5
    assert "git does not know who you are" in said.err
    assert not (tmp_path / "fleet").exists()


def test_in_a_folder_that_is_there_only_its_own_files_are_committed(tmp_path: Path) -> None:
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet" / "notes").write_text("mine\n")
    assert init(str(tmp_path / "fleet"), "--preset", "minimal").code == 0
    repo = Repository(tmp_path / "fleet")
    assert repo.git("status", "--porcelain") == "?? notes"


def test_a_hook_that_refuses_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    for key, value in (("COUNT", "1"), ("KEY_0", "core.hooksPath"), ("VALUE_0", str(hooks))):
        monkeypatch.setenv(f"GIT_CONFIG_{key}", value)
    assert init(str(tmp_path / "x" / "fleet"), "--preset", "minimal").code == 1
    assert not (tmp_path / "x").exists()
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "notes").write_text("mine\n")
    assert init(str(tmp_path / "there"), "--preset", "minimal").code == 1
    assert [one.name for one in (tmp_path / "there").iterdir()] == ["notes"]


def test_in_a_repository_that_is_there(tmp_path: Path) -> None:
    repo = Repository.make(tmp_path / "fleet")
    repo.git("rm", "--quiet", "roster.yaml")
    repo.git("commit", "--quiet", "-m", "without")
    said = init(str(repo.path), "--preset", "local-canary")
    assert said.code == 0, said.err
    assert "fleet.yaml is there already, and stays as it is (--overwrite: new files)" in said.err
    assert repo.git("show", "--name-only", "--format=").split()[0] == "NORTH_STAR.yaml"
    assert "fleet.yaml" not in repo.git("show", "--name-only", "--format=").split()
    assert load({**there(repo.path)}).fleet.name == "demo"


@pytest.fixture
def old(tmp_path: Path) -> Repository:
    """A fleet that was made, and then written in by hand."""
    path = tmp_path / "fleet"
    assert init(str(path), "--preset", "general").code == 0
    repo = Repository(path)
    roster = repo.roster.replace("    class: enhancer\n", "    class: enhancer  # my own words\n") + "# the end\n"
    (path / "roster.yaml").write_text(roster)
    repo.git("commit", "--quiet", "-am", "mine")
    return repo


def test_again_without_a_wish_changes_nothing(old: Repository) -> None:
    said = init(str(old.path))
    assert (said.code, said.out) == (0, f"nothing to change in {old.path}\n")
    assert old.subjects[0] == "mine"


def test_again_only_what_is_said_changes(old: Repository) -> None:
    before = old.roster
    words = ("--socket", "other", "--working-directory", "~/work", "--mission", "More", "--runtime", "worker0=stub")
    said = init(str(old.path), *words)
    assert said.code == 0, said.err
    expected = before.replace("socket_name: mosaic-fleet", "socket_name: other").replace('"~"', '"~/work"')
    assert old.roster == expected.replace("runtime: pi", "runtime: stub")
    assert old.git("show", "--name-only", "--format=").split() == ["NORTH_STAR.yaml", "roster.yaml"]
    assert old.subjects[0] == "Reconfigure the fleet"
    assert "-  socket_name: mosaic-fleet" in said.out


def test_again_with_another_preset_adds_whom_it_has_more(old: Repository) -> None:
    before = old.roster
    assert init(str(old.path), "--preset", "coding").code == 0
    added = [line for line in old.roster.splitlines() if line not in before.splitlines() and "name:" in line]
    assert added == ["  - name: coder0", "  - name: coder1", "  - name: reviewer"]
    assert "# my own words" in old.roster
    assert old.roster.endswith("# the end\n")
    roster = load(there(old.path)).roster
    assert roster is not None
    assert {agent.runtime for agent in roster.agents} == {"claude", "pi"}  # what this machine has


def test_again_refuses_what_it_cannot_do(old: Repository) -> None:
    assert init(str(old.path), "--agents", "a,b,c").code == 64
    said = init(str(old.path), "--runtime", "workre0=stub")
    assert (said.code, "did you mean worker0" in said.err) == (4, True)
    (old.path / "roster.yaml").write_text(old.roster + "# not committed\n")
    for words in (["--socket", "x"], ["--overwrite", "--preset", "minimal"]):
        said = init(str(old.path), *words)
        assert said.code == 5
        assert "edits in roster.yaml that are not committed" in said.err
    assert old.roster.endswith("# not committed\n")


def test_only_overwrite_overwrites(old: Repository) -> None:
    said = init(str(old.path), "--preset", "local-canary", "--overwrite")
    assert said.code == 0, said.err
    assert "# my own words" not in old.roster
    loaded = load(there(old.path))
    assert loaded.fleet.name == "general"  # a host that has seen the fleet knows it by that name
    assert old.subjects[:2] == ["Begin the fleet again", "mine"]


def test_a_roster_that_cannot_be_read_is_shown(tmp_path: Path) -> None:
    repo = Repository.make(tmp_path / "fleet", roster="agents: [\n")
    said = init(str(repo.path), "--socket", "x")
    assert said.code == 78
    assert "roster.yaml:2" in said.err or "roster.yaml:1" in said.err
    assert init(str(repo.path), "--preset", "minimal", "--overwrite").code == 0


# --- at a terminal ---


def person(tmp_path: Path, *args: str) -> Typist:
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT), "TERM": "xterm-256color", "COLUMNS": "80"}
    return Typist([sys.executable, "-c", PROGRAM, "fleet", "init", *args], env, cwd=str(tmp_path))


def test_a_person_answers(tmp_path: Path) -> None:
    path = tmp_path / "fleet"
    with person(tmp_path) as someone:
        someone.answers("Where is the fleet to be?\n  [", str(path))
        someone.sees("found claude: 2.1.0 (Claude Code)")
        someone.answers("Which fleet?\n  [general]: ", "hyrbid")
        someone.sees('Error: "hyrbid" is none of minimal, local-canary')
        someone.answers("Which fleet?\n  [general]: ", "local-canary")
        someone.answers("Its name? It stays, once a host has seen it.\n  [local-canary]: ", "try out")
        someone.sees('Error: "try out" must not contain spaces')
        someone.answers("[local-canary]: ", "tryout")
        someone.answers("[lead, enhancer, coder0, reviewer0]: ", "boss enhancer coder0 reviewer0")
        someone.answers("Where do agents begin?\n  [~]: ")
        someone.answers("What is it for?\n  [")
        someone.answers("Let agents outlive your login (linger)? [Y/n]: ", "n")
        someone.answers("Reconcile this host by itself, once this is committed?\n  [none]: ")
        shown = someone.answers("Write this, and commit it? [Y/n]: ")
        assert "  - name: boss\n    runtime: stub\n    class: orchestrator\n" in shown
        assert "    depends_on: [boss]\n" in shown
        assert someone.ends() == 0
        assert f"next: reconcile --dry-run {path}\n" in someone.screen
    assert load(there(path)).fleet.name == "tryout"
    assert Repository(path).subjects == ["Begin the fleet tryout"]


def test_a_person_chooses_programs(tmp_path: Path) -> None:
    with person(tmp_path, "fleet", "--preset", "general", "--name", "x", "--no-linger", "--timer", "none") as someone:
        someone.answers("[orchestrator, enhancer, worker0]: ")
        someone.answers("Which program is orchestrator (orchestrator)?\n  [claude]: ")
        someone.answers("Which program is enhancer (enhancer)?\n  [claude]: ", "stub")
        someone.answers("Which program is worker0 (worker)?\n  [pi]: ")
        for question in ("agents begin?", "is it for?"):
            someone.answers(question)
        someone.answers("commit it? [Y/n]: ", "n")
        assert someone.ends() == 0
        assert "nothing was written" in someone.screen
        asked = [row for row in someone.screen.partition("roster.yaml:")[0].splitlines() if str(tmp_path) not in row]
        assert 60 < max(map(len, asked)) <= 80
    assert not (tmp_path / "fleet").exists()


def test_what_has_one_answer_is_not_asked(tmp_path: Path, machine: Path) -> None:
    """Without a program there is only the stub; a tmux server is only asked for where it might be another fleet's."""
    for name in ("claude", "pi"):
        (machine / name).unlink()
    with person(tmp_path, "fleet", "--preset", "general", "--no-linger", "--timer", "none") as someone:
        for question in ("Its name?", "[orchestrator, enhancer, worker0]: ", "agents begin?", "is it for?"):
            someone.answers(question)
        shown = someone.answers("commit it? [Y/n]: ", "n")
        assert someone.ends() == 0
    assert "Which program" not in someone.screen
    assert "tmux server" not in someone.screen.partition("roster.yaml:")[0]
    assert shown.count("runtime: stub") == 3


def test_a_second_fleet_is_asked_for_its_tmux_server(tmp_path: Path) -> None:
    from providers.machine.facts import gather

    state = Path(gather(os.environ).state_home, "mosaic", "other")
    state.mkdir(parents=True)
    (state / "status.json").write_text("{}")
    words = ("--preset", "minimal", "--name", "x", "--agents", "a", "--runtime", "stub", "--mission", "m")
    with person(tmp_path, "fleet", *words, "--working-directory", "/", "--no-linger", "--timer", "none") as someone:
        someone.answers("Name of its tmux server?\n  [mosaic-fleet]: ", "mine")
        someone.answers("commit it? [Y/n]: ")
        assert someone.ends() == 0
    assert "socket_name: mine" in (tmp_path / "fleet/roster.yaml").read_text()


def test_who_commits_is_asked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept in the repository that is made, so that the next commit knows it, and nowhere else."""
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.delenv(f"GIT_{name}_NAME")
        monkeypatch.delenv(f"GIT_{name}_EMAIL")
    for key, value in (("COUNT", "1"), ("KEY_0", "user.useConfigOnly"), ("VALUE_0", "true")):
        monkeypatch.setenv(f"GIT_CONFIG_{key}", value)
    words = ("--preset", "minimal", "--name", "x", "--agents", "a", "--runtime", "stub", "--mission", "m")
    with person(tmp_path, *words, "--working-directory", "/", "--no-linger", "--timer", "none") as someone:
        someone.answers("Your name? Every commit says whose it is.\n  [", "Ada Lovelace")
        someone.answers("Your e-mail address, for the same?\n  [", "nowhere")
        someone.answers('Error: "nowhere" is not an address', "ada@localhost")
        someone.answers("Where is the fleet to be?\n  [", str(tmp_path / "fleet"))
        someone.answers("commit it? [Y/n]: ")
        assert someone.ends() == 0
    repo = Repository(tmp_path / "fleet")
    assert repo.git("show", "-s", "--format=%an <%ae> %cn") == "Ada Lovelace <ada@localhost> Ada Lovelace"
    assert repo.git("config", "--local", "user.name") == "Ada Lovelace"
    assert not list(tmp_path.glob(".gitconfig"))
    assert fleet("add", "b", "--runtime", "stub", "--fleet", str(repo.path), "--no-sync").code == 0


def test_a_fleet_that_has_run_keeps_its_name_unasked(old: Repository, tmp_path: Path) -> None:
    from providers.machine.facts import gather
    from reconciler.context.bindings import read_bindings
    from reconciler.git.location import parse_place

    read_bindings(gather(os.environ)).bind(parse_place(str(old.path)), "general")
    with person(tmp_path, str(old.path), "--no-linger", "--timer", "none") as someone:
        for question in ("Which fleet?\n  [keep]: ", "tmux server?", "agents begin?", "What is it for?"):
            someone.answers(question)
        assert someone.ends() == 0
    assert "Its name?" not in someone.screen


def test_as_a_document(tmp_path: Path) -> None:
    """The one that every command prints which changes the files."""
    words = ("--preset", "minimal", "--runtime", "stub", "--json")
    before = read(init(str(tmp_path / "fleet"), *words, "--dry-run").out)
    assert (before["kind"], before["dry_run"], before["commit"], before["written"]) == ("Change", True, None, False)
    assert not (tmp_path / "fleet").exists()
    made = read(init(str(tmp_path / "fleet"), *words).out)
    assert made["commit"] == Repository(tmp_path / "fleet").head
    assert [one["path"] for one in made["files"]] == [one["path"] for one in before["files"]]
    again = read(init(str(tmp_path / "fleet"), "--json").out)
    assert (again["files"], again["commit"], again["written"]) == ([], None, False)
    assert init(str(tmp_path / "fleet"), "--json", "--timer", "timer").code == 64


def test_files_without_a_commit(tmp_path: Path) -> None:
    said = init(str(tmp_path / "fleet"), "--preset", "minimal", "--no-commit")
    assert said.code == 0
    assert "not committed, so not in force" in said.out
    assert f"next: git -C {tmp_path}/fleet init; " in said.out
    assert load(there(tmp_path / "fleet")).fleet.name == "minimal"
    assert not (tmp_path / "fleet/.git").exists()


@pytest.mark.parametrize("question", ["Where is the fleet to be?", "Which fleet?", "commit it? [Y/n]: "])
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, question: str) -> None:
    before = sorted(one.name for one in tmp_path.iterdir())
    words = [] if question.startswith("Where") else ["fleet"]
    if question.startswith("commit"):
        words += ["--preset", "minimal", "--name", "x", "--agents", "a", "--runtime", "stub", "--socket", "s"]
        words += ["--working-directory", "/", "--mission", "m", "--no-linger", "--timer", "none"]
    with person(tmp_path, *words) as someone:
        someone.sees(question)
        assert someone.interrupts() == 130
    assert sorted(one.name for one in tmp_path.iterdir()) == before


def test_a_person_reconfigures(old: Repository, tmp_path: Path) -> None:
    with person(tmp_path, str(old.path), "--no-linger", "--timer", "none") as someone:
        someone.answers("Which fleet?\n  [keep]: ")
        someone.answers("Name of its tmux server?\n  [mosaic-fleet]: ", "other")
        for question in ("agents begin?\n  [~]: ", "What is it for?\n  [Take work", "Its name?\n  [general]: "):
            someone.answers(question)
        someone.answers("commit it? [Y/n]: ", "y")
        assert someone.ends() == 0
    assert old.git("diff", "--stat", "HEAD~1").endswith("1 file changed, 1 insertion(+), 1 deletion(-)")
