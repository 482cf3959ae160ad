"""What people read is what the golden files say, and each command has one."""

from __future__ import annotations

import os

import pytest

from reconciler.commands.command_lines import command_lines
from tests.golden.book import FOLDER, Text, difference, file_of, laid_out, write
from tests.golden.help import help_of
from tests.golden.situations import SITUATIONS

COMMANDS = [command.path for line in command_lines() for command in line.walk()]
WRITING = "MOSAIC_TEST_GOLDEN"  # set by `./dev golden`


def texts(path: tuple[str, ...]) -> list[Text]:
    return [help_of(path), *(text for source in SITUATIONS.get(" ".join(path), ()) for text in source())]


@pytest.mark.parametrize("path", COMMANDS, ids="-".join)
def test_people_read_what_the_golden_file_says(path: tuple[str, ...]) -> None:
    if os.environ.get(WRITING):
        write(path, texts(path))
    changed = difference(path, texts(path))
    if changed:
        pytest.fail(f"other words than before; if that is meant: ./dev golden\n{changed}", pytrace=False)


def test_no_golden_file_is_of_a_command_that_is_gone() -> None:
    left = set(FOLDER.glob("*")) - {file_of(path) for path in COMMANDS}
    if os.environ.get(WRITING):
        for file in left:
            file.unlink()
        left = set()
    assert left == set()


def test_every_situation_is_of_a_command() -> None:
    assert set(SITUATIONS) <= {" ".join(path) for path in COMMANDS}


def test_a_file_is_unambiguous() -> None:
    with pytest.raises(ValueError, match="two texts"):
        laid_out(("mosaic",), [Text("help", "a"), Text("help", "b")])
    with pytest.raises(ValueError, match="heading"):
        laid_out(("mosaic",), [Text("help", "a\n######## b")])
