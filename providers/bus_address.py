"""Where the user's systemd can be reached, and, when it cannot, which of the usual three reasons it is."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterator, Mapping

LINGER_DIR = "/var/lib/systemd/linger"


def candidates(environ: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Addresses to try, in order, and whether each is a message bus (else systemd's private socket)."""
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    seen = set()
    for address in environ.get("DBUS_SESSION_BUS_ADDRESS", "").split(";"):
        path = _unix_path(address)
        if path and path not in seen:
            seen.add(path)
            yield path, True
    if os.path.isabs(runtime):
        if f"{runtime}/bus" not in seen:
            yield f"{runtime}/bus", True
        yield f"{runtime}/systemd/private", False


def _unix_path(address: str) -> str:
    transport, _, rest = address.partition(":")
    if transport != "unix":
        return ""
    pairs = dict(pair.partition("=")[::2] for pair in rest.split(","))
    if "path" in pairs:
        return _unescape(pairs["path"])
    if "abstract" in pairs:
        return "\0" + _unescape(pairs["abstract"])
    return ""


def _unescape(text: str) -> str:
    # Not urllib's: importing that costs as much as everything else here together.
    return os.fsdecode(re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes((int(found[1], 16),)), os.fsencode(text)))


def explain(environ: Mapping[str, str], uid: int, tried: list[str]) -> str:
    """Why the user manager cannot be reached, and the command that mends it; one sentence or two."""
    user, own = _name(uid), f"/run/user/{uid}"
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    start = "cannot reach the systemd user manager: "
    if not runtime:
        if os.path.isdir(own):
            return (
                f"{start}XDG_RUNTIME_DIR is not set (a shell from su, sudo or cron); run: export XDG_RUNTIME_DIR={own}"
            )
        return start + _not_running(user, uid, "XDG_RUNTIME_DIR is not set")
    try:
        owner = os.stat(runtime).st_uid
    except OSError as error:
        if runtime != own and os.path.isdir(own):
            return f"{start}XDG_RUNTIME_DIR={runtime}: {error.strerror}; run: export XDG_RUNTIME_DIR={own}"
        return start + _not_running(user, uid, f"XDG_RUNTIME_DIR={runtime}: {error.strerror}")
    if owner != uid:
        return (
            f"{start}XDG_RUNTIME_DIR={runtime} belongs to {_name(owner)}, and you are {user} (a shell from su or "
            f"sudo); run: export XDG_RUNTIME_DIR={own} DBUS_SESSION_BUS_ADDRESS=unix:path={own}/bus "
            f"(or log in with: machinectl shell {user}@)"
        )
    return start + _not_running(user, uid, "; ".join(tried) or f"there is no bus in {runtime}")


def _not_running(user: str, uid: int, seen: str) -> str:
    if os.path.exists(f"{LINGER_DIR}/{user}"):
        return f"{seen}; it does not run or does not answer; run: sudo systemctl restart user@{uid}.service"
    return (
        f"{seen}; it does not run, since {user} is not logged in and has no linger; "
        f"run: sudo loginctl enable-linger {user}"
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
