"""Which tests are fast is told by what they use."""

from __future__ import annotations

import pytest

from tests import uses


@pytest.mark.parametrize(
    ("module", "name", "starts"),
    [
        ("tests.hosts.test_dev", "dev", True),  # by itself
        ("tests.hosts.test_dev", "test_an_old_python_is_refused_in_words", True),  # by a helper
        ("tests.commands.test_change", "test_add_commits_one_more_entry", True),  # by a method of a helper's class
        ("tests.commands.test_help", "test_a_wrong_call_is_64", False),  # another test of its file does
        ("tests.render.test_texts", "test_nothing_is_cut", False),
    ],
)
def test_what_starts_programs_is_told_by_what_it_uses(module: str, name: str, *, starts: bool) -> None:
    assert uses.reaches(module, name, "subprocess") is starts
