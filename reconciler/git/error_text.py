"""Explain a failure of git or ssh: what it reported, and what a person can do. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from reconciler.git.objects import printable

PROTOCOLS = ("https", "ssh", "file")
MOST = 12  # lines of a refusal: a hook may print many

# Compiled on use (re caches them): a run that succeeds needs none.
# Lines that give the reason: git's own, the other side's (`remote:`), a refused branch's (`! [...]`), and ssh's.
_REASONS = (
    r"(?:fatal|error|remote|ssh): |\s*! \[|.*(?:Permission denied|Connection (?:closed|refused|reset|timed out)|"
    r"Host key verification failed|IDENTIFICATION HAS CHANGED|Host key for .* has changed|"
    r"No \S+ host key is known|Offending \S+ key in |not in allowed)"
)
# Lines that only say that it failed, useless next to a line with the reason.
_GENERAL = (
    r"(?:fatal: (?:[Cc]ould not read from remote repository|the remote end hung up|protocol error|early EOF)"
    r"|error: failed to push some refs|.*Host key verification failed\.?$)"
)
_CHANGED = r"IDENTIFICATION HAS CHANGED|Host key for .* has changed"
_UNKNOWN = r"Host key verification failed|No \S+ host key is known"

_ADVICE = (
    (
        r"dubious ownership",
        "the repository belongs to another user; if you trust it: git config --global --add safe.directory PATH",
    ),
    (
        r"branch is currently checked out|refusing to update checked out branch",
        "the branch is checked out there. In that repository `git config receive.denyCurrentBranch updateInstead` lets "
        "its files follow, and `git switch --detach` frees the branch; a bare repository never has this trouble",
    ),
    (
        r"Permission denied|Authentication failed|could not read (Username|Password)|terminal prompts disabled",
        "no credentials that work without asking; set up an ssh key or a credential helper",
    ),
    (r"transport '.*' not allowed", f"allowed protocols: {', '.join(PROTOCOLS)}"),
)


def key_lines(text: str) -> list[str]:
    """The lines of git's standard error that give the reason, in order, at most `MOST`; all of them if none does."""
    lines = [printable(line) for line in text.splitlines()]
    lines = [line for line in dict.fromkeys(lines) if line and not line.startswith("hint:")]
    key = host_key(text)
    if key is not None:
        return [key[0]]
    found = [line for line in lines if re.match(_REASONS, line) and line not in ("remote:", "remote: error:")]
    why = [line for line in found if not re.match(_GENERAL, line)] or found or lines
    refused = [line for line in why if line.startswith("! [")]
    if any("branch is currently checked out" in line for line in refused):
        return refused  # git's own advice is half a page, and does not help most people
    rest = [line.removeprefix("fatal: ").removeprefix("error: ") for line in why if line not in refused]
    return [*rest[: MOST - len(refused)], *refused][:MOST]


def advice(text: str) -> str:
    """The usual way out, if there is one; else ""."""
    key = host_key(text)
    if key is not None:
        return key[1]
    return next((way for pattern, way in _ADVICE if re.search(pattern, text)), "")


def host_key(text: str, target: str = "HOST") -> tuple[str, str] | None:
    """ssh's complaint about a host's key, and the way out; None if the failure is another. A changed key differs from
    an unknown one: somebody may stand in between."""
    lines = [printable(line) for line in text.splitlines()]
    if re.search(_CHANGED, text):
        places = [line for line in lines if line.startswith(("Offending ", "SHA256:", "Host key for "))]
        said = "; ".join(places) or "REMOTE HOST IDENTIFICATION HAS CHANGED"
        remove = next((line for line in lines if line.startswith("ssh-keygen ")), f"ssh-keygen -R {target}")
        return (
            f"the host key has CHANGED: {said}",
            "the host was reinstalled, or somebody intercepts the connection: compare the key there. If it is right: "
            f"{remove}, then connect once by hand: ssh {target} true",
        )
    if re.search(_UNKNOWN, text):
        which = next((line for line in lines if re.search(_UNKNOWN, line)), "Host key verification failed")
        return (
            f"the host key is not known: {which}",
            f"compare it, then connect once by hand to accept it: ssh {target} true",
        )
    return None


def listed(lines: Sequence[str]) -> str:
    """Append to a sentence: one line within it, more of them below it."""
    return f": {lines[0]}" if len(lines) == 1 else ":\n" + "\n".join(f"  {line}" for line in lines)
