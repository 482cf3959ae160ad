"""Processes, by the /proc of a host as it is seen from wherever one is (stdlib only)."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def comms(proc: Path) -> Iterable[tuple[int, str]]:
    """Every process with its comm."""
    for folder in proc.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                yield int(folder.name), (folder / "comm").read_text().strip()


def agents_in(proc: Path) -> Iterable[tuple[int, str]]:
    """Every stub agent's process below a /proc, with the agent's name."""
    for folder in proc.iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it has just ended
                if b"/providers/stub.py\0" not in (folder / "cmdline").read_bytes():
                    continue
                for word in (folder / "environ").read_text(errors="replace").split("\0"):
                    if word.startswith("MOSAIC_AGENT_NAME="):
                        yield int(folder.name), word.partition("=")[2]


def lives(folder: Path) -> bool:
    """Whether the process of this folder is there, and no zombie."""
    try:
        return "\nState:\tZ" not in (folder / "status").read_text()
    except OSError:
        return False
