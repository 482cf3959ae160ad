"""A proposed change of the fleet's files: what would be written, what is wrong with it, and the diff. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from difflib import unified_diff
from typing import TYPE_CHECKING

from reconciler.errors import InvalidConfig, MosaicError, Refused
from specs.dataclass import dataclass
from specs.fleet_files import FILES
from specs.loading.load import LoadResult
from specs.values.problems import Problem

if TYPE_CHECKING:
    from specs.editing.edit import EditError


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What a verb makes of the files: those that differ, the commit's message, and what to tell about it. `cautions`
    are what somebody may not have thought of."""

    files: Mapping[str, bytes]
    message: str
    notes: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()


EditVerb = Callable[[Mapping[str, bytes], LoadResult], Edited]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """`files` are the new contents, by name; empty if there is nothing to change. `diff` is by name, too. `warnings`
    are new, and keep nobody from committing."""

    files: Mapping[str, bytes]
    message: str
    notes: tuple[str, ...]
    diff: Mapping[str, str]
    warnings: tuple[Problem, ...]
    cautions: tuple[str, ...] = ()


class _Spoils(MosaicError):
    """New problems: each is shown with its place, and nothing was written."""

    problems: tuple[Problem, ...] = ()

    def render(self) -> str:
        from specs.values.problems import render_each

        shown = render_each(self.problems)
        return "\n\n".join([*shown, f"{self.message}"])


class SpoilsFiles(_Spoils, InvalidConfig):
    """The files would not be valid."""


class BreaksFloor(_Spoils, Refused):
    """The fleet would be without one of the two agents that it has to have, whatever else would be wrong."""


def propose(files: Mapping[str, bytes], verb: EditVerb) -> Proposal:
    """What `verb` would change in `files`. Raises SpoilsFiles or BreaksFloor if anything is wrong afterwards that was
    not wrong before, InvalidConfig if a file cannot be edited, and what the verb raises."""
    from specs.editing.edit import EditError
    from specs.loading.load import load

    before = load(files)
    try:
        edited = verb(files, before)
    except EditError as error:
        raise cannot_edit(error) from error
    changed = {name: data for name, data in edited.files.items() if data != files.get(name)}
    after = load({**files, **changed})
    new = _new(before.problems, after.problems)
    errors = tuple(problem for problem in new if problem.severity == "error")
    if errors:
        raise _refusal(errors)
    return Proposal(
        files=changed,
        message=edited.message,
        notes=edited.notes,
        diff={
            name: diff(name, files.get(name), changed[name])
            for name in (*FILES, *sorted(changed.keys() - FILES))
            if name in changed
        },
        warnings=new,
        cautions=edited.cautions,
    )


def cannot_edit(error: EditError) -> MosaicError:
    """What a person is told of a file that cannot be edited without risk."""
    refusal = SpoilsFiles("nothing was written")
    refusal.problems = (error.problem,)
    return refusal


def diff(name: str, before: bytes | None, after: bytes) -> str:
    """A unified diff as git prints one; empty if nothing differs."""
    rows = unified_diff(
        _lines(before or b""),
        _lines(after),
        fromfile=f"a/{name}" if before is not None else "/dev/null",
        tofile=f"b/{name}",
    )
    return "".join(row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows)


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n").splitlines(keepends=True)


def _new(before: tuple[Problem, ...], after: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Those of `after` that were not there: lines may have moved, so a problem is what it says and whom it is about."""
    known = Counter(map(_what, before))
    found = []
    for problem in after:
        if known[_what(problem)]:
            known[_what(problem)] -= 1
        else:
            found.append(problem)
    return tuple(found)


def _what(problem: Problem) -> tuple[str, str, str, str | None]:
    return problem.file, problem.severity, problem.message, problem.agent


def _refusal(errors: tuple[Problem, ...]) -> MosaicError:
    from specs.loading.checks import FLOOR_HELP
    from specs.values.problems import render_each

    floor = any(problem.help == FLOOR_HELP for problem in errors)
    many = "these problems" if len(render_each(errors)) > 1 else "this problem"
    refusal = (BreaksFloor if floor else SpoilsFiles)(f"nothing was written: the fleet would have {many}")
    refusal.problems = errors
    return refusal
