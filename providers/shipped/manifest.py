"""The manifest in `$MOSAIC_HOME`: which framework files were last installed, and their contents. Pure.

It distinguishes an outdated file from one that somebody edited. It is in the folder of the files, since all fleets of a
user share them. A manifest can name only files that the framework may ever own, whatever is written in it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

from providers.base import Parsed
from providers.shipped.release import LAYOUT, Release
from specs.dataclass import dataclass, field

NAME = ".mosaic-manifest.json"
HOLD = ".mosaic-hold"  # while it exists, the framework's files stay as they are; its first line says why
_FORMAT = 1
_OWNABLE = re.compile(r"(?!SOUL\.md|USER\.md)[A-Z][A-Z0-9_-]*\.md|guides/[a-z0-9-]+\.md|runtime/[a-z0-9-]+/RUNTIME\.md")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One file as it was installed: SHA-256 of its bytes, and their number."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`layout` 0 and `version` "": unknown. `seeded`: the files that were written once, and never will be again."""

    layout: int = 0
    version: str = ""
    files: Mapping[str, Installed] = field(default_factory=dict)
    seeded: frozenset[str] = frozenset()


def ownable(path: str) -> bool:
    """Whether the framework may own a path at all. No version may own an operator's path."""
    return _OWNABLE.fullmatch(path) is not None


def digest(data: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(data).hexdigest()


def of_release(release: Release) -> Manifest:
    """The manifest once `release` is installed. Raises ValueError for a file that may not be the framework's."""
    wrong = [path for path in release.files if not ownable(path)]
    if wrong:
        raise ValueError(f"not the framework's to install: {', '.join(wrong)}")
    data = {path: text.encode() for path, text in release.files.items()}
    return Manifest(
        layout=LAYOUT,
        version=release.version,
        files={path: Installed(digest=digest(one), size=len(one)) for path, one in data.items()},
        seeded=frozenset(release.seeds),
    )


def render(manifest: Manifest) -> str:
    """The same manifest gives the same text."""
    body = {
        "format": _FORMAT,
        "about": "Written by Mosaic Fleet: what it last installed here. Not for editing.",
        "layout": manifest.layout,
        "version": manifest.version,
        "files": {path: {"sha256": one.digest, "size": one.size} for path, one in sorted(manifest.files.items())},
        "seeded": sorted(manifest.seeded),
    }
    return json.dumps(body, indent=1) + "\n"


def read(text: str) -> Manifest:
    """A damaged manifest lists nothing: then every file that is not as shipped counts as somebody's edit."""
    try:
        raw = json.loads(text)
        return _read(raw)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Manifest()


def _read(raw: Parsed) -> Manifest:
    layout, version = raw["layout"], raw["version"]
    if type(layout) is not int or type(version) is not str:
        raise ValueError("not a manifest")
    files = {}
    for path, one in raw["files"].items():
        if ownable(path) and _DIGEST.fullmatch(one["sha256"]) and type(one["size"]) is int and one["size"] >= 0:
            files[path] = Installed(digest=one["sha256"], size=one["size"])
    return Manifest(
        layout=layout, version=version, files=files, seeded=frozenset(name for name in raw["seeded"] if name)
    )


def newer(one: str, other: str) -> bool:
    """Whether version `one` comes after `other`; words in them do not count."""
    return _numbers(one) > _numbers(other)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:4])
