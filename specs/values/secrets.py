"""Recognise values that look like secrets, and mask them in everything shown to people."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise

MASK = "*"

# Prefixes that issuers chose so that a leaked token can be recognised, and some shapes without one. Only a prefix that
# ordinary words can end in ("task-") has to begin a word: a token glued to a letter is still a token.
_KNOWN = (
    (r"(?<![A-Za-z0-9])sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{16,}", "an API key (sk-...)"),
    (r"gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,}", "a GitHub token"),
    (r"gl(?:pat|ptt|rt)-[A-Za-z0-9_-]{16,}", "a GitLab token"),
    (r"xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}", "a Slack token"),
    (r"(?:AKIA|ASIA)[A-Z0-9]{16}", "an AWS access key"),
    (r"AIza[A-Za-z0-9_-]{30,}", "a Google API key"),
    (r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}", "a Stripe key"),
    (r"npm_[A-Za-z0-9]{30,}", "an npm token"),
    (r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{24,}", "a Hugging Face token"),
    (r"syt_[A-Za-z0-9_]{16,}", "a Matrix access token"),
    (r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?", "a JSON web token"),
    (r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}", "a Discord token"),
    (r"[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}", "a Telegram bot token"),
    (r"-----BEGIN [A-Z ]*PRIVATE KEY-----", "a private key (PEM)"),
)
_TOKEN = re.compile("|".join(f"(?P<k{i}>{pattern})" for i, (pattern, _) in enumerate(_KNOWN)))
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL)
_URL_PASSWORD = re.compile(r"(?<=://)([^\s/:@]*):([^\s/@]+)(?=@)")
_NAME = re.compile(
    r"token|secret|passw(or)?d|passphrase|credential|(^|[_.-])pw(d)?([_.-]|$)|auth([_.-]|$)"
    r"|(api|access|private|signing|encryption|ssh|bot|service|account|master|client)[_.-]?key|(^|[_.-])key([_.-]|$)",
    re.IGNORECASE,
)
_NOT_SECRET_NAMES = frozenset({"submit_key", "submitkey"})
_ASSIGNMENT = re.compile(r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]*)[\"']?\s*[:=]\s*(?P<value>\S.*)$")
_FLOW_PAIR = re.compile(r"(?<![\w.-])(?P<name>[A-Za-z_][\w.-]*)[\"']?\s*[:=]\s*(?P<value>[^\s,{}\[\]][^,{}\[\]]*)")
REFERENCES = frozenset({"from_env", "from_file", "fromEnv", "fromFile"})
_BLOB = re.compile(r"[A-Za-z0-9+=_-]{24,}")
_WORD = re.compile(r"[^\s\"',{}\[\]]+")


def tokens(text: str) -> list[tuple[int, int, str]]:
    """Where in `text` something is recognisable as a secret by itself: start, end, and what it is."""
    found = [(m.start(), m.end(), _KNOWN[int((m.lastgroup or "k0")[1:])][1]) for m in _TOKEN.finditer(text)]
    return found + [(m.start(2), m.end(2), "a password inside a URL") for m in _URL_PASSWORD.finditer(text)]


def secretive(name: str) -> bool:
    """True for names such as GITHUB_TOKEN, api_key or DB_PASSWORD."""
    return name.lower() not in _NOT_SECRET_NAMES and _NAME.search(name) is not None


def random_looking(value: str) -> bool:
    """True for a long word with the entropy of a generated secret: not a path, an address, a phrase or a reference."""
    if len(value) < 20 or any(c.isspace() for c in value) or value.startswith(("/", "~", "./", "$", "%", "${")):
        return False
    if "://" in value:
        return False
    counts = Counter(value)
    entropy = -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values())
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return entropy >= 3.0 and mixed


def in_command(text: str) -> bool:
    """True when a command carries a secret as `NAME=value`, `--name=value` or `--name value`."""
    words = text.split()
    for word, following in pairwise([*words, ""]):
        name, equals, value = word.partition("=")
        value = value if equals else following if name.startswith("-") else ""
        if secretive(name.lstrip("-")) and random_looking(value.strip("\"'")):
            return True
    return False


def mask_tokens(text: str) -> str:
    """`text` with everything that is recognisable as a secret by itself replaced, one star for each character."""
    text = _PEM.sub(_asterisks, text)
    text = _TOKEN.sub(_asterisks, text)
    text = _URL_PASSWORD.sub(lambda m: f"{m[1]}:{MASK * len(m[2])}", text)
    return _BLOB.sub(lambda m: MASK * len(m[0]) if random_looking(m[0]) else m[0], text)


def mask_line(line: str) -> str:
    """A line of a file as it may be shown: tokens masked, and also what follows a name that announces a secret."""
    line = mask_tokens(line)
    for match in _FLOW_PAIR.finditer(line):
        name = match["name"]
        if name not in REFERENCES and (secretive(name) or _inside_secret(line[: match.start()])):
            line = _hide(line, match.start("value"), match.end("value"))
    found = _ASSIGNMENT.search(line)
    while found:
        if secretive(found["name"]) and not found["value"].startswith(("{", "[")):
            return _hide(line, found.start("value"), len(line))
        found = _ASSIGNMENT.search(line, found.start("value"))
    return line


def _inside_secret(before: str) -> bool:
    """True when `before` ends inside a flow mapping that is the value of a secretive name."""
    opened = before.rfind("{")
    if opened <= before.rfind("}"):
        return False
    name = re.search(r"([A-Za-z_][\w.-]*)[\"']?\s*:\s*$", before[:opened])
    return name is not None and secretive(name[1])


def _hide(line: str, start: int, end: int) -> str:
    return line[:start] + _WORD.sub(lambda m: MASK * len(m[0]), line[start:end]) + line[end:]


def _asterisks(match: re.Match[str]) -> str:
    return MASK * len(match[0])
