"""What the tests of specs share: loading text, and finding the one problem that a test is about."""

from __future__ import annotations

from textwrap import dedent

from specs.compiled import Agent, Fleet
from specs.loading.compile import compile_fleet
from specs.loading.load import LoadResult, load
from specs.values.problems import Problem, render_all

HEAD = "version: 1\ntransport: tmux\n"
ONE = HEAD + "agents:\n  - name: lead\n    runtime: claude\n    class: orchestrator\n"


def read(roster: str | bytes | None, fleet: str | bytes | None = None, star: str | bytes | None = None) -> LoadResult:
    """Loads files given as (indented) text."""
    given = {"roster.yaml": roster, "fleet.yaml": fleet, "NORTH_STAR.yaml": star}
    files = {
        name: dedent(text).encode() if isinstance(text, str) else text
        for name, text in given.items()
        if text is not None
    }
    return load(files)


def agents(*entries: str) -> str:
    """A roster of entries in flow style: `name: a, runtime: claude`; the first is on line 4."""
    return HEAD + "agents:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries)


def only(loaded: LoadResult, words: str) -> Problem:
    """The one problem whose message holds `words`."""
    found = [problem for problem in loaded.problems if words in problem.message]
    assert len(found) == 1, f"{len(found)} problems say {words!r}:\n{render_all(loaded.problems)}"
    return found[0]


def underlined(problem: Problem) -> str:
    """The part of the source line that the caret is under."""
    assert problem.source is not None
    return problem.source[problem.caret : problem.caret + problem.width]


def compiled(loaded: LoadResult, host: str = "here") -> Fleet:
    return compile_fleet(
        loaded,
        host=host,
        revision="0" * 40,
        tenant_id="tenant",
        home="/home/me",
        python="/usr/bin/python3",
        stub_program="/opt/stub.py",
    )


def agent(fleet: Fleet, name: str) -> Agent:
    return next(one for one in fleet.agents if one.name == name)
