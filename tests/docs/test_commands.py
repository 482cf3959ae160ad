"""Every command and option that a page shows exists; what a reader would type parses."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

import click
import pytest

from reconciler.commands.mosaic import command as mosaic
from reconciler.commands.reconcile import command as reconcile
from specs.fleet_files import FILES
from specs.loading.load import load
from specs.models.runtimes import KNOWN
from tests.docs.pages import PAGES, Page
from tests.hosts.namespace import CHECKOUT

OURS: dict[str, click.Command] = {"reconcile": reconcile, "mosaic": mosaic}
# What else a reader is asked to type; a name that is not here is a slip.
OTHERS = frozenset(
    "cd cp echo export git journalctl kill loginctl python3 rm sleep sudo systemctl tmux".split()  # noqa: SIM905  # a list of words
)
FOREIGN_OPTIONS = frozenset(
    {
        "--append-system-prompt",
        "--no-session",
        "--port",
        "-e",
        "-u",
        "-L",
        "-N",
        "-t",
        "-c",
        "--user",
        "--log-target=console",
    }
)


def leaf(command: click.Command, words: Sequence[str]) -> tuple[click.Command, list[str]]:
    """The command that `words` lead to, and the words that are left for it."""
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, f"there is no command {' '.join(words)}"
        command, rest = found, rest[1:]
    return command, rest


def options(command: click.Command) -> set[str]:
    found = {name for param in command.get_params(click.Context(command)) for name in param.opts}
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), name)
            assert below is not None
            found |= options(below)
    return found


def check_words(words: Sequence[str]) -> None:
    """A mention: the command exists, and so does every option of it."""
    command, rest = leaf(OURS[words[0]], words[1:])
    known = options(command)
    assert [word for word in rest if word.startswith("-") and word.split("=")[0] not in known] == []


def check_call(words: Sequence[str]) -> None:
    """What is to be typed: it parses. Nothing is run."""
    command, rest = leaf(OURS[words[0]], words[1:])
    if rest == ["--help"]:
        return
    try:
        command.make_context(words[0], rest)
    except click.UsageError as error:
        pytest.fail(f"{' '.join(words)}: {error.format_message()}")


def check_dev(words: Sequence[str]) -> None:
    script = (CHECKOUT / "dev").read_text()
    cases = {
        name for line in re.findall(r"^  ([a-z -|]+)\)$", script, re.MULTILINE) for name in re.split(r" \| ", line)
    }
    assert words[1] in cases, f"./dev has no {words[1]}"


def simple_commands(line: str) -> list[list[str]]:
    """The commands of a shell line, each as its words, without redirections."""
    found: list[list[str]] = [[]]
    target = False
    for word in shlex.split(line, comments=True):
        if not found[-1] and word in ("until", "do", "done"):
            continue
        if word in ("&&", "||", "|", ";"):
            found.append([])
        elif target or re.match(r"\d?[<>]", word):
            target = word in (">", ">>", "<")
        else:
            found[-1].append(word)
    return [one for one in found if one]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_typed_parses(page: Page) -> None:
    for line in page.commands():
        for words in simple_commands(line):
            program = words[0].rpartition("/")[2]
            if words[0] == "./dev":
                check_dev(words)
            elif program in OURS:
                check_call([program, *words[1:]])
            else:
                assert program in OTHERS or words[0].startswith("~/"), f"{page.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_mentioned_exists(page: Page) -> None:
    runtime_flags = {flag for one in KNOWN.values() for flag in (*one.command, *one.unattended_flags, one.model_flag)}
    ours = options(reconcile) | options(mosaic) | runtime_flags | FOREIGN_OPTIONS
    for span in page.spans:
        words = span.split()
        if words[0] in OURS and re.fullmatch(r"[a-z-]+|-.*", words[1] if len(words) > 1 else "x"):
            check_words(words)
        elif words[0] == "./dev" and len(words) > 1:
            check_dev(words)
        elif words[0].startswith("-") and len(words[0]) > 1:
            assert words[0] in ours, f"{page.name}: {span}"


def test_every_command_is_on_a_page() -> None:
    """Nothing that an operator can call is left without a word."""
    spans = "\n".join(span for page in PAGES for span in (*page.spans, *page.commands()))
    for name in ("fleet", "agent"):
        group = mosaic.get_command(click.Context(mosaic), name)
        assert isinstance(group, click.Group)
        for verb in group.list_commands(click.Context(group)):
            assert f"mosaic {name} {verb}" in spans
    text = "\n".join(page.text for page in PAGES)
    for name in sorted(options(reconcile) - {"--output"}):  # the pages use its short form
        assert not name.startswith("--") or name in text, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_that_a_page_shows_are_valid(page: Page) -> None:
    for block in page.blocks:
        first = block.text.split("\n", 1)[0].removeprefix("# ")
        if block.language == "yaml" and first in FILES:
            assert load({first: block.text.encode()}).problems == ()
