"""JSON in a file with its own checksum, so that damage is noticed before parsing. Pure.

A file is one JSON object of two lines: a head (format number, checksum) and the body. The checksum is over the body as
written.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import NoReturn

from providers.base import Parsed

FORMAT = 1


_SEAM = b',\n"data":'


class Damaged(ValueError):
    """The bytes are not a state file that this version can read."""


def seal(body: object, **head: str) -> bytes:
    """The file's bytes. `head` are words to look at without parsing the body."""
    data = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "surrogatepass")
    top = json.dumps({"format": FORMAT, **head, "sha256": sha256(data).hexdigest()})
    return top[:-1].encode() + _SEAM + data + b"}\n"


def unseal(raw: bytes, **head: str) -> Parsed:
    """The body. Raises Damaged if the bytes are not exactly what `seal` wrote, or `head` differs."""
    top, seam, rest = raw.partition(_SEAM)
    if not seam or not rest.endswith(b"}\n"):
        raise Damaged("it is cut short or not a state file")
    data = rest[:-2]
    words = _loads(top + b"}")
    if not isinstance(words, dict) or words.get("format") != FORMAT:
        raise Damaged("it was written by another version")
    if words.get("sha256") != sha256(data).hexdigest():
        raise Damaged("its checksum is wrong")
    for name, value in head.items():
        if words.get(name) != value:
            raise Damaged(f"it is for another {name}")
    return _loads(data)


def _loads(raw: bytes) -> Parsed:
    try:
        return json.loads(raw.decode("utf-8", "surrogatepass"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Damaged(f"it is not JSON: {error}") from error


def _no_constant(word: str) -> NoReturn:
    raise Damaged(f"it contains {word}")
