"""A load that knows agents from before says what a load that knows nothing says, to the last column."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specs.fleet_files import FLEET, ROSTER
from specs.loading.known_entries import KnownEntries, cut
from specs.loading.load import LoadResult, load
from specs.models import entries
from specs.models.entries import AgentEntry
from specs.models.explain import Explainer
from specs.values.problems import Problem
from tests.specs.test_simple_parser import BIG, PIECES

SETTINGS = settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow])
HEAD = "version: 1\ntransport: tmux\ntmux: {socket_name: s}\nruntimes:\n  own: {command: [x]}\nagents:\n"
ENTRIES = (
    "- name: a\n  runtime: stub\n  class: orchestrator\n",
    "- name: b\n  runtime: own\n  class: enhancer\n  depends_on: [a]\n",
    "- {name: c, runtime: stub}   # small\n",
    "- name: d\n  runtime: claude\n  # of its own\n  env:\n    TEAM: red\n\n",
    "- name: e.f\n  runtime: stub\n  workingDirectory: ~\n",
    "- name: e_f\n  runtime: stub\n",  # shares its session with the one above
    "- name: g\n  runtime: cluade\n",
    "- name: h\n  runtime: stub\n  class: enhancr\n",
    "- name: i\n  runtime: stub\n  depends_on: [j]\n",
    "- name: j\n  runtime: stub\n  depends_on: [i]\n",
    "- name: k\n  runtime: stub\n  env: {API_KEY: hunter2hunter2hunter2x9}\n",
    "- name: l\n  runtime: stub\n  unknown: 1\n",
    "- name: m\n  runtime: stub\n  host: there\n",
    "- name: n\n  runtime: stub\n  command: [x]\n  yolo: true\n",
    "- runtime: stub\n",
    "- name: o\n  runtime: stub\n  name: p\n",
    "- &anchor\n  name: q\n  runtime: stub\n",
    "- name: r\n  runtime: stub\n  alias: |\n    two\n    - name: lines\n",
)
TAILS = ("", "connector: {kind: tmux}\n", "# the end", "unknown: x\n", "agents: []\n", "\n")
FLEETS = (
    "",
    "version: 1\nhosts: [here]\nfloor: two-agent\nsuspend:\n- {agent: b, reason: r, by: x}\n",
    "floor: none\n",
)


def files(head: str, chosen: list[str], tail: str, fleet: str = "") -> dict[str, bytes]:
    found = {ROSTER: (head + "".join(chosen) + tail).encode()}
    return found | ({FLEET: fleet.encode()} if fleet else {})


def alone(found: dict[str, bytes]) -> LoadResult:
    return load(found, KnownEntries())


@given(data=st.data(), fleet=st.sampled_from(FLEETS))
@SETTINGS
def test_what_is_known_changes_nothing(data: st.DataObject, fleet: str) -> None:
    """Agents added, removed, moved and edited, one commit after the other."""
    good = list(ENTRIES[:5])
    chosen = data.draw(st.lists(st.sampled_from(good), min_size=2, max_size=5, unique=True))
    indent = data.draw(st.sampled_from(["", "  "]))
    known, head, tail = KnownEntries(), HEAD, ""
    for _ in range(4):
        put = ["".join(f"{indent}{line}\n" if line else "\n" for line in one.split("\n")[:-1]) for one in chosen]
        found = files(head, put, tail, fleet)
        assert load(found, known) == alone(found)
        match data.draw(st.sampled_from(["add", "add", "remove", "swap", "edit", "edit", "head", "tail"])):
            case "add":
                chosen.insert(data.draw(st.integers(0, len(chosen))), data.draw(st.sampled_from(ENTRIES)))
            case "remove" if len(chosen) > 1:
                del chosen[data.draw(st.integers(0, len(chosen) - 1))]
            case "swap":
                chosen.reverse()
            case "edit":
                at = data.draw(st.integers(0, len(chosen) - 1))
                where = data.draw(st.integers(0, len(chosen[at])))
                chosen[at] = chosen[at][:where] + data.draw(st.sampled_from(PIECES)) + chosen[at][where:]
            case "head":
                head = data.draw(
                    st.sampled_from([HEAD, HEAD.replace("own", "other"), f"# more\n{HEAD}", f"---\n{HEAD}"])
                )
            case _:
                tail = data.draw(st.sampled_from(TAILS))


@given(data=st.data())
@SETTINGS
def test_bytes_that_are_no_text(data: st.DataObject) -> None:
    known, raw = KnownEntries(), files(HEAD, list(ENTRIES[:5]), "")[ROSTER]
    load({ROSTER: raw}, known)
    at = data.draw(st.integers(0, len(raw)))
    edited = raw[:at] + data.draw(st.binary(min_size=1, max_size=3)) + raw[at:]
    assert load({ROSTER: edited}, known) == alone({ROSTER: edited})


@pytest.mark.parametrize("text", [HEAD + "".join(ENTRIES), BIG, BIG.replace("\n  - ", "\n    - ")])
def test_the_parts_of_a_roster_are_the_roster(text: str) -> None:
    parts = cut(text)
    assert parts is not None
    assert parts.head + "".join(parts.entries) + parts.tail == text
    assert all(entry.lstrip().startswith("-") for entry in parts.entries)


@pytest.mark.parametrize("agents", ["", "agents: []", "agents: [{name: a}]", "agents:\n  a: b", "agents:", "a: b"])
def test_a_roster_without_a_list_in_block_style_has_no_parts(agents: str) -> None:
    assert cut(f"{agents}\n") is None


def test_only_what_has_changed_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agents that are read, one by one, of a roster of 400: all at first, then those that the commit changes."""
    read: list[str | None] = []
    validate = entries._validate

    def counted(entry: AgentEntry, explainer: Explainer, fatal: list[Problem]) -> None:
        read.append(entry.name)
        validate(entry, explainer, fatal)

    monkeypatch.setattr(entries, "_validate", counted)
    rows = [f"- {{name: a{number}, runtime: stub}}\n" for number in range(400)]
    known = KnownEntries()

    def reading(changed: dict[int, str]) -> list[str | None]:
        read.clear()
        after = [changed.get(number, row) for number, row in enumerate(rows)]
        result = load(files(HEAD, after, ""), known)
        assert result.problems == ()
        assert result.roster is not None
        assert len(result.roster.agents) == "".join(after).count("name:")
        return list(read)

    assert len(reading({})) == 400
    assert reading({}) == ["a0"]  # one stands for all, so that the head is read
    assert reading({7: "- {name: a7, runtime: stub, state: stopped}\n"}) == ["a7"]
    assert reading({7: "", 9: "- {name: new, runtime: stub}\n- {name: more, runtime: stub}\n"}) == ["new", "more"]
