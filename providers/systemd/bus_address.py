"""Where the user's systemd can be reached and, if it cannot, which of the three usual reasons it is."""

from __future__ import annotations

import os
import pwd
import re
import socket
from collections.abc import Iterator, Mapping, Sequence

LINGER_DIR = "/var/lib/systemd/linger"
_PATIENCE_S = 1.0


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
    # Not urllib's: importing that costs as much as all other imports here together.
    return os.fsdecode(re.sub(rb"%([0-9A-Fa-f]{2})", lambda found: bytes((int(found[1], 16),)), os.fsencode(text)))


def manager_listens(uid: int) -> bool:
    """Whether a process listens on the socket of this user's systemd.

    The folder /run/user/UID and the sockets in it prove nothing: newer systemds keep them while the manager is stopped.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.settimeout(_PATIENCE_S)
        try:
            caller.connect(f"/run/user/{uid}/systemd/private")
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            return False
        except OSError:  # we may not ask, or it is too busy to answer: it exists
            return True
    return True


def explain(environ: Mapping[str, str], uid: int, tried: Sequence[OSError]) -> str:
    """Why the user manager cannot be reached, and the command that fixes it."""
    user, own = _name(uid), f"/run/user/{uid}"
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    start = "cannot reach the systemd user manager: "
    if any(isinstance(error, TimeoutError) for error in tried):
        return f"{start}it does not answer; see: systemctl status user@{uid}.service"
    try:
        owner = os.stat(runtime).st_uid if runtime else -1
        seen = "; ".join(f"{error.filename}: {error.strerror or error}" for error in tried)
    except OSError as error:
        owner, seen = -1, f"XDG_RUNTIME_DIR={runtime}: {error.strerror}"
    if owner == uid:
        absent = all(isinstance(error, FileNotFoundError | ConnectionRefusedError) for error in tried)
        return f"{start}{seen}; {_not_running(user, uid) if absent else f'see: systemctl status user@{uid}.service'}"
    runs = manager_listens(uid)
    if owner >= 0:
        first = "" if runs else f"{_begin(user, uid)}, then "
        return (
            f"{start}XDG_RUNTIME_DIR={runtime} belongs to {_name(owner)}, and you are {user} (a shell from su or "
            f"sudo); run: {first}export XDG_RUNTIME_DIR={own} DBUS_SESSION_BUS_ADDRESS=unix:path={own}/bus "
            f"(or log in with: machinectl shell {user}@)"
        )
    seen = seen if runtime else "XDG_RUNTIME_DIR is not set (a shell from su, sudo or cron)"
    if not runs:
        after = f", then export XDG_RUNTIME_DIR={own}" if runtime != own and os.path.isdir(own) else ""
        return f"{start}{seen}; {_not_running(user, uid)}{after}"
    return f"{start}{seen}; run: export XDG_RUNTIME_DIR={own}"


def _not_running(user: str, uid: int) -> str:
    begin = _begin(user, uid)
    what = "it does not run" if "systemctl" in begin else f"{user} is not logged in and has no linger"
    return f"{what}; run: {begin}"


def _begin(user: str, uid: int) -> str:
    """The command that starts the user's manager. If somebody is logged in, the fault is not a lack of linger."""
    if os.path.exists(f"{LINGER_DIR}/{user}") or os.path.isdir(f"/run/user/{uid}"):
        return f"sudo systemctl start user@{uid}.service"
    return f"sudo loginctl enable-linger {user}"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
