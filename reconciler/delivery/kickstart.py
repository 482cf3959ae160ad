"""Kickstart: an agent's first message in each new conversation.

A life is one process in its pane. Unless it goes on with a conversation, it gets its first words once, through the
outbox, however it was started: by a run, by systemd at boot, or by hand. A process that is older than its agent's first
words does not get them. `reconciler/run/lives_round.py` finds new lives.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from providers.filesystem.guarded_read import NotRegularError, read_regular
from reconciler.delivery.text import MAX_BYTES, clean
from reconciler.errors import MosaicError, NotFound

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.state.store import Store
    from specs.compiled import Agent

_PATHS = ("/", "~/", "./")


def kickstart(agent: Agent, host: str, store: Store, *, now: float, preface: str = "") -> bool:
    """Send an agent its first words: at the start of a process with a new conversation, and after a reset that left its
    process alive. False if it has none. `host`: the fleet's name for this one; `preface`: what comes before them.
    Raises MosaicError."""
    from reconciler.delivery.outbox import Outbox

    if agent.kickstart is None:
        return False
    sender = f"{host}:mosaic"
    Outbox(store).put_kickstart(agent=agent.name, sender=sender, kickstart=agent.kickstart, preface=preface, now=now)
    return True


def first_words(template: str, agent: Agent, facts: HostFacts) -> str:
    """The text itself, or the content of the file that it names. Raises MosaicError, naming the file."""
    from providers.filesystem.bounded_look import ask_one

    if not template.startswith(_PATHS):
        return clean(template)
    path = facts.home + template[1:] if template.startswith("~/") else template
    path = str(Path(agent.working_directory, path))
    try:
        data = ask_one(path, lambda: _contents(path))  # it may be on a file system that does not answer
        if data is None:
            raise MosaicError(f"its kickstart {path} cannot be read: it is not a file")
        return clean(data.decode())
    except FileNotFoundError as error:
        raise NotFound(f"its kickstart {path} is not there") from error
    except UnicodeDecodeError as error:
        raise MosaicError(f"its kickstart {path} is not UTF-8 text") from error
    except OSError as error:
        raise MosaicError(f"its kickstart {path} cannot be read: {error.strerror or error}") from error


def _contents(path: str) -> bytes | None:
    """Up to one byte more of a file than a message may have; None if it is not a regular file. Raises OSError."""
    try:
        return read_regular(path, limit=MAX_BYTES + 1, cut=True)
    except NotRegularError:
        return None
