"""What an unquoted word means: the core schema of YAML 1.2, and the words that meant something else in YAML 1.1."""

from __future__ import annotations

import re

Scalar = str | int | float | bool | None

_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_FLOATS = {f"{sign}{word}": f"{sign}{word[1:].lower()}" for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")}
_NANS = frozenset({".nan", ".NaN", ".NAN"})
MAX_DIGITS = 18  # what fits in 64 bits; longer numbers are identifiers that somebody forgot to quote

YAML_1_1_BOOLEANS = {
    **dict.fromkeys(("yes", "Yes", "YES", "on", "On", "ON", "y", "Y"), "true"),
    **dict.fromkeys(("no", "No", "NO", "off", "Off", "OFF", "n", "N"), "false"),
}


def resolve(word: str) -> Scalar:
    """The value of a plain scalar. Raises ValueError for a number that is too large to be one."""
    if word in _WORDS:
        return _WORDS[word]
    first = word[0]
    if not (first.isdigit() or first in "-+."):
        return word
    if _INT.fullmatch(word):
        if len(word) > MAX_DIGITS:
            raise ValueError("the number is too large; quote it if it is an identifier")
        return int(word)
    if word.startswith("0x") and re.fullmatch(r"0x[0-9a-fA-F]{1,15}", word):
        return int(word, 16)
    if word.startswith("0o") and re.fullmatch(r"0o[0-7]{1,20}", word):
        return int(word, 8)
    if word in _FLOATS:
        return float(_FLOATS[word])
    if word in _NANS:
        return float("nan")
    if len(word) <= 64 and _FLOAT.fullmatch(word):
        return float(word)
    return word
