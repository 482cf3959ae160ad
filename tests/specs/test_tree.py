"""One tree says what a text means and how it is written: an edit goes by the second, everything else by the first."""

from __future__ import annotations

from specs.values.problems import Problem, SourceFile
from specs.yaml_text.parser import parse
from specs.yaml_text.tree import Node

TEXT = """\
base: &base {class: worker, "state": 'running'}
agents:
  - &first
    <<: *base
    name: a   # who it is
    note: |
      two
      lines

  # about the second
  - *first
empty:
"""


def tree(text: str) -> Node:
    problems: list[Problem] = []
    root = parse(text, SourceFile("x.yaml", lines=text.split("\n")), problems)
    assert root is not None
    assert problems == []
    return root


def written(node: Node, text: str = TEXT) -> str:
    return text[node.start : node.end]


def test_every_value_knows_what_is_written_of_it() -> None:
    base, agents, empty = (value for _, value in tree(TEXT).pairs)
    assert written(base) == """&base {class: worker, "state": 'running'}"""
    assert (base.anchor, base.flow, agents.flow) == ("base", True, False)
    assert [(key.style, value.style) for key, value in base.pairs] == [("", ""), ('"', "'")]
    first, second = agents.written
    assert written(first).startswith("&first\n    <<: *base")
    assert written(first).endswith("two\n      lines"), "neither the blank line nor the comment below is of it"
    assert (second.kind, written(second), second.text) == ("alias", "*first", "first")
    assert written(empty) == ""


def test_what_it_says_is_resolved_and_what_is_written_is_not() -> None:
    root = tree(TEXT)
    first, second = root.items["agents"].sequence
    assert first is second
    assert first.data() == {"class": "worker", "state": "running", "name": "a", "note": "two\nlines\n"}
    assert [key.text for key, _ in first.pairs] == ["<<", "name", "note"]
    assert first.get("class") is None, "what is merged into a mapping is not its own"
    merged = first.get("<<")
    assert merged is not None
    assert (merged.kind, merged.text) == ("alias", "base")
    assert merged.target is root.items["base"]
    assert first.items["class"].value == "worker"


def test_places_come_in_the_order_of_the_text() -> None:
    places = list(tree(TEXT).places())
    assert [one.start for one in places] == sorted(one.start for one in places)
    assert [one.text for one in places if one.kind == "alias"] == ["base", "first"]


def test_an_alias_may_be_a_key() -> None:
    root = tree("&k a: 1\nb: {*k : 2}\n")
    assert root.data() == {"a": 1, "b": {"a": 2}}
    assert root.items["b"].written[0].kind == "alias"
