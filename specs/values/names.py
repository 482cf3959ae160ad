"""Which names are safe as unit instances, file names, tmux sessions and environment variables."""

from __future__ import annotations

import re

LONGEST = 64  # `mosaic-agent@NAME.service` and its drop-ins stay far below the 255 bytes that systemd and files allow

_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_ENV = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_SSH = re.compile(rf"(?:{_WORD}@)?{_WORD}|ssh://(?:{_WORD}@)?(?:{_WORD}|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?")
_SESSION_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}")
# Written by the launcher for every agent: a roster that set them would contradict itself.
RESERVED_ENV = frozenset(
    {
        "MOSAIC_AGENT_NAME",
        "MOSAIC_AGENT_SESSION",
        "MOSAIC_AGENT_CLASS",
        "MOSAIC_AGENT_RUNTIME",
        "MOSAIC_AGENT_MODEL",
        "MOSAIC_AGENT_WORKDIR",
        "MOSAIC_TMUX_SOCKET",
        "MOSAIC_FLEET",
        "MOSAIC_TENANT_ID",
        "MOSAIC_HOST",
        "MOSAIC_HOME",
        "MOSAIC_HEARTBEAT",
        "MOSAIC_HEARTBEAT_INTERVAL",
        "MOSAIC_AGENT_PID",
        "MOSAIC_LAUNCH",
        "MOSAIC_RESUME",
        "MOSAIC_RESUME_ONCE",
        "TMUX",
        "TMUX_PANE",
    }
)
# Control characters, line separators, direction overrides and lone surrogates: none of them survives a line-based file,
# and some make a line read as something that it is not.
UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")


def name_fault(name: str) -> str | None:
    """Why `name` cannot name an agent, a fleet or a session, as the end of a sentence; None when it can."""
    if not name:
        return "must not be empty"
    if "/" in name or "\\" in name:
        return "must not contain a path separator"
    if UNSAFE.search(name):
        return "must not contain control characters"
    if any(c.isspace() for c in name):
        return "must not contain spaces"
    if name[0] in "-.":
        return f'must not begin with "{name[0]}"'
    if not _NAME.fullmatch(name):
        bad = next(c for c in name if not _NAME.fullmatch(c))
        return f'must not contain "{bad}" (systemd or tmux would read it as something else)'
    if len(name) > LONGEST:
        return f"must not be longer than {LONGEST} characters, and has {len(name)}"
    return None


def env_fault(name: str) -> str | None:
    """Why `name` cannot be an environment variable of an agent; None when it can."""
    if not _ENV.fullmatch(name):
        return "must consist of letters, digits and underscores, and not begin with a digit"
    if len(name) > 255:
        return "must not be longer than 255 characters"
    if name in RESERVED_ENV:
        return "is set by the launcher itself"
    return None


def ssh_fault(target: str) -> str | None:
    """Why `target` is not a place that ssh may be sent to; None when it is. `user@host`, `host`, a name of ssh's own
    configuration, or `ssh://user@host:port`."""
    if len(target) > 320 or not _SSH.fullmatch(target):
        return "must be user@host, a host, or ssh://user@host:port"
    return None


def session_id_fault(text: str) -> str | None:
    """Why `text` is not the id of a program's conversation; None when it may be one."""
    if not _SESSION_ID.fullmatch(text):
        return 'must be "fresh", "present" or the id of a conversation: letters, digits, "_", ".", ":" and "-"'
    return None


def session_name(agent: str) -> str:
    """The tmux session of an agent: tmux itself replaces "." because it separates windows from panes."""
    return agent.replace(".", "_")


def same_host(one: str, other: str) -> bool:
    """Whether two names are one host's: case does not count, nor the domain that one of them has."""
    one, other = one.lower(), other.lower()
    return bool(one) and (one == other or one.startswith(f"{other}.") or other.startswith(f"{one}."))
