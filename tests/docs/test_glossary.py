"""The words of the glossary: one term for each concept, and none of those that it rules out.

The list is the page itself (`docs/glossary.md`, "Words that are not used"). What still breaks a rule is in `EXCEPTIONS`
with the reason; an exception that nothing needs any more fails, so that the list can only shrink.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import click
import pytest

from reconciler.commands.mosaic import command as mosaic
from reconciler.commands.reconcile import command as reconcile
from tests.docs.pages import PAGES, Page, page, plain, tables
from tests.hosts.namespace import CHECKOUT

GLOSSARY = page("docs/glossary.md")
# What breaks a rule and may: a name, or `where: word` for a text, with the reason.
EXCEPTIONS: dict[str, str] = {
    "mend": "a key of the documents of `mosaic doctor` and `mosaic fleet verify`, and what is computed for it",
    "mission_told": "a key of the history that is stored on hosts",
}
PACKAGES = ("specs", "providers", "reconciler")


@dataclass(frozen=True, slots=True)
class Rule:
    """Words that are not used, each as its parts; and what they may be a part of all the same."""

    words: tuple[tuple[str, ...], ...]
    instead: str
    unless: tuple[tuple[str, ...], ...]

    def broken_by(self, words: tuple[str, ...]) -> str | None:
        """The first word of this rule that stands in `words`, unless it is a part of what may stay."""
        allowed = {
            place for one in self.unless for start in _starts(words, one) for place in range(start, start + len(one))
        }
        for one in self.words:
            for start in _starts(words, one):
                if not allowed.issuperset(range(start, start + len(one))):
                    return " ".join(one)
        return None


def _starts(words: tuple[str, ...], part: tuple[str, ...]) -> Iterator[int]:
    yield from (start for start in range(len(words)) if words[start : start + len(part)] == part)


def _parts(cell: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(one.split()) for one in plain(cell).split(", ") if one)


@cache
def rules(where: str) -> tuple[Rule, ...]:
    rows = tables(GLOSSARY.section("Words that are not used"))[0]
    return tuple(Rule(_parts(row[0]), row[1], _parts(row[3])) for row in rows if row[2] == where)


def words_of(name: str) -> tuple[str, ...]:
    """`lay_down` and `PaneGlass` as their words, in lower case."""
    return tuple(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name))


def names() -> Iterator[tuple[str, str]]:
    """The path and the name of every module, and of all that is named in it: types, functions, parameters, fields,
    attributes and local variables, private ones too."""
    for package in PACKAGES:
        for path in sorted((CHECKOUT / package).rglob("*.py")):
            where = str(path.relative_to(CHECKOUT))
            yield where, path.parent.name if path.name == "__init__.py" else path.stem
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (name := named(node)) is not None:
                    yield where, name


def named(node: ast.AST) -> str | None:
    """The name that a part of the syntax gives to something; None: it gives none, or only uses one."""
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            return name
        case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            return name
        case ast.alias(asname=name) | ast.MatchAs(name=name) | ast.MatchStar(name=name) | ast.ExceptHandler(name=name):
            return name
        case ast.MatchMapping(rest=name):
            return name
        case _:
            return None


def helps(command: click.Command, name: str) -> Iterator[tuple[str, str]]:
    """Every help text below a command, with the command that has it."""
    texts = [command.help, command.short_help, command.epilog]
    texts += [param.help for param in command.params if isinstance(param, click.Option)]
    yield from ((name, text) for text in texts if text)
    if isinstance(command, click.Group):
        for sub in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), sub)
            assert below is not None
            yield from helps(below, f"{name} {sub}")


def prose(one: Page) -> str:
    """What a reader reads as English: no code, and none of the glossary's own list."""
    text = one.prose
    if one.name == GLOSSARY.name:
        text = text.partition("\n## Words that are not used\n")[0]
    return re.sub(r"(`+)(.+?)\1", " ` ", text, flags=re.DOTALL)


def words_in(text: str) -> tuple[str, ...]:
    """The words of a text, with a mark for everything between them that ends a phrase."""
    return tuple(re.findall(r"[a-z']+|[^\sa-z']", text.lower()))


@cache
def found() -> dict[str, str]:
    """Everything that breaks a rule: where, and what to use instead."""
    broken: dict[str, str] = {}
    for where, name in names():
        for rule in rules("names"):
            if (word := rule.broken_by(words_of(name))) is not None:
                broken[name] = f"{where}: {word}: use {rule.instead}"
    texts = [*helps(mosaic, "mosaic"), *helps(reconcile, "reconcile")]
    texts += [
        (one.name, prose(one))
        for one in PAGES
        if one.path.parent.name != "decisions" and one.path.name != "CHANGELOG.md"
    ]
    for where, text in texts:
        for rule in rules("texts"):
            if (word := rule.broken_by(words_in(text))) is not None:
                broken[f"{where}: {word}"] = f"use {rule.instead}"
    return broken


def test_words_that_are_not_used_are_not_used() -> None:
    assert {where: use for where, use in found().items() if where not in EXCEPTIONS} == {}


def test_an_exception_is_needed_and_has_its_reason() -> None:
    assert EXCEPTIONS.keys() - found().keys() == set()
    assert all(EXCEPTIONS.values())


def test_a_term_is_defined_once_and_in_words() -> None:
    terms = [
        term for table in tables(GLOSSARY.prose.partition("\n## Words that are not used\n")[0]) for term, _ in table
    ]
    assert len(terms) == len(set(terms))
    assert all(row[1].endswith(".") for table in tables(GLOSSARY.prose) for row in table if len(row) == 2)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f(ground, *eyes, **wishes): ...", {"f", "ground", "eyes", "wishes"}),
        ("class C:\n    beat: int\n    news = 1", {"C", "beat", "news"}),
        ("self.told = [one for one in found]", {"told", "one"}),
        ("from a import b as glass", {"glass"}),
        ("match found:\n    case {'a': pat, **tell}: ...", {"pat", "tell"}),
        ("try: ...\nexcept E as star: ...", {"star"}),
        ("print(told, key.beat)", set()),
    ],
)
def test_everything_that_is_named_is_judged(code: str, expected: set[str]) -> None:
    assert {name for node in ast.walk(ast.parse(code)) if (name := named(node)) is not None} == expected


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("lay_down", True),
        ("lay_out", False),
        ("PaneGlass", True),
        ("NorthStar", False),
        ("star_diff", True),
        ("target", False),
    ],
)
def test_a_name_is_judged_by_its_words(name: str, broken: bool) -> None:
    assert any(rule.broken_by(words_of(name)) for rule in rules("names")) is broken


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("It is no folder.", True),
        ("There is no folder.", False),
        ("It is no longer there.", False),
        ("It is started anew.", True),
    ],
)
def test_a_text_is_judged_by_its_words(text: str, broken: bool) -> None:
    assert any(rule.broken_by(words_in(text)) for rule in rules("texts")) is broken
