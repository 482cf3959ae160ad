"""Which tests may start a host: those with the fixture `real_hosts`. All others are run by `./dev test --fast`."""

from __future__ import annotations

import os

FIXTURE = "real_hosts"
_VARIABLE = "MOSAIC_TEST_MAKES_HOSTS"  # in the environment, so that it holds in the processes of a test, too


def note(*, allowed: bool) -> None:
    """Said of a test before its fixtures are made."""
    os.environ[_VARIABLE] = "yes" if allowed else "no"


def check() -> None:
    """Called before a host is started. Raises AssertionError in a test that would be taken for a fast one."""
    if os.environ.get(_VARIABLE) == "no":
        raise AssertionError(
            "this test starts a host, so it is not for `./dev test --fast`: let it take the fixture "
            f"{FIXTURE}, itself or through another fixture"
        )
