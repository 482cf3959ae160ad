"""What ships with the program as data: personas, system types, and the framework's own texts.

Names are paths below this folder, with `/`.
"""

from __future__ import annotations

import functools
import hashlib
import os

_ROOT = os.path.dirname(__file__)


@functools.cache
def text(name: str) -> str:
    """The content of one shipped file. Raises OSError if there is none."""
    with open(os.path.join(_ROOT, *name.split("/")), encoding="utf-8") as file:
        return file.read()


@functools.cache
def names(folder: str, suffix: str) -> tuple[str, ...]:
    """The files of a folder that end with `suffix`, as names for `text`, sorted. Raises OSError."""
    found = os.listdir(os.path.join(_ROOT, *folder.split("/")))
    return tuple(f"{folder}/{name}" for name in sorted(found) if name.endswith(suffix) and not name.startswith("."))


@functools.cache
def digest(folder: str, suffix: str) -> str:
    """16 hex digits of those files, names and contents. Raises OSError."""
    made = hashlib.sha256()
    for name in names(folder, suffix):
        data = text(name).encode()
        made.update(f"{name} {len(data)}\n".encode() + data)
    return made.hexdigest()[:16]
