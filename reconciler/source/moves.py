"""Moves: find the host on which an agent was declared before this one, by the history of the branch.

Going back along the branch, the first version of the roster that differs decides: another host is a move; if the agent
is not declared there, or absent, it is new, whatever came before.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from reconciler.git.process import run_git
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from reconciler.git.mirror import Checkout

MOST = 100  # versions of the roster to look at
ROSTER = "roster.yaml"
_GIT_S = 20.0
_BATCH = 20  # versions to read at once
# The keys of a line that may change whether and where an agent is declared; the last three affect other lines.
_DECISIVE = ("host", "name", "state", "absent", "*", "&", "<<")


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterVersion:
    """A roster at a commit. `homes`: by agent, its host ("" for any), without absent agents. `ways`: by host, how ssh
    reaches it, if that roster says so."""

    commit: str
    homes: Mapping[str, str]
    ways: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where an agent was before: the host, the way there (None: none is declared), and the last commit that says so."""

    host: str
    ssh: str | None
    commit: str


def origins(
    versions: Iterable[RosterVersion], names: Collection[str], host: str
) -> tuple[dict[str, Origin], frozenset[str]]:
    """From the versions, newest first: the names that were on another host, and the names that the versions leave open.
    Pure."""
    found: dict[str, Origin] = {}
    open_ = set(names)
    for version in versions:
        for name in sorted(open_):
            home = version.homes.get(name)
            if home == host:
                continue
            open_.discard(name)
            if home:
                found[name] = Origin(host=home, ssh=version.ways.get(home), commit=version.commit)
        if not open_:
            break
    return found, frozenset(open_)


def versions(checkout: Checkout, revision: str, names: Collection[str], host: str) -> Iterable[RosterVersion]:
    """The branch's rosters up to `revision`, newest first, at most MOST; without those that say the same of these
    agents and this host as the one before. Raises GitFailed, GitTimeout."""
    args = ["rev-list", "--first-parent", f"--max-count={MOST}", "--end-of-options", revision, "--", ROSTER]
    shas = run_git(args, git_dir=checkout.path, timeout_s=_GIT_S).out.decode("ascii").split()
    words = re.compile(b"|".join(re.escape(word.encode()) for word in sorted({*_DECISIVE, host, *names})))
    newer: list[bytes] | None = None
    for at in range(0, len(shas), _BATCH):
        batch = shas[at : at + _BATCH]
        for sha, text in zip(batch, checkout.contents([f"{sha}:{ROSTER}" for sha in batch]), strict=True):
            lines = text.splitlines() if text is not None else []
            if text is None or (newer is not None and not _says(lines, newer, words)):
                continue
            version = _version(sha, text)
            if version is not None:
                newer = lines
                yield version


def _says(lines: list[bytes], newer: list[bytes], words: re.Pattern[bytes]) -> bool:
    """Whether one of the words is in the differing part, from the first line that differs to the last."""
    first, most = 0, min(len(lines), len(newer))
    while first < most and lines[first] == newer[first]:
        first += 1
    last = 0
    while last < most - first and lines[-1 - last] == newer[-1 - last]:
        last += 1
    parts = (lines[first : len(lines) - last], newer[first : len(newer) - last])
    return any(words.search(line) for part in parts for line in part)


def _version(sha: str, text: bytes) -> RosterVersion | None:
    """None if no host would take the commit: it was never in force."""
    from specs.loading.load import load

    loaded = load({ROSTER: text})
    if loaded.roster is None:
        return None
    specs = {spec.name: spec for spec in (*loaded.roster.agents, *loaded.held_specs.values())}
    return RosterVersion(
        commit=sha,
        homes={name: spec.host or "" for name, spec in specs.items() if spec.state != "absent"},
        ways={spec.host: spec.ssh for spec in reversed(specs.values()) if spec.host and spec.ssh},
    )
