"""From the agent's entry to the program's own arguments and environment, through the real programs and a real dash.

Only tmux is a stand-in here: it says that there is no pane yet, that one was made, and what it was marked with. The
pane's program is then started as tmux would.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers import framework_files
from providers.kinds.framework import PROGRAMS
from providers.launch import additions, environment
from specs.compiled import Agent, EnvValue, mission_digest
from tests.launch.bench import make_agent, make_facts, make_fleet

# Counted arguments, NUL between them, then the environment: nothing here interprets what it prints.
PROGRAM = """#!/bin/sh
printf '%s\\0' "$#" "$PWD" "$@"
exec env -0
"""

# A server of its own without a session: it makes what it is asked for, and sets and tells the life of the pane.
TMUX = """case "$*" in
    *new-session*) echo "%1 $$" ;;
    *"@mosaic_life #"*) all="$*" all=${all#*"#{pane_pid},"} all=${all#*"},"}; echo "${all%%,*}" ;;
esac"""


@dataclass(frozen=True)
class Started:
    argv: list[str]
    env: dict[str, str]
    directory: str


class Launcher:
    """The launch programs in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.facts = replace(make_facts(str(folder), str(folder / "run")), mosaic_home=str(folder / "mosaic"))
        self.bin = Path(self.facts.bin_dir)
        self.shims = folder / "shims"
        for place in (self.bin, Path(self.facts.agents_dir), self.shims, folder / "run"):
            place.mkdir(parents=True)
        for name in PROGRAMS:
            (self.bin / name).write_text(framework_files.text(name))
        self.tmux(TMUX)
        (self.shims / "systemd-run").symlink_to("/bin/true")
        self.program = self.shims / "program"
        self.program.write_text(PROGRAM)
        self.program.chmod(0o755)
        self.env = {
            "PATH": f"{self.shims}:{os.environ['PATH']}",
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder / "run"),
        }

    def tmux(self, script: str) -> None:
        shim = self.shims / "tmux"
        shim.write_text(f"#!/bin/sh\n{script}\n")
        shim.chmod(0o755)

    def papers(self) -> list[Path]:
        return list((self.folder / "run" / "mosaic" / "launch").glob("*:*"))

    def start(self, agent: Agent, **env: str) -> subprocess.CompletedProcess[str]:
        """agent-start, as far as the hand-over."""
        text = environment.render_env(agent, make_fleet(agent), self.facts)
        Path(environment.env_path(agent.name, self.facts)).write_text(text)
        return self._run("agent-start", agent.name, **env)

    def pane(self, agent: Agent, **env: str) -> subprocess.CompletedProcess[str]:
        """agent-pane, with what was handed over."""
        [paper] = self.papers()
        done = self._run("agent-pane", agent.name, paper.name.partition(":")[2], **env)
        assert self.papers() == []
        return done

    def launch(self, agent: Agent, **env: str) -> Started:
        started = self.start(agent, **env)
        assert (started.returncode, started.stderr) == (0, "")
        done = self.pane(agent, **env)
        assert (done.returncode, done.stderr) == (0, "")
        count, directory, *rest = done.stdout.split("\0")
        argv, variables = rest[: int(count)], rest[int(count) : -1]
        return Started(argv, dict(variable.split("=", 1) for variable in variables), directory)

    def _run(self, program: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["dash", str(self.bin / program), *args],
            check=False,
            env={**self.env, **env},
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
            timeout=90,
        )


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    folder = tmp_path_factory.mktemp("launch")
    yield Launcher(folder)
    shutil.rmtree(folder)


awkward = st.text(
    st.one_of(
        st.sampled_from(" '\"$`\\%=;#&|*?[]{}()<>!~+-\t"), st.characters(codec="utf-8", exclude_categories=["C"])
    ),
    max_size=12,
)
variables = st.from_regex(r"(X_|line|name|value|key|session|socket|rest)[A-Za-z0-9_]{0,4}", fullmatch=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=st.lists(awkward, max_size=4), env=st.dictionaries(variables, awkward, max_size=4))
def test_arguments_and_variables_arrive_as_they_are(
    launcher: Launcher, arguments: list[str], env: dict[str, str]
) -> None:
    agent = make_agent("a", argv=(str(launcher.program), *arguments), env=env)
    started = launcher.launch(agent)
    assert started.argv == arguments
    assert {name: started.env[name] for name in env} == env


