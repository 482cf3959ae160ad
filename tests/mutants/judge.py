"""Whether the tests notice a mutant. Each is tried in a process of its own, forked from one that has imported all that
stays the same; the mutant is only in the memory of that process, so no file of the tree is touched."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import select
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Literal

Verdict = Literal["killed", "survived", "timeout"]
_PASSED, _FAILED, _ERRORS = 0, 1, 2  # pytest's exit codes; 2 is also a test file that cannot be imported


class BrokenTests(Exception):
    """The tests fail without any change, or there are none."""


@dataclass(frozen=True, slots=True)
class Target:
    """`module` is dotted; `tests` are what pytest is called with."""

    module: str
    tests: tuple[str, ...]


class _Given(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from a text."""

    def __init__(self, module: str, code: str) -> None:
        self._module, self._code = module, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        del path, target
        return spec_from_loader(fullname, self) if fullname == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._code, f"<mutant of {self._module}>", "exec"), module.__dict__)  # noqa: S102  # our own text


class Try:
    """One run of the tests, which has begun."""

    def __init__(self, target: Target, code: str, *, timeout_s: float, shown: bool = False) -> None:
        self._pid = os.fork()
        if self._pid == 0:
            _run_tests(target, code, shown=shown)
        self._fd = os.pidfd_open(self._pid)
        self._deadline = time.monotonic() + timeout_s

    def fileno(self) -> int:
        """Readable when it has ended."""
        return self._fd

    @property
    def left_s(self) -> float:
        return max(0.0, self._deadline - time.monotonic())

    def verdict(self) -> Verdict:
        """Ends it if it has not ended by itself. Raises BrokenTests if pytest found nothing to run, or could not."""
        ended = bool(select.select([self._fd], [], [], 0)[0])
        if not ended:
            os.killpg(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        os.close(self._fd)
        if not ended:
            return "timeout"
        code = os.waitstatus_to_exitcode(status)
        if code not in (_PASSED, _FAILED, _ERRORS) and code >= 0:
            raise BrokenTests(f"pytest ended with {code}")
        return "survived" if code == _PASSED else "killed"


def _run_tests(target: Target, code: str, *, shown: bool) -> None:
    """In the child; does not return."""
    import pytest

    os.setpgid(0, 0)
    if not shown:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    sys.meta_path.insert(0, _Given(target.module, code))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # none is needed, and they take longer than the tests
    words = ["-x", "-q", "--no-header", "--tb=short", "--assert=plain", "-p", "no:cacheprovider", *target.tests]
    os._exit(int(pytest.main(words)))
