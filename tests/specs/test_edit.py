"""Edits of a roster and of fleet.yaml: one change, and every other line as it was."""

from __future__ import annotations

import difflib
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from specs.editing.edit import (
    EditError,
    add_agent,
    add_suspension,
    remove_agent,
    remove_suspension,
    set_agents,
    set_value,
)
from tests.specs.written_rosters import STATES, Written, rosters

calm = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NEW = {"name": "new0", "runtime": "stub", "class": "worker", "depends_on": ["lead"], "working_directory": "~/work"}


def said(raw: bytes) -> Any:
    """What a reader that is not ours sees."""
    return YAML(typ="safe", pure=True).load(raw.decode().removeprefix("\ufeff"))


def changed(before: bytes, after: bytes) -> tuple[list[str], list[str]]:
    """The lines that went and the lines that came."""
    rows = list(difflib.ndiff(before.decode().splitlines(), after.decode().splitlines()))
    return [row[2:] for row in rows if row[0] == "-"], [row[2:] for row in rows if row[0] == "+"]


def endings(raw: bytes) -> set[str]:
    return {line[len(line.rstrip("\r\n")) :] for line in raw.decode().splitlines(keepends=True)[:-1]}


def whole(before: Written, after: bytes) -> None:
    """What holds after every edit."""
    text = after.decode()
    assert all(comment in text for comment in before.kept)
    assert text.startswith("\ufeff") == before.text.startswith("\ufeff")
    assert text.endswith("\n") == before.text.endswith("\n")
    assert endings(after) <= (endings(before.raw) or {"\n"})


@calm
@given(rosters(), st.data())
def test_a_state_changes_one_line(written: Written, data: st.DataObject) -> None:
    agent = data.draw(st.sampled_from(written.agents))
    state = data.draw(st.sampled_from(STATES))
    after = set_agents(written.raw, {agent["name"]: {"state": state}})
    expected = [{**one, "state": state} if one is agent else one for one in written.agents]
    assert said(after)["agents"] == expected
    whole(written, after)
    gone, come = changed(written.raw, after)
    if agent.get("state") == state:
        assert after == written.raw
    elif "state" in agent or written.text.count("\n") < 2:
        assert len(gone) == len(come) == 1
    else:
        # A new line; and in JSON, or in a mapping on one line, a comma on the line before.
        assert len(come) - len(gone) in (0, 1)
        assert len(gone) <= 1


@calm
@given(rosters())
def test_all_generations_at_once(written: Written) -> None:
    wanted = {one["name"]: {"generation": one.get("generation", 0) + 1, "state": "running"} for one in written.agents}
    after = set_agents(written.raw, wanted)
    assert said(after)["agents"] == [{**one, **wanted[one["name"]]} for one in written.agents]
    whole(written, after)


@calm
@given(rosters())
def test_one_more_agent_moves_no_line(written: Written) -> None:
    after = add_agent(written.raw, NEW)
    assert said(after)["agents"] == [*written.agents, NEW]
    whole(written, after)
    gone, come = changed(written.raw, after)
    if "\n" in written.text.strip():
        assert len(gone) <= 1  # the comma that JSON wants
        assert [line.rstrip(",") for line in gone] == [line.rstrip(",") for line in come if line.rstrip(",") in gone]
    assert remove_agent(after, "new0") == written.raw


@calm
@given(rosters(), st.data())
def test_one_agent_less_adds_no_line(written: Written, data: st.DataObject) -> None:
    agent = data.draw(st.sampled_from(written.agents))
    after = remove_agent(written.raw, agent["name"])
    assert said(after)["agents"] == [one for one in written.agents if one is not agent]
    whole(written, after)
    _, come = changed(written.raw, after)
    if "\n" in written.text.strip():
        assert len(come) <= 1
        assert all(line + "," in written.text for line in come)
    for number, other in enumerate(written.agents):
        if other is not agent and f"# below {number}" in written.text:
            assert f"# below {number}" in after.decode()


@calm
@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30))
def test_any_reason_comes_back(reason: str) -> None:
    raw = b"name: x\n"
    after = add_suspension(raw, {"agent": "*", "reason": reason, "by": "ada"})
    assert said(after)["suspend"] == [{"agent": "*", "reason": reason, "by": "ada"}]
    assert remove_suspension(after, "*") == raw


