"""Where an agent's pane finds its program: the PATH that agent-pane makes; the two must agree."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from providers.filesystem.guarded_read import read_regular
from providers.processes.process import DEFAULT_PATH, NotInstalledError, find


def search_path(environ: Mapping[str, str], first: Sequence[str], last: str) -> str:
    """Configured folders (`first`), the folders of npm and of people's programs, the given PATH, our own (`last`)."""
    given = environ.get("PATH") or DEFAULT_PATH
    folders = [folder for folder in first if os.path.isdir(folder)]

    def also(folder: str) -> None:
        if folder not in folders and folder not in given.split(":") and os.path.isdir(folder):
            folders.append(folder)

    if environ.get("NPM_CONFIG_PREFIX"):
        also(f"{environ['NPM_CONFIG_PREFIX']}/bin")
    home = environ.get("HOME", "")
    if home:
        for prefix in npm_prefixes(home):
            also(f"{prefix}/bin")
        also(f"{home}/.npm-global/bin")
        also(f"{home}/.local/bin")
    node = found("node", given)
    if node and os.path.islink(node):
        also(os.path.dirname(os.path.realpath(node)))
    return ":".join([*folders, given, last])


def found(program: str, search: str) -> str:
    """Its path on a PATH, "" if it does not exist or is not executable."""
    try:
        return find(program, {"PATH": search})
    except NotInstalledError:
        return ""


def npm_prefixes(home: str) -> list[str]:
    """The prefixes in `~/.npmrc`, as absolute paths."""
    try:
        lines = read_regular(f"{home}/.npmrc", limit=1 << 16, cut=True).decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    prefixes = []
    for line in lines:
        key, _, value = line.strip(" \t").replace("\t", "=").replace(" ", "=").partition("=")
        value = value.strip("=").strip("\"'")
        for start in ("${HOME}/", "~/"):
            if value.startswith(start):
                value = f"{home}/{value.removeprefix(start)}"
        if key == "prefix" and value.startswith("/"):
            prefixes.append(value)
    return prefixes
