"""Files that cannot be read as YAML, or should not be: each is reported with its place, none raises."""

from __future__ import annotations

import pytest

from specs.values.problems import Problem, SourceFile
from specs.yaml_text.parser import parse
from tests.specs.helpers import HEAD, ONE, only, read, underlined


def place(problem: Problem) -> tuple[str, int, int]:
    return problem.file, problem.line, problem.column


@pytest.mark.parametrize(
    ("text", "words", "line", "column"),
    [
        ("", "the file is empty", 1, 1),
        ("# nothing but a remark\n", "the file is empty", 1, 1),
        ("---\n", "the file is empty", 1, 1),
        ("- a\n- b\n", "must be a mapping of keys, not a list", 1, 1),
        ("just text\n", "must be a mapping of keys, not text", 1, 1),
        ("version: 1\nagents:\n\t- name: a\n", "a tab is used for indentation", 3, 1),
        ("version: 1\n---\nversion: 1\n", "more than one document", 2, 1),
        ("version: 1\nversion: 1\n", 'duplicate key "version"', 2, 1),
        ("a: b: c\n", "a colon that begins a new value", 1, 5),
        ("a: [1, 2\n", "has no end", 1, 4),
        ("a: 'x\n", "has no end", 1, 4),
        ("a: [x}\n", "is not closed before this", 1, 6),
        ("a: @x\n", "may not begin with this character", 1, 4),
        ("- a\nb: c\n", "does not belong to what is above it", 2, 1),
        ("a: b\nc\nd: e\n", "a key without a colon", 2, 1),
        ("a: *nobody\n", "refers to no anchor above it", 1, 4),
        ("a: &a [*a]\n", "contains itself", 1, 8),
        ("? [a, b]\n: c\n", "a key must be text", 1, 3),
        ("version: !secret 1\n", "a tag that has no meaning here", 1, 10),
        ("%YAML 1.1\n---\nversion: 1\n", "another YAML than 1.2", 1, 1),
        ("version: 123456789012345678901234567890\n", "the number is too large", 1, 10),
        ('version: 1\nx: "\\ud800"\n', "half a character", 2, 4),
        ('version: 1\nx: "\\UFFFFFFFF"\n', "not readable as YAML", 2, 1),
        ("a: b\x07c\n", "an invisible control character (U+0007)", 1, 5),
        ("a: b\x00c\n", "an invisible control character (U+0000)", 1, 5),
        ("a: b\u202ec\n", "an invisible control character (U+202E)", 1, 5),
        ("<<: text\n", "only a mapping can be merged", 1, 5),
    ],
)
def test_each_is_found_where_it_is(text: str, words: str, line: int, column: int) -> None:
    loaded = read(text)
    assert loaded.errors_fatal
    assert place(only(loaded, words)) == ("roster.yaml", line, column)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_has_a_limit(opening: str) -> None:
    assert "levels deep" in read(opening * 100_000).errors_fatal[0].message


def test_an_alias_bomb_is_defused_before_it_expands() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "expands to more than" in read("\n".join(rows)).errors_fatal[0].message


def test_a_bomb_of_merge_keys_is_defused_too() -> None:
    rows = ["a0: &a0 {x: 1, y: 2, z: 3}"]
    rows += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 12)]
    assert "expands to more than" in read("\n".join(rows)).errors_fatal[0].message


def test_a_megabyte_is_the_limit() -> None:
    problem = only(read(b"#" * (1024 * 1024 + 1)), "the limit is 1 MiB")
    assert problem.source is None
    assert "1,048,577 bytes" in problem.message
    assert not read(ONE.encode() + b"#" * (1024 * 1024 - len(ONE))).problems


def test_invalid_utf_8_says_where() -> None:
    problem = only(read(b"version: 1\nname: caf\xe9\n"), "not UTF-8")
    assert "byte 0xe9 at offset 20" in problem.message
    assert place(problem) == ("roster.yaml", 2, 10)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_other_encodings_are_named(encoding: str) -> None:
    assert "not UTF-8" in only(read("version: 1".encode(encoding)), "UTF-16 or UTF-32").message