def test_the_program_knows_who_it_is(launcher: Launcher) -> None:
    agent = make_agent("a.b", argv=("program",), model="opus")
    started = launcher.launch(agent)
    mine = {name: value for name, value in started.env.items() if name.startswith("MOSAIC_")}
    assert mine.pop("MOSAIC_AGENT_PID").isdigit()
    assert mine.pop("MOSAIC_GIVEN") == dict(additions.pairs(agent, launcher.facts))[additions.GIVEN_KEY]
    assert mine == {
        "MOSAIC_AGENT_NAME": "a.b",
        "MOSAIC_AGENT_SESSION": "a_b",
        "MOSAIC_AGENT_CLASS": "coder",
        "MOSAIC_AGENT_RUNTIME": "stub",
        "MOSAIC_AGENT_MODEL": "opus",
        "MOSAIC_AGENT_WORKDIR": "/tmp",
        "MOSAIC_TMUX_SOCKET": "mosaic-test",
        "MOSAIC_FLEET": "canary",
        "MOSAIC_TENANT_ID": "default",
        "MOSAIC_HOST": "private-host",
        "MOSAIC_HOME": launcher.facts.mosaic_home,
        "MOSAIC_HEARTBEAT_INTERVAL": "15",
        "MOSAIC_LAUNCH": environment.launch_digest(agent),
        "MOSAIC_MISSION": mission_digest(make_fleet(agent), agent),
        "MOSAIC_RESUME": "on-heal",
        "MOSAIC_DECLARED": environment.declared_digest(agent),
        "MOSAIC_GENERATION": "0",
        "MOSAIC_HEARTBEAT": "native",
    }
    assert started.env["LANG"] == "C.UTF-8"
    assert not [name for name in started.env if name.startswith("_mosaic")]


@pytest.mark.parametrize("directory", ["with space", "with'quote", "#{host}", "$HOME", "semi;", "-dash", "%h", "é"])
def test_the_working_directory_is_taken_literally(launcher: Launcher, directory: str) -> None:
    place = launcher.folder / "work" / directory
    place.mkdir(parents=True, exist_ok=True)
    assert launcher.launch(make_agent("a", argv=("program",), working_directory=str(place))).directory == str(place)


def test_path_has_existing_folders_first(launcher: Launcher) -> None:
    home = launcher.folder
    for name in ("tools", "prefix/bin", "npmrc/bin", ".npm-global/bin", ".local/bin", "node/bin"):
        (home / name).mkdir(parents=True, exist_ok=True)
    (home / ".npmrc").write_text("registry=https://registry.example/\nprefix = ~/npmrc\n")
    (home / "node/bin/node").write_text("")
    (home / "node/bin/node").chmod(0o755)
    (launcher.shims / "node").symlink_to(home / "node/bin/node")
    agent = make_agent(
        "a", argv=("program",), path=(f"{home}/missing", f"{home}/tools"), env={"NPM_CONFIG_PREFIX": f"{home}/prefix"}
    )
    try:
        path = launcher.launch(agent).env["PATH"].split(":")
        (home / ".npmrc").write_text('prefix="${HOME}/npmrc"')
        assert launcher.launch(agent).env["PATH"].split(":") == path
    finally:
        (launcher.shims / "node").unlink()
        (home / ".npmrc").unlink()
    names = ["tools", "prefix/bin", "npmrc/bin", ".npm-global/bin", ".local/bin", "node/bin"]
    assert path[:6] == [f"{home}/{name}" for name in names]
    assert path[6:] == [*launcher.env["PATH"].split(":"), launcher.facts.bin_dir]


def test_secrets_arrive_whole_and_lie_nowhere(launcher: Launcher) -> None:
    key = launcher.folder / "key.pem"
    key.write_text("-----BEGIN-----\n+ not a separator\n\n  a$b`c`\\\n-----END-----\n")
    env = {"TOKEN": EnvValue(from_env="THE_TOKEN"), "KEY": EnvValue(from_file=str(key))}
    agent = make_agent("a", argv=("program",), env=env)
    value = "sk 'x'\n+ second line"
    started = launcher.launch(agent, THE_TOKEN=value)
    assert started.env["TOKEN"] == value
    assert started.env["KEY"] == key.read_text().rstrip("\n")
    assert "THE_TOKEN" not in started.env
    assert "sk 'x'" not in Path(environment.env_path("a", launcher.facts)).read_text()


def test_the_hand_over_is_for_this_user_alone(launcher: Launcher) -> None:
    agent = make_agent("a", argv=("program",))
    assert launcher.start(agent).returncode == 0
    [paper] = launcher.papers()
    assert paper.stat().st_mode & 0o777 == 0o600
    assert paper.parent.stat().st_mode & 0o777 == 0o700
    assert launcher.pane(agent).returncode == 0


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"working_directory": "/no/such/folder"}, 72, "does not exist: /no/such/folder"),
        ({"env": {"T": EnvValue(from_env="NOT_THERE")}}, 78, "needs NOT_THERE, which is not in the user manager"),
        ({"env": {"T": EnvValue(from_file="/no/such/file")}}, 78, "cannot read the secret file /no/such/file"),
        ({"env": {"T": EnvValue(from_file="/dev/null")}}, 78, "cannot read the secret file /dev/null"),
        ({"env": {"IFS": "x"}}, 78, "the variable IFS cannot be set"),
        ({"argv": ()}, 78, "no command in"),
        ({"session": "a:b"}, 78, "not a tmux session name"),
        ({"socket": "../x"}, 78, "not a tmux socket name"),
    ],
)
def test_what_cannot_be_started_says_why(
    launcher: Launcher, changes: dict[str, object], status: int, message: str
) -> None:
    done = launcher.start(make_agent("a", **{"argv": ("program",), **changes}))
    assert (done.returncode, done.stdout) == (status, "")
    assert message in done.stderr
    assert launcher.papers() == []


