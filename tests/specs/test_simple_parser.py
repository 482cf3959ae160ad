"""The fast parser gives the complete parser's tree, to the last column, or leaves the text to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specs.fleet_files import FILES
from specs.values.problems import Problem, SourceFile
from specs.yaml_text import events
from specs.yaml_text.builder import Builder
from specs.yaml_text.parser import parse, parse_any
from specs.yaml_text.simple_parser import parse_simple
from specs.yaml_text.tree import Node
from tests.specs.test_compile import FLEET, FULL
from tests.specs.written_rosters import Written, rosters

EXAMPLES = Path(__file__).parents[2] / "examples" / "fleets"
SETTINGS = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
BIG = """\
---
# who works here
version: 1
transport: tmux
tmux: {socket_name: s, holder_session: _holder}
defaults: {working_directory: "~"}   # the home folder
runtimes:
  sleeper: {command: [sleep, infinity], process_names: [sleep]}
  other:
    command:
    - python3
    - -m
    - "a b"
    native_heartbeat: true
agents:

  # the first
  - name: a0
    runtime: claude
    class:   worker
    working_directory: ~/src/a0:x#1
    env:
      N: "1"
      WEB: https://example.org/a,b
      LEER: ''
    depends_on: [a1, 'a.2']
    resources: {memory_max: 2G, cpu_weight: 50}
    alias: Führung, 第一
  - {name: a1, runtime: stub, generation: 3, env: {}, depends_on: [ ]}
  - name: a.2
    runtime: stub
    model_hint:
    host: -x.y
    state: stopped

# end"""
PIECES = (
    *("- ", "-", ": ", ":", "? ", "&a ", "*a", "<<: *a", "!!str ", "!x ", "|", ">", "[", "]", "{", "}", ",", "#", " #"),
    *(
        "'",
        '"',
        "\\",
        "''",
        "---\n",
        "...\n",
        "--- x\n",
        "%YAML 1.1\n",
        "\t",
        "\r",
        "\n",
        "\n\n",
        " \n",
        "\x85",
        "\xa0",
    ),
    *("\ufeff", "\u2028", "\u3000", "\xad", "\U0001f600", "`", "@", "=", "%", "$", "~", "null", "yes", "1e9", "0x1f"),
    *("9" * 30, "-1", ".5", "name:", "agents:", "\n  - ", "\n  name: x", "\n- name: x", "\n  # x", "\nx:\n", " " * 5),
    *("key: value", "[a, b]", "{a: b}", "{a: [b, {c: d}], e: 'f'}", "{a: b,}", "[a: b]", "{a}", "a: b: c", "a:b", "é"),
)


def trees(text: str) -> tuple[Node | None, Node | None, list[Problem]]:
    """By the fast parser, None if it leaves the text alone; by the complete one, with its problems."""
    lines = text.split("\n")
    fast, problems = Builder(text, SourceFile("x.yaml", lines), []), list[Problem]()
    simple = parse_simple(text, fast)
    return fast.root if simple else None, parse_any(text, SourceFile("x.yaml", lines), problems), problems


def alike(one: Node, other: Node) -> None:
    pending, met = [(one, other)], set[tuple[int, int]]()
    while pending:
        one, other = pending.pop()
        if (id(one), id(other)) in met:
            continue
        met.add((id(one), id(other)))
        for name in Node.__slots__:
            here, there = getattr(one, name), getattr(other, name)
            if name in ("items", "keys"):
                assert list(here) == list(there)
                pending += zip(here.values(), there.values(), strict=True)
            elif name in ("sequence", "written"):
                pending += zip(here, there, strict=True)
            elif name == "target":
                assert here is there is None
            else:
                assert (name, type(here), repr(here)) == (name, type(there), repr(there))


def check(text: str) -> bool:
    """Whether the fast parser reads it; then it reads it as the complete one does."""
    fast, full, problems = trees(text)
    if fast is None:
        return False
    assert full is not None
    assert problems == []
    alike(fast, full)
    return True


@pytest.mark.parametrize("text", [BIG, f"{BIG}\n", FULL, FLEET, "a: b", "a:\n", "a:\n- b\nc:\n  - d: e\n    f:\n  -\n"])
def test_what_people_write_is_read_fast(text: str) -> None:
    assert check(text)


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_are_read_fast(path: Path) -> None:
    assert check(path.read_text()) or path.name not in FILES


@pytest.mark.parametrize(
    "text",
    [
        "a: &x b\nc: *x\n", "a: !!str b\n", "a: |\n  b\n", "a: b\n  c\n", 'a: "b\n  c"\n', "a: {b: c,\n  d: e}\n",
        "a:\tb\n", "a: b\r\n", '"a": b\n', "? a\n: b\n", "{a: b}\n", "- a\n", "a: b\n---\nc: d\n",
        "%YAML 1.2\n---\na: b\n", "a: b\na: c\n", "a: 99999999999999999999\n", "a: b: c\n", "a: {b: c\n",
        "a: 'b''c'\n", 'a: "b\\n"\n', "a: {b: c,}\n", "a: [b: c]\n", "a:\n  b: c\n d: e\n", "a:\n  b\n", "- - a\n",
        "a: b\xa0\n", "a: \ufeffb\n", "x y: z\n", "a: {b : c}\n", "a: {? b : c}\n", "a: [b c  d]\n", "a: [b #c]\n",
        "a:b\n", "a: -\n", "a: - b\n", "", "# only this\n", "---\n",
    ],
)  # fmt: skip
def test_the_rest_is_left_to_the_complete_parser(text: str) -> None:
    assert trees(text)[0] is None


def test_a_simple_text_costs_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_text: str) -> object:
        raise AssertionError("the complete parser was asked")

    monkeypatch.setattr(events, "events", never)
    source, problems = SourceFile("x.yaml", BIG.split("\n")), list[Problem]()
    assert parse(BIG, source, problems) is not None
    assert problems == []


@given(written=rosters())
@SETTINGS
def test_written_rosters(written: Written) -> None:
    check(written.text)


@given(data=st.data(), text=st.sampled_from([BIG, FULL, FLEET]))
@SETTINGS
def test_edited_rosters(data: st.DataObject, text: str) -> None:
    """Pieces put in, lines taken out, doubled, moved and indented, anywhere."""
    for _ in range(data.draw(st.integers(1, 3))):
        lines = text.split("\n")
        at = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["piece", "piece", "piece", "without", "twice", "indent", "swap", "cut"])):
            case "piece":
                column = data.draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:column] + data.draw(st.sampled_from(PIECES)) + lines[at][column:]
            case "without":
                del lines[at]
            case "twice":
                lines.insert(data.draw(st.integers(0, len(lines))), lines[at])
            case "indent":
                lines[at] = " " * data.draw(st.integers(0, 8)) + lines[at].lstrip()
            case "swap":
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                column = data.draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:column]
        text = "\n".join(lines)
    check(text)


@given(parts=st.lists(st.sampled_from([*PIECES, "a", "b: c", "\n", "\n  ", "\n    "]), max_size=14))
@SETTINGS
def test_anything(parts: list[str]) -> None:
    check("a: b\n" + "".join(parts))
    check("".join(parts))
