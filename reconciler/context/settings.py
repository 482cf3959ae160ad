"""The host's own settings, `$XDG_CONFIG_HOME/mosaic/reconcile.toml`: which repository, and whom to trust.

They are outside git on purpose: a commit must not be able to loosen the policy that verifies it. For the same reason a
file that another user may write is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reconciler.errors import InvalidConfig
from reconciler.git.refs import check_ref
from reconciler.helpers.atomic_files import loose_permissions, read_optional, write_atomic
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.base import Parsed
    from providers.kinds.framework import Install

Verify = Literal["none", "head", "all"]

_HOST = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,252}[A-Za-z0-9])?"
_DURATION = r"(\d+(?:\.\d+)?)\s*(s|m|h)?"
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_MAX_TIMEOUT_S = 3600.0
_AT = r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`fetch_timeout` is seconds; `path` are absolute folders; the two key files are absolute. None: not set."""

    source: str | None = None
    ref: str | None = None  # None: the branch that the source's HEAD names
    verify: Verify = "none"
    allowed_signers: Path | None = None
    gpg_keyring: Path | None = None
    fetch_timeout: float = 30.0
    host: str | None = None
    install: Install = "none"
    path: tuple[str, ...] = ()


# Every key with its meaning: the list of allowed keys, and the file that `write_settings` makes.
_KEYS: tuple[tuple[str, str, str], ...] = (
    (
        "source",
        "The fleet's repository: a working tree, a bare repository, or a URL (https, ssh, file).",
        '"/srv/fleet"',
    ),
    ("ref", "The branch or tag that is applied. Not set: the branch that the repository's HEAD names.", '"main"'),
    (
        "verify",
        "Which commits need a trusted signature: none, head (the one applied) or all (every one since the last).",
        '"none"',
    ),
    ("allowed_signers", "SSH keys that may sign: a file as in ssh-keygen(1), ALLOWED SIGNERS.", '"~/.config/..."'),
    (
        "gpg_keyring",
        "GPG keys that may sign: a file made by `gpg --export`, or a GnuPG home. Every key in it is trusted.",
        '"~/.config/..."',
    ),
    (
        "fetch_timeout",
        "How long one exchange with the repository's server may take: seconds, or with s, m, h.",
        '"30s"',
    ),
    ("host", "This host's name in the roster. Not set: the machine's own name.", '"build-1"'),
    ("install", "What `mosaic fleet install` set up: none, timer or watch.", '"none"'),
    ("path", "Folders put before PATH in every agent's pane, in this order.", '["~/.local/bin"]'),
)


def settings_path(config_home: str | Path) -> Path:
    """The path of the file, given `$XDG_CONFIG_HOME`."""
    return Path(config_home) / "mosaic" / "reconcile.toml"


def read_settings(path: Path) -> Settings:
    """The settings; all defaults if there is no file. Every problem of the file is in one InvalidConfig."""
    try:
        data = read_optional(path)
    except OSError as error:
        raise InvalidConfig(
            f"the settings of this host cannot be read: {error.strerror or error}",
            where=str(path),
            help="it is a file of yours: put it back, or move what is there away to have the defaults",
        ) from error
    if data is None:
        return Settings()
    import tomllib

    loose = loose_permissions(path)
    if loose:
        raise InvalidConfig(f"{loose}; it says whom to trust", where=str(path), help=f"chmod 600 {path}")
    try:
        text = data.decode()
        document = tomllib.loads(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InvalidConfig("not valid UTF-8", where=f"{path}:{line}:1") from error
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, str(error), text) from error
    problems: list[tuple[str, str]] = []
    values: dict[str, Parsed] = {}
    for key, value in document.items():
        read = _READERS.get(key)
        try:
            if read is None:
                raise ValueError(_unknown(key))
            values[key] = read(value)
        except InvalidConfig as error:
            problems.append((_place(path, text, key), error.message))
        except ValueError as error:
            problems.append((_place(path, text, key), str(error)))
    if not problems and values.get("verify", "none") != "none" and not {"allowed_signers", "gpg_keyring"} & set(values):
        problems.append((_place(path, text, "verify"), "verify needs allowed_signers or gpg_keyring: whom to trust"))
    if problems:
        more = "".join(f"\nerror: {message}\n  --> {place}" for place, message in problems[1:])
        raise InvalidConfig(problems[0][1], where=problems[0][0] + more, help=f"edit {path}")
    return Settings(**values)


