"""The operator's own texts in `$MOSAIC_HOME`, which every agent of this host gets. Read again for each look."""

from __future__ import annotations

import os

from providers.filesystem.far_files import FarFiles
from providers.filesystem.guarded_read import NotRegularError, TooLargeError, read_regular
from providers.host import Overlay
from providers.launch.contract import OVERLAYS, PROFILE, plain

MAX_BYTES = 64 * 1024


def read_overlays(mosaic_home: str) -> tuple[Overlay, ...]:
    """The existing texts, in the order of their names in the contract. Never raises: a text that cannot be read says
    why."""
    far = FarFiles(mosaic_home)
    found = (_bounded(f"{mosaic_home}/{name}", name, far) for name in (*PROFILE, *OVERLAYS))
    return tuple(one for one in found if one is not None)


def _bounded(path: str, name: str, far: FarFiles) -> Overlay | None:
    """A process that we may leave behind reads a link: it may lead to a file system that gives no answer."""
    if not far.is_far(path) and not os.path.islink(path):
        return _read(path, name)
    try:
        seen = far.ask(path, lambda: _plain_values(_read(path, name)))
    except OSError as error:
        return Overlay(name=name, fault=error.strerror or str(error))
    return None if seen is None else Overlay(name=name, text=seen[0], fault=seen[1])


def _plain_values(one: Overlay | None) -> tuple[str, str] | None:
    return None if one is None else (one.text, one.fault)


def _read(path: str, name: str) -> Overlay | None:
    try:
        # Follows links: people keep such files elsewhere.
        return Overlay(name=name, text=plain(read_regular(path, limit=MAX_BYTES).decode()))
    except (FileNotFoundError, NotADirectoryError):
        return Overlay(name=name, fault="it is a link to nowhere") if os.path.islink(path) else None
    except NotRegularError:
        return Overlay(name=name, fault="it is not a regular file")
    except TooLargeError as error:
        return Overlay(name=name, fault=f"it has {error.size} bytes, and {MAX_BYTES} are read at most")
    except UnicodeDecodeError:
        return Overlay(name=name, fault="it is not UTF-8 text")
    except OSError as error:
        return Overlay(name=name, fault=error.strerror or str(error))