def test_a_line_that_is_not_ours_starts_nothing(launcher: Launcher) -> None:
    agent = make_agent("a", argv=("program",))
    for extra in ("EVIL=1", "no equals sign", "PROP=ExecStart;x", "ENV=a-b=1", "ENV_FROM=A=b c"):
        text = environment.render_env(agent, make_fleet(agent), launcher.facts)
        Path(environment.env_path("a", launcher.facts)).write_text(f"{text}{extra}\n")
        assert launcher._run("agent-start", "a").returncode == 78
    assert launcher.papers() == []


@pytest.mark.parametrize("name", ["", "../a", "-a", ".a", "a b", "a;b", "a/b"])
def test_a_name_that_is_none_is_refused(launcher: Launcher, name: str) -> None:
    for program in ("agent-start", "agent-stop"):
        assert launcher._run(program, name).returncode == 64


@pytest.mark.parametrize(
    ("tmux", "status", "message"),
    [
        ("echo 'no server running on /tmp/x' >&2; exit 1", 69, "restart mosaic-tmux-holder.service"),
        ("echo 'error connecting to /tmp/x (Connection refused)' >&2; exit 1", 69, "restart mosaic-tmux-holder"),
        ("echo gibberish >&2; exit 3", 1, "tmux: gibberish"),
        ("exit 124", 75, "did not answer within 10 s"),
        ('echo "%1|9|0||a|||"', 73, "not ours"),
        ('echo "%1|9|0||a|z|z|9.1"', 73, "another agent"),
        ('case "$*" in *new-session*) echo "duplicate session: a" >&2; exit 1;; esac', 75, "keeps disappearing"),
    ],
)
def test_trouble_with_tmux_leaves_no_secret_behind(launcher: Launcher, tmux: str, status: int, message: str) -> None:
    launcher.tmux(tmux)
    try:
        done = launcher.start(make_agent("a", argv=("program",), env={"T": EnvValue(from_env="X")}), X="sk-1")
    finally:
        launcher.tmux(TMUX)
    assert done.returncode == status
    assert message in done.stderr
    assert launcher.papers() == []


@pytest.mark.parametrize("command", ["list-panes", "new-session", "set-option -p"])
@pytest.mark.parametrize(
    ("then", "status"),
    [
        ("exit 124", 75),
        ("echo 'lost server' >&2; exit 1", 69),
        ("kill -TERM $(cut -d ' ' -f 4 /proc/$PPID/stat)", 143),
    ],
)
def test_a_start_that_is_cut_short_leaves_no_secret(launcher: Launcher, command: str, then: str, status: int) -> None:
    """What stays behind says that there may be a pane to take over, and nothing else; the next start puts it away."""
    agent = make_agent("a", argv=("program",), env={"T": EnvValue(from_env="X")})
    launcher.tmux(f'case "$*" in *"{command}"*) {then};; esac\n{TMUX}')
    try:
        assert launcher.start(agent, X="sk-1").returncode == status
    finally:
        launcher.tmux(TMUX)
    left = launcher.papers()
    assert [paper.read_bytes() for paper in left] == ([] if command == "list-panes" else [b""])
    launcher.launch(agent, X="sk-1")


def test_of_an_agent_that_runs_no_secret_lies_about(launcher: Launcher) -> None:
    agent = make_agent("a", argv=("program",), env={"T": EnvValue(from_env="X")})
    folder = launcher.folder / "run" / "mosaic" / "launch"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "a:0123456789ab.new").write_text("env T=sk-1\n")  # its start was killed with no time for anything
    launcher.tmux('echo "%1|9|0||a|a|a|9.1"')
    try:
        assert launcher.start(agent, X="sk-1").returncode == 0
    finally:
        launcher.tmux(TMUX)
    assert launcher.papers() == []


def test_no_secret_on_a_command_line(launcher: Launcher) -> None:
    seen = launcher.folder / "seen"
    launcher.tmux(f'printf "%s\\n" "$@" >>{seen}\n{TMUX}')
    agent = make_agent("a", argv=("program",), env={"T": EnvValue(from_env="X"), "V": "sk-2"})
    try:
        assert launcher.start(agent, X="sk-1").returncode == 0
    finally:
        launcher.tmux(TMUX)
    assert "sk-" not in seen.read_text()
    assert "@mosaic_launch" in seen.read_text()
    assert launcher.pane(agent).returncode == 0


def test_a_missing_program_is_said_in_the_pane(launcher: Launcher) -> None:
    agent = make_agent("a", argv=("claude-is-not-here", "x"))
    assert launcher.start(agent).returncode == 0
    done = launcher.pane(agent)
    assert done.returncode == 127
    assert done.stderr.startswith('mosaic: cannot find "claude-is-not-here" on PATH=')


def test_a_hand_over_that_is_cut_short_starts_nothing(launcher: Launcher) -> None:
    agent = make_agent("a", argv=("program",))
    assert launcher.start(agent).returncode == 0
    [paper] = launcher.papers()
    paper.write_text(paper.read_text().removesuffix("end \n"))
    done = launcher.pane(agent)
    assert (done.returncode, done.stdout) == (74, "")
