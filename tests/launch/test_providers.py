"""What the two providers of files want, see and name."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

import pytest

from providers import framework_files
from providers.base import Action, FieldChange, Kind, Present, Reason, Resource, ResourceKey, Verb
from providers.evidence import NO_PANE, FileEvidence, SessionEvidence
from providers.host import FileState, Look
from providers.kinds.env import EnvProvider
from providers.kinds.framework import MARK, PROGRAMS, RECONCILER_UNITS, UNITS, FrameworkProvider, unit_word
from providers.kinds.unit import UnitProvider
from providers.launch.conversations import once_path
from providers.steps import DeleteFile, UnitJob, WriteFile
from specs.compiled import Agent, EnvValue
from tests.launch.bench import changed_names, make_agent, make_facts, make_fleet
from tests.materials import file_of, parsed

FACTS = make_facts()
AGENT = make_agent("a", env={"MODE": "fast", "TOKEN": EnvValue(from_env="A_TOKEN")})
FLEET = make_fleet(AGENT)
PATH = f"{FACTS.agents_dir}/a.env"
KEY = ResourceKey(Kind.ENV, "a")


class Files:
    """A look at nothing but files."""

    def __init__(self, files: Mapping[str, FileState]) -> None:
        self._files = files

    def file(self, path: str) -> FileState | None:
        return self._files.get(path)

    def listing(self, folder: str) -> tuple[str, ...]:
        names = (path.removeprefix(f"{folder}/") for path in self._files if path.startswith(f"{folder}/"))
        return tuple(sorted(names))


def look(files: Mapping[str, FileState]) -> Look:
    return cast(Look, Files(files))


def desired_env(agent: Agent = AGENT) -> Resource:
    [resource] = EnvProvider().desired(make_fleet(agent), FACTS)
    return resource


def seen_env(content: str, *, mode: int = 0o600, agent: Agent = AGENT) -> Present:
    state = FileState(content=content, mode=mode)
    return EnvProvider().observe(look({PATH: state}), make_fleet(agent), FACTS)[KEY]


def names_that_differ(seen: Present, agent: Agent = AGENT) -> set[str]:
    live, wanted = dict(seen.fields), dict(desired_env(agent).fields)
    one, two = live.pop("vars"), wanted.pop("vars")
    return changed_names(live, wanted) | changed_names(parsed(one), parsed(two))


def test_an_untouched_file_is_equal_and_ours() -> None:
    wanted = desired_env()
    seen = seen_env(file_of(wanted).content)
    assert (seen.ours, seen.fields) == (True, wanted.fields)
    assert seen.evidence == FileEvidence(intact=True)


def test_a_secret_is_wanted_by_reference() -> None:
    assert parsed(desired_env().fields["vars"])["ENV_FROM TOKEN"] == "A_TOKEN"


def test_a_change_in_git_shows_the_old_value() -> None:
    seen = seen_env(file_of(desired_env(replace(AGENT, working_directory="/srv"))).content)
    assert names_that_differ(seen) == {"MOSAIC_AGENT_WORKDIR", "MOSAIC_DECLARED", "MOSAIC_LAUNCH"}
    assert parsed(seen.fields["vars"])["MOSAIC_AGENT_WORKDIR"] == "/srv"


def test_an_added_line_is_named_and_its_value_kept_back() -> None:
    content = file_of(desired_env()).content + "ENV=ANTHROPIC_API_KEY=sk-secret\nmumble sk-secret\n"
    seen = seen_env(content)
    assert names_that_differ(seen) == {"ENV ANTHROPIC_API_KEY", "?"}
    assert "sk-secret" not in repr(seen.fields) + repr(seen.evidence)


def test_an_edited_value_is_kept_back() -> None:
    seen = seen_env(file_of(desired_env()).content.replace("MODE=fast", "MODE=sk-secret"))
    assert names_that_differ(seen) == {"ENV MODE"}
    assert "sk-secret" not in repr(seen.fields)
    assert seen.evidence == FileEvidence(intact=False)


def test_a_removed_line_a_comment_and_a_mode_are_drift() -> None:
    content = file_of(desired_env()).content
    assert names_that_differ(seen_env(content.replace("ENV=MODE=fast\n", ""))) == {"ENV MODE"}
    assert names_that_differ(seen_env(content + "# mine\n")) == {"text"}
    assert names_that_differ(seen_env(content, mode=0o644)) == {"mode"}


@pytest.mark.parametrize(
    ("content", "ours"),
    [
        ("MOSAIC_AGENT_NAME=a\n", False),
        ("", True),
        ("# mosaic-fleet: generated from git for agent a of fleet other; edits are put back\n", False),
        ("# mosaic-fleet: generated from git for agent a of fleet canary; edits are put back\n", True),
    ],
)
def test_the_mark_decides_whose_file_it_is(content: str, ours: bool) -> None:
    assert seen_env(content).ours is ours


def test_orphans_appear_and_links_are_not_ours() -> None:
    text = file_of(desired_env()).content
    files = {
        f"{FACTS.agents_dir}/gone.env": FileState(content=text.replace("agent a ", "agent gone "), mode=0o600),
        f"{FACTS.agents_dir}/link.env": FileState(odd="a symbolic link"),
        f"{FACTS.agents_dir}/notes.txt": FileState(content="x", mode=0o600),
    }
    seen = EnvProvider().observe(look(files), FLEET, FACTS)
    assert {key.name: present.ours for key, present in seen.items()} == {"gone": True, "link": False}


def test_who_has_a_file() -> None:
    agents = [replace(AGENT, name=state, state=state) for state in ("running", "stopped", "absent")]
    held = replace(AGENT, name="held", held="its runtime is unknown")
    fleet = make_fleet(*agents, held)
    assert [resource.key.name for resource in EnvProvider().desired(fleet, FACTS)] == ["running", "stopped"]
    files = {f"{FACTS.agents_dir}/held.env": FileState(content=file_of(desired_env()).content, mode=0o600)}
    assert EnvProvider().observe(look(files), fleet, FACTS) == {}


def action(verb: Verb, desired: Resource | None, key: ResourceKey) -> Action:
    return Action(id="1", verb=verb, key=key, target=key.name, agent=None, reason=Reason.NEW, desired=desired)


def test_steps() -> None:
    wanted = desired_env()
    [write] = EnvProvider().steps(action(Verb.WRITE, wanted, KEY), FACTS)
    assert write == WriteFile(path=PATH, content=file_of(wanted).content, mode=0o600)
    assert EnvProvider().steps(action(Verb.DELETE, None, KEY), FACTS) == (
        DeleteFile(path=f"{FACTS.run_dir}/a.hb"),
        DeleteFile(path=f"{FACTS.run_dir}/a.turn"),
        DeleteFile(path=f"{FACTS.mosaic_home}/fleet/conversations/a.log"),
        DeleteFile(path=f"{FACTS.mosaic_home}/fleet/conversations/a.once"),
        DeleteFile(path=PATH),
    )
    file = FrameworkProvider().desired(FLEET, FACTS)[0]
    [step] = FrameworkProvider().steps(action(Verb.WRITE, file, file.key), FACTS)
    assert step == WriteFile(path=file.key.name, content=file_of(file).content, mode=file_of(file).mode)
    assert FrameworkProvider().steps(action(Verb.DELETE, None, file.key), FACTS) == (DeleteFile(path=file.key.name),)


def framework(install: str = "none") -> FrameworkProvider:
    return FrameworkProvider(install, ("/opt/my venv/bin/python", "-m", "reconciler"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verb", "why", "order"),
    [(Verb.RESTART, "locked", ["stop", "ask", "start"]), (Verb.STOP, "stopped", ["stop", "ask"])],
)
def test_a_new_conversation_is_asked_for_once_for_each_process(verb: Verb, why: str, order: list[str]) -> None:
    """And not before that has ended: whoever is killed in between has asked for nothing."""
    changes = (FieldChange(path="conversation", live="present", desired="new"),)
    seen = SessionEvidence(alive=True, pane=replace(NO_PANE, id="%1", pid=7, life="7.70"), pids=(7,), started=1000.25)
    present = Present(key=ResourceKey(Kind.SESSION, "coder0"), agent="coder0", ours=True, fields={}, evidence=seen)
    action = Action(
        id="a", verb=verb, key=ResourceKey(Kind.UNIT, "coder0"), target="t", agent="coder0", reason=Reason.SPEC,
        disrupts=True, changes=changes, present=present,
    )  # fmt: skip
    steps = UnitProvider().steps(action, FACTS)
    (asked,) = (one for one in steps if isinstance(one, WriteFile))
    assert (asked.path, asked.content) == (once_path("coder0", FACTS), f"{why}-7-1000 after 7.70 fresh {why}\n")
    assert [
        one.verb if isinstance(one, UnitJob) else "ask" for one in steps if one == asked or isinstance(one, UnitJob)
    ] == order
    assert not any(isinstance(one, WriteFile) for one in UnitProvider().steps(replace(action, changes=()), FACTS))


@pytest.mark.parametrize("install", ["none", "timer", "watch"])
def test_framework_files_are_whole_and_marked(install: str) -> None:
    resources = framework(install).desired(FLEET, FACTS)
    names = {resource.key.name.rpartition("/")[2] for resource in resources}
    assert names == {*PROGRAMS, *UNITS, *RECONCILER_UNITS[install], "holder.env"}  # type: ignore[index]
    for resource in resources:
        content = file_of(resource).content
        assert "@agent" not in content.replace("mosaic-agent@", "")
        assert not any(placeholder in content for placeholder in ("@BIN@", "@COMMAND@", "@PYTHON@", "@INTERVAL@"))
        if not resource.key.name.endswith(".env"):
            assert any(line.startswith(MARK) for line in content.split("\n")[:2])
        assert resource.fields["mode"] == ("0755" if resource.key.name.startswith(FACTS.bin_dir) else "0644")


def test_framework_files_round_trip() -> None:
    provider = framework("watch")
    resources = {resource.key: resource for resource in provider.desired(FLEET, FACTS)}
    files = {k.name: FileState(content=file_of(r).content, mode=file_of(r).mode) for k, r in resources.items()}
    seen = provider.observe(look(files), FLEET, FACTS)
    assert {key: (present.ours, present.fields) for key, present in seen.items()} == {
        key: (True, resource.fields) for key, resource in resources.items()
    }


def test_whose_framework_file_it_is() -> None:
    path = f"{FACTS.unit_dir}/mosaic-agent@.service"

    def ours(state: FileState) -> bool:
        return FrameworkProvider().observe(look({path: state}), FLEET, FACTS)[ResourceKey(Kind.FRAMEWORK, path)].ours

    assert ours(FileState(content=f"{MARK}: edits are put back.\n[Unit]\nDescription=edited\n", mode=0o644))
    assert ours(FileState(content="", mode=0o644))
    assert not ours(FileState(content="[Unit]\nDescription=somebody else's\n", mode=0o644))
    assert not ours(FileState(odd="a symbolic link"))


def test_units_of_the_reconciler_are_mentioned_only_where_they_are_managed() -> None:
    files = {f"{FACTS.unit_dir}/mosaic-reconcile-watch.service": FileState(content=f"{MARK}\n", mode=0o644)}
    assert framework("none").observe(look(files), FLEET, FACTS) == {}
    [present] = framework("timer").observe(look(files), FLEET, FACTS).values()
    assert present.ours


def test_a_managed_reconciler_needs_a_command() -> None:
    with pytest.raises(ValueError, match="command"):
        FrameworkProvider("timer")


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("/usr/bin/python3", "/usr/bin/python3"),
        ("/opt/my venv/x", '"/opt/my venv/x"'),
        ("/a%b", "/a%%b"),
        ("/a$b", "/a$$b"),
        ('/a"b\\c', '"/a\\"b\\\\c"'),
        ("a;b", '"a;b"'),
        ("", '""'),
    ],
)
def test_a_word_of_a_unit_file(word: str, written: str) -> None:
    assert unit_word(word) == written


def programs() -> Iterable[str]:
    return (f"{framework_files.__path__[0]}/{name}" for name in PROGRAMS)


def test_the_programs_are_plain_sh() -> None:
    for path in programs():
        with open(path) as file:
            text = file.read()
        assert text.startswith("#!/bin/sh\n")
        assert "\nset -eu\n" in text
        code = [line.strip() for line in text.split("\n") if not line.strip().startswith("#")]
        assert not [line for line in code if line.startswith((". ", "eval ", "source "))]
        subprocess.run(["dash", "-n", path], check=True)


def test_shellcheck_is_content() -> None:
    subprocess.run(["shellcheck", "--shell=sh", *programs()], check=True)