def write_settings(path: Path, settings: Settings) -> None:
    """Replace the file, mode 0600, every key with a comment; keys that are not set are shown as comments."""
    lines = ["# Host-local settings of Mosaic Fleet. Not in git: a commit cannot change whom this host trusts.", ""]
    default = Settings()
    for key, comment, example in _KEYS:
        value = getattr(settings, key)
        shown = f"# {key} = {example}" if value == getattr(default, key) else f"{key} = {_toml(value)}"
        lines += [f"# {comment}", shown, ""]
    write_atomic(path, "\n".join(lines))


def _toml(value: object) -> str:
    if isinstance(value, float):
        return json.dumps(f"{value:g}s")
    text = json.dumps(list(value) if isinstance(value, tuple) else str(value), ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")  # JSON leaves DEL as it is, TOML does not; otherwise they agree


def _string(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a string that is not empty")
    return value


def _ref(value: object) -> str:
    check_ref(_string(value))
    return _string(value)


def _one_of(*words: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if not isinstance(value, str) or value not in words:
            raise ValueError(f"must be one of {', '.join(words)}, not {value!r}")
        return value

    return read


def _file(value: object) -> Path:
    path = Path(_string(value)).expanduser()
    if not path.is_absolute():
        raise ValueError("must be an absolute path or begin with ~/")
    return path


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError('must be seconds, or a string such as "30s"')
    match = re.fullmatch(_DURATION, str(value).strip())
    seconds = float(match[1]) * _UNITS[match[2] or ""] if match else 0.0
    if not 0 < seconds <= _MAX_TIMEOUT_S:
        raise ValueError('must be more than 0 and at most 1h, such as 30, "30s" or "2m"')
    return seconds


def _host(value: object) -> str:
    if not re.fullmatch(_HOST, _string(value)):
        raise ValueError("must be a host name")
    return _string(value)


def _folders(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("must be a list of folders")
    folders = tuple(str(_file(entry)) for entry in value)
    if any(":" in folder or "\n" in folder for folder in folders):
        raise ValueError("a folder on PATH cannot have a colon or a line break in its name")
    return folders


_READERS: Mapping[str, Callable[[object], object]] = {
    "source": _string,
    "ref": _ref,
    "verify": _one_of("none", "head", "all"),
    "allowed_signers": _file,
    "gpg_keyring": _file,
    "fetch_timeout": _seconds,
    "host": _host,
    "install": _one_of("none", "timer", "watch"),
    "path": _folders,
}


def _unknown(key: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(key, list(_READERS), n=1)
    hint = f'did you mean "{near[0]}"?' if near else f"known: {', '.join(_READERS)}"
    return f'unknown key "{key}"; {hint}'


def _place(path: Path, text: str, key: str) -> str:
    """`file:line:column` of a top-level key (or of the table of that name)."""
    found = re.search(rf"""^[ \t]*\[*[ \t]*(["']?){re.escape(key)}\1[ \t]*[].=]""", text, re.MULTILINE)
    if found is None:
        return str(path)
    start = found.start() + len(found[0]) - len(found[0].lstrip())
    return f"{path}:{text.count(chr(10), 0, start) + 1}:{start - text.rfind(chr(10), 0, start)}"


def _syntax_error(path: Path, message: str, text: str) -> InvalidConfig:
    at = re.search(_AT, message)
    end = (text.count("\n") + 1, len(text) - text.rfind("\n"))
    line, column = (int(at[1]), int(at[2])) if at and at[1] else end
    return InvalidConfig(re.sub(_AT, "", message), where=f"{path}:{line}:{column}", help=f"edit {path}; it is TOML")
