"""A fleet's mission while a person works on it: NORTH_STAR.yaml of a folder or a commit, NORTH_STAR.md beside it."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from providers.filesystem.guarded_read import NotRegularError, kind_of, read_regular
from reconciler.errors import InvalidConfig, MosaicError, NotFound, Usage
from specs.dataclass import dataclass
from specs.fleet_files import NORTH_STAR
from specs.mission.projection import FILE, Freshness, freshness

if TYPE_CHECKING:
    from specs.models.north_star import NorthStar
    from specs.values.problems import Problem

MAX_BYTES = 1024 * 1024  # of one file; the loader refuses what is longer
LOCAL_S = 30.0  # seconds for a call of git that only reads


@dataclass(frozen=True, slots=True, kw_only=True)
class MissionSource:
    """`north_star` is None if the file has errors; `problems` are all there are, warnings included."""

    north_star: NorthStar | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """NORTH_STAR.md in a folder. `text` is "" where there is none that could be read."""

    path: Path
    state: Freshness
    text: str
    why: str = ""  # for `not-generated`: what is in its place


@contextmanager
def folder_of(fleet: str | None, environ: Mapping[str, str], *, tree: bool = False) -> Iterator[Path]:
    """The folder with the fleet's files, as `fleet_folder` finds it; the mission's own file may be named, too.

    Raises NotFound, Usage, Refused, and what reaching a repository raises.
    """
    from reconciler.changes.working_copy import fleet_folder
    from reconciler.context.which_fleet import NOBODY

    path = Path(fleet) if fleet is not None else None
    if path is not None and path.name in (NORTH_STAR, FILE) and not path.is_dir():
        fleet = str(path.parent)
    with fleet_folder(fleet, environ, tree=tree) as folder:
        if folder is None:
            raise Usage(f"there is no {NORTH_STAR} here, and no fleet was named", help=NOBODY)
        yield folder


def read_mission(data: bytes) -> MissionSource:
    """Everything about the mission that can be known without the other files. Never raises."""
    from specs.loading.load import load

    loaded = load({NORTH_STAR: data})
    problems = tuple(problem for problem in loaded.problems if problem.file == NORTH_STAR)
    wrong = any(problem.severity == "error" for problem in problems)
    return MissionSource(north_star=None if wrong else loaded.north_star, problems=problems)


def mission_in(folder: Path) -> MissionSource:
    """Raises NotFound, MosaicError."""
    from reconciler.changes.working_copy import read_file

    data = read_file(folder / NORTH_STAR)
    if data is None:
        way = "mosaic fleet init writes one; `mission:` is all that it needs"
        raise NotFound(f"{folder} has no {NORTH_STAR}", help=way)
    return read_mission(data)


def valid(mission: MissionSource, where: str) -> NorthStar:
    """Raises InvalidConfig with every error."""
    from specs.values.problems import render_all

    if mission.north_star is None:
        errors = [problem for problem in mission.problems if problem.severity == "error"]
        raise InvalidConfig(f"{where} is not valid\n\n{render_all(errors)}\n", help="mosaic fleet north-star validate")
    return mission.north_star


def mission_at(folder: Path, revision: str) -> tuple[str, NorthStar | None]:
    """The commit that `revision` names in the folder's repository, and its mission; None if it has none.

    Raises NotFound for what is not a commit, InvalidConfig for a mission that is not valid, GitFailed.
    """
    from reconciler.git.process import run_as_operator

    if revision.startswith("-"):
        raise Usage(f"{revision} is not a revision")
    name = ["rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"]
    found = run_as_operator(name, cwd=folder, timeout_s=LOCAL_S, ok=(0, 1, 128))
    commit = found.out.decode("ascii", "replace").strip()
    if found.code or not commit:
        raise NotFound(f"{revision} is not a commit of a repository at {folder}", help=f"git -C {folder} log --oneline")
    row = run_as_operator(["ls-tree", "-z", "-l", commit, "--", NORTH_STAR], cwd=folder, timeout_s=LOCAL_S).out
    words = row.split(b"\t")[0].split()
    if not words:
        return commit, None
    where = f"{NORTH_STAR} of {commit[:12]}"
    if words[0] not in (b"100644", b"100755") or not words[3].isdigit():
        raise InvalidConfig(f"{where} is not a regular file")
    if int(words[3]) > MAX_BYTES:
        raise InvalidConfig(f"{where} is larger than {MAX_BYTES:,} bytes")
    blob = ["cat-file", "blob", words[2].decode("ascii")]
    data = run_as_operator(blob, cwd=folder, timeout_s=LOCAL_S).out
    return commit, valid(read_mission(data), where)


def projection_in(folder: Path, wanted: str) -> Projection:
    """How NORTH_STAR.md stands to what it should be. Raises MosaicError."""
    path = folder / FILE
    try:
        text = read_regular(path, follow=False).decode("utf-8", "replace")
    except FileNotFoundError:
        return Projection(path=path, state=freshness(None, wanted), text="")
    except NotRegularError as error:
        return Projection(path=path, state="not-generated", text="", why=f"it is {kind_of(error.mode)}")
    except OSError as error:
        raise MosaicError(f"{path} cannot be read: {error.strerror or error}") from error
    return Projection(path=path, state=freshness(text, wanted), text=text, why="somebody wrote it by hand")


def write_projection(folder: Path, there: Projection, wanted: str) -> None:
    """Replace NORTH_STAR.md whole, with the permissions that it has, or those of the file that it is made of. Raises
    MosaicError."""
    from reconciler.helpers.atomic_files import write_atomic

    like = there.path if there.state not in ("missing", "not-generated") else folder / NORTH_STAR
    try:
        mode = stat.S_IMODE(like.stat().st_mode) & ~0o111
        if there.path.is_dir() and not there.path.is_symlink():
            raise MosaicError(f"{there.path} is a folder", help="move it away")
        write_atomic(there.path, wanted, mode=mode)
    except OSError as error:
        raise MosaicError(f"{there.path} cannot be written: {error.strerror or error}") from error


def difference(there: Projection, wanted: str) -> str:
    """A unified diff from what is there to what should be; "" if that is the same."""
    from difflib import unified_diff

    lines = unified_diff(there.text.splitlines(), wanted.splitlines(), FILE, f"{FILE}, rendered", lineterm="")
    return "".join(f"{line}\n" for line in lines)