def roster(text: str) -> bytes:
    return dedent(text).encode()


def edited(text: str, name: str, **values: Any) -> str:
    return set_agents(roster(text), {name: values}).decode()


def test_the_comment_of_an_agent_alone_goes_with_it_and_that_of_a_group_stays() -> None:
    text = """\
        agents:
          # the core
          - name: lead
          - name: helper

          # workers
          - name: coder0
          - name: coder1

          # only when it is needed
          - name: extra
            # env: later
        # the end
        """
    assert "# only when" not in remove_agent(roster(text), "extra").decode()
    assert remove_agent(roster(text), "extra").decode().endswith("  - name: coder1\n# the end\n")
    assert "  # workers\n  - name: coder1" in remove_agent(roster(text), "coder0").decode()
    assert "  # the core\n  - name: helper" in remove_agent(roster(text), "lead").decode()


def test_a_remark_stays_on_its_line() -> None:
    text = """\
        agents:
          - name: a  # first
            runtime: stub  # cheap
            state: 'stopped'  # for now
        """
    assert "    state: 'running'  # for now\n" in edited(text, "a", state="running")
    assert "    runtime: stub  # cheap\n    generation: 1\n" in edited(
        text.replace("state", "model_hint"), "a", generation=1
    )


def test_a_merge_is_overruled_and_not_edited() -> None:
    text = """\
        agents:
          - &base
            name: a
            runtime: stub
            state: stopped
          - <<: *base
            name: b
        """
    after = edited(text, "b", state="running")
    assert after.endswith("  - <<: *base\n    name: b\n    state: running\n")
    with pytest.raises(EditError, match="has the anchor &base, which line 6 refers to") as caught:
        edited(text, "a", state="running")
    assert (caught.value.problem.file, caught.value.problem.line) == ("roster.yaml", 2)
    with pytest.raises(EditError, match="&base"):
        remove_agent(roster(text), "a")
    assert remove_agent(roster(text), "b").decode().count("name:") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x: &l [{name: a}]\nagents: *l\n", "the list of agents is an alias"),
        ("x: [&e {name: a, state: stopped}]\nagents: [*e, {name: b}]\n", "is an alias of what is written elsewhere"),
        ("version: 1\n", "the list of agents is not in the file"),
        ("agents: [{name: a}\n", "roster.yaml"),
        ("agents: [{name: b}]\n", 'the roster has no agent "a"'),
    ],
)
def test_what_cannot_be_edited_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(EditError) as caught:
        set_agents(text.encode(), {"a": {"state": "running"}})
    assert words in caught.value.problem.render()


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("version: 1\nagents: []\n", "version: 1\nagents:\n  - name: a\n    state: stopped\n"),
        ("agents: []  # nobody yet\ntmux: {}", "agents:  # nobody yet\n  - name: a\n    state: stopped\ntmux: {}"),
        ("agents:\ntmux: {}\n", "agents:\n  - name: a\n    state: stopped\ntmux: {}\n"),
        ("agents:", "agents:\n  - name: a\n    state: stopped"),
        ("agents: ~  # none\n", "agents:  # none\n  - name: a\n    state: stopped\n"),
        ("agents: [\n  # here\n]\n", "agents: [{name: a, state: stopped}\n  # here\n]\n"),
        ("agents: &all []\r\n", "agents:\r\n  - name: a\r\n    state: stopped\r\n"),
        ('{"agents": [ ]}', '{"agents": [{"name": "a", "state": "stopped"} ]}'),
        ('{"agents": null}', '{"agents": [{"name": "a", "state": "stopped"}]}'),
    ],
)
def test_the_first_agent_of_an_empty_list(text: str, after: str) -> None:
    made = add_agent(text.encode(), {"name": "a", "state": "stopped"})
    assert made.decode() == after
    assert [one["name"] for one in said(add_agent(made, {"name": "b", "runtime": "pi"}))["agents"]] == ["a", "b"]