def test_a_byte_order_mark_is_only_a_warning() -> None:
    loaded = read(b"\xef\xbb\xbf" + ONE.encode())
    assert loaded.ok
    assert only(loaded, "byte order mark").severity == "warning"


def test_an_unreadable_number_suggests_quotes() -> None:
    problem = only(read(HEAD + "x: 123456789012345678901234567890\n"), "too large")
    assert problem.suggestion == "write it in quotes"
    assert underlined(problem) == "123456789012345678901234567890"


def test_a_duplicate_key_names_the_line_of_the_first() -> None:
    assert only(read("version: 1\n\nversion: 1\n"), "duplicate key").suggestion == "first written on line 1"


def test_merge_keys_work_within_their_limits() -> None:
    loaded = read(
        """
        version: 1
        agents:
          - &base {name: a, runtime: claude, class: worker, yolo: false}
          - <<: *base
            name: b
            class: reviewer
        """
    )
    assert loaded.ok
    assert loaded.roster is not None
    second = loaded.roster.agents[1]
    assert (second.name, second.agent_class, second.yolo) == ("b", "reviewer", False)


def test_yaml_1_2_words_and_numbers() -> None:
    loaded = read(
        """
        version: 1
        agents:
          - {name: a, runtime: claude, env: {A: yes, B: on, C: 12:30:00, D: 2020-01-01, E: 1_000}}
        """
    )
    assert loaded.ok
    assert loaded.roster is not None
    assert [value.literal for value in loaded.roster.agents[0].env.values()] == [
        "yes",
        "on",
        "12:30:00",
        "2020-01-01",
        "1_000",
    ]


TABS = {
    "before a comment": ("a: 1\t# one\nb: 2\n", {"a": 1, "b": 2}),
    "behind a colon": ("a:\t1\n", {"a": 1}),
    "behind a colon, and a block": ("a:\t\n  b: 1\n", {"a": {"b": 1}}),
    "in brackets": ("a: [1,\t2]\t\n", {"a": (1, 2)}),
    "behind quotes": ('a: "x"\t# y\n', {"a": "x"}),
    "on a blank line": ("a: 1\n\t\nb: 2\n", {"a": 1, "b": 2}),
    "before a comment alone": ("a: 1\n \t# c\nb: 2\n", {"a": 1, "b": 2}),
    "in a block scalar": ("a: |\n  x\ty\n  \t\n", {"a": "x\ty\n\t\n"}),
    "in a text": ("a: x\ty\n", {"a": "x\ty"}),
    "behind an anchor and an alias": ("a: &x\tv\nb: *x\t# c\n", {"a": "v", "b": "v"}),
}


@pytest.mark.parametrize(("text", "value"), TABS.values(), ids=TABS)
def test_tabs_where_yaml_allows_them(text: str, value: object) -> None:
    problems: list[Problem] = []
    source = SourceFile("x.yaml", lines=text.split("\n"))
    tree = parse(text, source, problems)
    assert problems == []
    assert tree is not None
    assert tree.data() == value


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a:\n\tb: 1\n", 2, 1), ("a:\n  \tb: 1\n", 2, 3), ("\ta: 1\n", 1, 1), ("a:\n  -\tb: 1\n    c: 2\n", 2, 6)],
)
def test_tabs_that_indent(text: str, line: int, column: int) -> None:
    problems: list[Problem] = []
    assert parse(text, SourceFile("x.yaml", lines=text.split("\n")), problems) is None
    (problem,) = problems
    assert (problem.message, problem.line, problem.column) == ("a tab is used for indentation", line, column)


def test_a_tab_that_is_no_indentation_is_not_called_one() -> None:
    problems: list[Problem] = []
    text = "a: |\t\n  x\n"
    parse(text, SourceFile("x.yaml", lines=text.split("\n")), problems)
    assert [problem.message for problem in problems] in ([], ["a tab is not expected here"])
