"""What the programs themselves load: an extension of pi, a plugin of opencode, and their shared reporting."""

from __future__ import annotations

import functools
import os


@functools.cache
def text(name: str) -> str:
    """The content of one shipped file. Raises OSError if the installation is incomplete."""
    with open(os.path.join(os.path.dirname(__file__), name), encoding="utf-8") as file:
        return file.read()
