"""The files that a launch adds: wanted, seen, put back and removed; and whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from providers.base import Action, Kind, Present, Reason, Resource, ResourceKey, Verb
from providers.evidence import FileEvidence
from providers.filesystem import files
from providers.host import FileState
from providers.kinds.extras import MANIFEST, ExtrasProvider
from providers.launch import additions, environment
from providers.launch.contract import compose
from providers.programs.base import AgentPaths, Extra, Plain
from providers.steps import DeleteFile, WriteFile
from reconciler.model import Change, Inventory, Observation, Owned, Verdict
from reconciler.plan.diff import diff
from specs.compiled import Agent, Fleet
from tests.launch.bench import make_agent, make_facts, make_fleet
from tests.launch.test_providers import look
from tests.materials import parsed, texts_of

FACTS = make_facts()
AGENT = replace(make_agent("a", argv=("prog",), runtime="prog"), process_names=("prog",))
FLEET = make_fleet(AGENT, make_agent("b"))
FOLDER = f"{FACTS.agents_dir}/a.d"
KEY = ResourceKey(Kind.EXTRAS, "a")
HERE = FileState(odd="a folder")


class Prog(Plain):
    """A program that brings a file."""

    def extra(self, agent: Agent, place: AgentPaths) -> Extra:
        _ = agent
        return Extra(files=(("settings.json", '{"hook": "' + place.bin_dir + '"}\n'),))


@pytest.fixture(autouse=True)
def prog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(additions, "program", Prog)


def wanted(fleet: Fleet = FLEET) -> Resource:
    return next(one for one in ExtrasProvider().desired(fleet, FACTS) if one.key == KEY)


def written(fleet: Fleet = FLEET) -> dict[str, FileState]:
    content = texts_of(wanted(fleet))
    return {FOLDER: HERE} | {f"{FOLDER}/{name}": FileState(content=text, mode=0o600) for name, text in content.items()}


def seen(there: Mapping[str, FileState], fleet: Fleet = FLEET) -> Present | None:
    return ExtrasProvider().observe(look(there), fleet, FACTS).get(KEY)


def change(there: Mapping[str, FileState], fleet: Fleet = FLEET) -> Change | None:
    present = seen(there, fleet)
    observation = Observation(
        present={KEY: present} if present is not None else {}, unknown={}, taken_at=0.0, digest=""
    )
    desired = [one for one in ExtrasProvider().desired(fleet, FACTS) if one.key == KEY]
    inventory = Inventory(agents={"a": Owned(agent_class="coder", socket="")})
    found = diff(desired, observation, inventory, fleet)
    return found[0] if found else None


def steps(verb: Verb, found: Change) -> list[str]:
    action = Action(
        id="1", verb=verb, key=KEY, target="a.d", agent="a", reason=Reason.NEW, desired=found.desired,
        present=found.present,
    )  # fmt: skip
    made = ExtrasProvider().steps(action, FACTS)
    assert all(isinstance(step, WriteFile | DeleteFile) for step in made)
    return [
        f"{'write' if isinstance(step, WriteFile) else 'delete'} {step.path.removeprefix(FOLDER + '/')}"
        for step in made
        if isinstance(step, WriteFile | DeleteFile)
    ]


def test_what_is_wanted() -> None:
    content = texts_of(wanted())
    assert content.keys() == {"settings.json", "contract.md", MANIFEST}
    assert content["contract.md"] == compose(FLEET, AGENT, FACTS)
    assert content["settings.json"] == f'{{"hook": "{FACTS.bin_dir}"}}\n'
    assert (
        content[MANIFEST].splitlines()[0].startswith("# mosaic-fleet: generated from git for agent a of fleet canary")
    )
    assert parsed(wanted().fields["contract.md"])["mode"] == "0600"


def test_an_agent_with_another_command_has_its_contract_only() -> None:
    other = make_fleet(replace(AGENT, argv=("bash",)))
    assert texts_of(wanted(other)).keys() == {"contract.md", MANIFEST}


def test_who_has_them() -> None:
    agents = [replace(AGENT, name=state, state=state) for state in ("running", "stopped", "absent")]
    held = replace(AGENT, name="held", held="its runtime is unknown")
    fleet = make_fleet(*agents, held)
    assert [one.key.name for one in ExtrasProvider().desired(fleet, FACTS)] == ["running", "stopped"]
    there = {path.replace("/a.d", "/held.d"): state for path, state in written().items()}
    assert ExtrasProvider().observe(look(there), fleet, FACTS) == {}


def test_what_is_right_is_no_change() -> None:
    assert change(written()) is None
    beside = {f"{FOLDER}/mine.txt": FileState(content="x", mode=0o644), f"{FOLDER}/sub": HERE}
    assert change(written() | beside) is None


def test_an_edit_is_put_back_and_a_change_in_git_is_told_from_it() -> None:
    there = written()
    there[f"{FOLDER}/settings.json"] = FileState(content='{"token": "sk-secret"}', mode=0o600)
    edited = change(there)
    assert edited is not None
    assert edited.present is not None
    assert (edited.verdict, edited.present.evidence) == (Verdict.UPDATE, FileEvidence(intact=False))
    assert [field.path for field in edited.fields] == ["settings.json.content"]
    assert "sk-secret" not in repr(edited)
    assert steps(Verb.WRITE, edited) == ["write settings.json"]
    older = change(written(make_fleet(AGENT)))
    assert older is not None
    assert older.present is not None
    assert older.present.evidence == FileEvidence(intact=True, only_peers=True)
    assert steps(Verb.WRITE, older) == ["write contract.md", f"write {MANIFEST}"]


@pytest.mark.parametrize("other", [None, FileState(content="{}", mode=0o600)])
def test_a_change_of_another_file_is_not_one_of_the_peers_alone(other: FileState | None) -> None:
    """As after an update that came with a change of the roster."""
    there = written(make_fleet(AGENT))
    del there[f"{FOLDER}/settings.json"]
    if other is not None:
        there[f"{FOLDER}/settings.json"] = other
    found = change(there)
    assert found is not None
    assert found.present is not None
    assert isinstance(found.present.evidence, FileEvidence)
    assert not found.present.evidence.only_peers


def test_a_mode_and_a_missing_file_are_drift() -> None:
    there = written()
    there[f"{FOLDER}/contract.md"] = replace(there[f"{FOLDER}/contract.md"], mode=0o644)
    del there[f"{FOLDER}/settings.json"]
    found = change(there)
    assert found is not None
    assert {field.path.partition(".")[0] for field in found.fields} == {"contract", "settings"}
    assert steps(Verb.WRITE, found) == ["write contract.md", "write settings.json"]


def test_a_file_that_is_wanted_no_longer_goes() -> None:
    there = written()
    old = make_fleet(replace(AGENT, argv=("bash",)), make_agent("b"))
    found = change(there, old)
    assert found is not None
    assert steps(Verb.WRITE, found) == ["delete settings.json", f"write {MANIFEST}"]


def test_of_an_agent_that_is_gone_all_goes_the_manifest_last() -> None:
    gone = make_fleet(make_agent("b"))
    there = written() | {f"{FOLDER}/mine.txt": FileState(content="x", mode=0o644)}
    found = change(there, gone)
    assert found is not None
    assert found.verdict is Verdict.DELETE
    assert steps(Verb.DELETE, found) == ["delete contract.md", "delete settings.json", f"delete {MANIFEST}"]
    # Killed in the middle: what is left is still ours.
    for name in ("contract.md", "settings.json"):
        del there[f"{FOLDER}/{name}"]
    found = change(there, gone)
    assert found is not None
    assert steps(Verb.DELETE, found) == [f"delete {MANIFEST}"]
    del there[f"{FOLDER}/{MANIFEST}"]
    assert change(there, gone) is None


@pytest.mark.parametrize("emptied", ["contract.md", MANIFEST])
def test_what_a_full_disk_leaves_is_ours(emptied: str) -> None:
    there = written() | {f"{FOLDER}/{emptied}": FileState(content="", mode=0o600)}
    found = change(there)
    assert found is not None
    assert found.verdict is Verdict.UPDATE
    assert f"write {emptied}" in steps(Verb.WRITE, found)


@pytest.mark.parametrize(
    "there",
    [
        {FOLDER: FileState(odd="a symbolic link")},
        {FOLDER: FileState(content="a file", mode=0o600)},
        {f"{FOLDER}/contract.md": FileState(odd="a symbolic link")},
        {f"{FOLDER}/{MANIFEST}": FileState(odd="a folder")},
        {f"{FOLDER}/{MANIFEST}": FileState(
            content="# mosaic-fleet: generated from git for agent a of fleet other; edits are put back\n", mode=0o600
        )},
    ],
)  # fmt: skip
def test_what_is_not_ours_is_left_alone(there: dict[str, FileState]) -> None:
    found = change(written() | there)
    assert found is not None
    assert found.verdict is Verdict.CONFLICT
    assert change(written() | there, make_fleet(make_agent("b"))) is None


def test_without_a_manifest_the_launch_environment_says_whose_it_is() -> None:
    there = {path: state for path, state in written().items() if not path.endswith(MANIFEST)}
    here = seen(there)
    assert here is not None
    assert here.ours
    env = {f"{FACTS.agents_dir}/a.env": FileState(content=environment.mark("a", "other"), mode=0o600)}
    other = seen(there | env)
    assert other is not None
    assert not other.ours


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a\nb"])
def test_a_file_has_a_plain_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    class Bad(Plain):
        def extra(self, agent: Agent, place: AgentPaths) -> Extra:
            return Extra(files=((name, f"{agent.name}{place.home}"),))

    monkeypatch.setattr(additions, "program", Bad)
    with pytest.raises(ValueError, match="plain"):
        wanted()


def test_a_folder_goes_with_its_last_file(tmp_path: Path) -> None:
    folder = tmp_path / "a.d"
    folder.mkdir()
    for name in ("one", "two"):
        (folder / name).write_text("x")
    assert files.delete(str(folder / "one"), folder=True)
    assert (folder / "two").exists()
    assert files.delete(str(folder / "two"), folder=True)
    assert not folder.exists()
    assert not files.delete(str(folder / "two"), folder=True)
    folder.mkdir()
    assert files.delete(str(folder / "two"), folder=True)
    assert not folder.exists()
    assert DeleteFile(path="/a b/c", folder=True).command == "rm -f '/a b/c'; rmdir --ignore-fail-on-non-empty '/a b'"
