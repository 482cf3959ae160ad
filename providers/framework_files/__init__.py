"""The files that a host needs before any agent can run: systemd units, and the programs that they start.

The programs are plain text, the same on every host. The units have `@NAME@` where `providers/kinds/framework.py` puts a
path.
"""

from __future__ import annotations

import functools
import os


@functools.cache
def text(name: str) -> str:
    """The content of one shipped file. Raises OSError if the installation is incomplete."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()
