"""One prerequisite as it was found, and how to fix it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeVar

from specs.dataclass import dataclass

T = TypeVar("T")
CheckResult = Literal["ok", "warn", "fail", "unknown"]
CheckGroup = Literal[
    "programs", "systemd", "session", "runtimes", "tmux", "files", "clock", "source", "loop", "leftovers"
]

RESULTS: tuple[CheckResult, ...] = ("fail", "unknown", "warn", "ok")  # what needs a person first
GROUPS: tuple[CheckGroup, ...] = (
    "programs",
    "systemd",
    "session",
    "runtimes",
    "tmux",
    "files",
    "clock",
    "source",
    "loop",
    "leftovers",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A fact that could not be had. `missing`: because the program to ask is not installed."""

    why: str
    missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`mend` are commands as a person types them, in this order; `advice` says what no command can."""

    name: str
    group: CheckGroup
    result: CheckResult
    found: str
    mend: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that was looked at. `fleet` is "" where none has run; `at` is Unix seconds."""

    fleet: str
    tenant_id: str
    host: str
    at: float
    checks: tuple[Check, ...]

    def count(self, result: CheckResult) -> int:
        """How many checks came out like that."""
        return sum(1 for check in self.checks if check.result == result)


def unseen(name: str, group: CheckGroup, fact: Unseen, advice: str = "") -> Check:
    """The check of a fact that could not be had."""
    return Check(name=name, group=group, result="unknown", found=fact.why, advice=advice)


def worst(results: Iterable[CheckResult]) -> CheckResult:
    """The one that needs a person most; ok if there is none."""
    return min(results, key=RESULTS.index, default="ok")