@pytest.mark.parametrize("text", ["agents: nobody\n", "agents: {a: b}\n", "x: &x []\nagents: *x\n", "tmux: {}\n"])
def test_what_is_no_list_of_agents_gets_none(text: str) -> None:
    with pytest.raises(EditError):
        add_agent(text.encode(), {"name": "a"})


def test_the_only_agent_stays() -> None:
    with pytest.raises(EditError, match="the only agent"):
        remove_agent(b"agents: [{name: a}]", "a")


def test_an_edit_that_would_change_more_is_refused() -> None:
    with pytest.raises(EditError, match="would change more"):  # a key without a colon, and so without a place for it
        set_agents(b"agents:\n  - {name: a, state}\n  - {name: b}\n", {"a": {"state": "stopped"}})


def test_older_spellings_are_kept() -> None:
    text = '{"agents": [{"name": "a", "workingDirectory": "~", "modelHint": "opus"}]}'
    assert '"workingDirectory": "~/x"' in edited(text, "a", working_directory="~/x")
    after = add_agent(text.encode(), {"name": "b", "runtime": "pi", "model_hint": "x"}).decode()
    assert after.endswith(', {"name": "b", "runtime": "pi", "modelHint": "x"}]}')
    block = "agents:\n  - name: a\n    dependsOn: [b]\n  - name: b\n"
    assert "    workingDirectory: ~/x\n" in edited(block, "b", working_directory="~/x")


def test_a_list_in_block_style_is_replaced_whole() -> None:
    text = "agents:\n  - name: a\n    depends_on:  # two\n      - b\n      - c\n    yolo: false\n"
    assert edited(text, "a", depends_on=["d"]) == "agents:\n  - name: a\n    depends_on: [d]\n    yolo: false\n"


def test_values_of_the_head() -> None:
    text = b"# mine\nversion: 1\ntmux:\n  socket_name: x  # ours\nagents: []\n"
    after = set_value("roster.yaml", text, ("tmux", "socket_name"), "other")
    assert after == text.replace(b"socket_name: x ", b"socket_name: other ")
    assert set_value("roster.yaml", after, ("tmux", "socket_name"), "other") == after
    plain = b"version: 1\nagents: []\n"
    after = set_value("roster.yaml", plain, ("defaults", "working_directory"), "~/w")
    assert after == b"version: 1\ndefaults: {working_directory: ~/w}\nagents: []\n"
    assert set_value("roster.yaml", b"tmux: {}\n", ("tmux", "socket_name"), "s") == b"tmux: {socket_name: s}\n"
    assert set_value("fleet.yaml", b"version: 1\n", ("name",), "no") == b'version: 1\nname: "no"\n'
    with pytest.raises(EditError, match='"tmux" is not a mapping'):
        set_value("roster.yaml", b"tmux:\n", ("tmux", "socket_name"), "s")


SUSPENDED = """\
version: 1
suspend:  # by hand
- agent: a
  reason: pairing
  by: ada
# the end
"""


def test_suspensions() -> None:
    entry = {"agent": "*", "reason": "moving", "by": "ada", "until": "2030-01-31T09:00:00Z"}
    after = add_suspension(SUSPENDED.encode(), entry)
    row = '- agent: "*"\n  reason: moving\n  by: ada\n  until: "2030-01-31T09:00:00Z"\n# the end\n'
    assert after.decode() == SUSPENDED.replace("# the end\n", row)
    assert remove_suspension(after, "*") == SUSPENDED.encode()
    assert remove_suspension(SUSPENDED.encode(), "a") == b"version: 1\n# the end\n"
    assert remove_suspension(SUSPENDED.encode(), "nobody") == SUSPENDED.encode()


def test_suspensions_in_json() -> None:
    raw = b'{\n "version": 1\n}\n'
    after = add_suspension(raw, {"agent": "a", "reason": "r", "by": "b"})
    assert after == b'{\n "version": 1,\n "suspend": [{"agent": "a", "reason": "r", "by": "b"}]\n}\n'
    emptied = remove_suspension(after, "a")
    assert said(emptied) == {"version": 1, "suspend": []}
    assert add_suspension(emptied, {"agent": "a", "reason": "r", "by": "b"}) == after
